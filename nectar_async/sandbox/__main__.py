"""`python -m nectar_async.sandbox`: a sandbox in a process of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox.loop import run_loop
from nectar_async.sandbox.process import Options, serve
from nectar_async.sandbox.server.certificate import read_certificate
from nectar_async.sandbox.server.faults import fault_help, read_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_async.faults import Fault


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a sandbox with the options of the command line."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    faults = given.pop("faults")
    if None in faults:
        _say(fault_help())
        return
    try:
        shown = read_certificate(given.pop("tls_cert"), given.pop("tls_key"))
    except ConfigurationError as error:
        parser.error(str(error))
    options = Options(**given, faults=tuple(faults), ssl_context=shown)
    run_loop(serve, options, _say)


def _parser() -> argparse.ArgumentParser:
    default = Options()
    parser = argparse.ArgumentParser(
        prog="python -m nectar_async.sandbox",
        description="Serve a local Nectar with an invented portfolio.",
        epilog=fault_help().replace("%", "%%"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=int, default=default.port, help="0 takes a free one")
    add("--companies", type=int, default=default.companies)
    add("--seed", type=int, default=default.seed)
    add(
        "--latency", type=float, default=default.latency, help="seconds an answer takes"
    )
    add("--api-key", default=default.api_key)
    add(
        "--clock-speed",
        type=float,
        default=default.clock_speed,
        help="seconds that pass in the sandbox for each real one",
    )
    add(
        "--file-bytes",
        type=int,
        default=default.file_bytes,
        help="how large each document's file is; sizes vary unless it is said",
    )
    add(
        "--fault",
        dest="faults",
        action="append",
        default=[],
        type=_fault,
        metavar="'EFFECT KEY=VALUE ...'",
        help="a fault, as 'answer status=429 retry-after=1 page=2 times=1'; may be"
        " given several times; 'help' lists the effects",
    )
    add(
        "--tls-cert",
        type=Path,
        metavar="FILE",
        help="a certificate for 127.0.0.1, PEM: speaks HTTPS; needs --tls-key",
    )
    add("--tls-key", type=Path, metavar="FILE", help="its private key, PEM")
    add("--json", dest="as_json", action="store_true", help="announce itself as JSON")
    add(
        "--exit-with-parent",
        action="store_true",
        help="end when standard input ends, as it does when the parent dies",
    )
    return parser


def _fault(text: str) -> Fault | None:
    """A fault; None for the wish to see which there are."""
    if text == "help":
        return None
    try:
        return read_fault(text)
    except ConfigurationError as error:
        # Of other errors argparse shows its own words and not theirs.
        raise argparse.ArgumentTypeError(str(error)) from None


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
