"""`python -m nectar_async.sandbox`: run a sandbox until it is interrupted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox.process import Options, serve
from nectar_async.sandbox.run_loop import run_loop
from nectar_async.sandbox.server.faults import fault_help, read_fault
from nectar_async.sandbox.server.tls import read_certificate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_async.faults import Fault


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a sandbox with the options of a command line."""
    parser = _build_parser()
    options = vars(parser.parse_args(arguments))
    faults = options.pop("faults")
    if None in faults:
        _say(fault_help())
        return
    try:
        context = read_certificate(options.pop("tls_cert"), options.pop("tls_key"))
    except ConfigurationError as error:
        parser.error(str(error))
    run_loop(serve, Options(**options, faults=tuple(faults), ssl_context=context), _say)


def _build_parser() -> argparse.ArgumentParser:
    default = Options()
    parser = argparse.ArgumentParser(
        prog="python -m nectar_async.sandbox",
        description="Serve a local Nectar API with an invented portfolio.",
        epilog=fault_help().replace("%", "%%"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=int, default=default.port, help="0 takes a free port")
    add("--companies", type=int, default=default.companies)
    add("--seed", type=int, default=default.seed)
    add(
        "--latency",
        type=float,
        default=default.latency,
        help="seconds until a response",
    )
    add("--api-key", default=default.api_key)
    add(
        "--clock-speed",
        type=float,
        default=default.clock_speed,
        help="seconds that pass in the sandbox for each real second",
    )
    add(
        "--file-bytes",
        type=int,
        default=default.file_bytes,
        help="size of each document's file; by default sizes vary",
    )
    add(
        "--fault",
        dest="faults",
        action="append",
        default=[],
        type=_parse_fault,
        metavar="'EFFECT KEY=VALUE ...'",
        help="a fault, such as 'answer status=429 retry-after=1 page=2 times=1'; may be"
        " repeated; 'help' lists the effects",
    )
    add(
        "--tls-cert",
        type=Path,
        metavar="FILE",
        help="certificate for 127.0.0.1 as PEM, to serve HTTPS; needs --tls-key",
    )
    add("--tls-key", type=Path, metavar="FILE", help="private key of --tls-cert as PEM")
    add("--json", dest="as_json", action="store_true", help="print the address as JSON")
    add(
        "--exit-with-parent",
        action="store_true",
        help="stop when standard input ends, as it does when the parent process dies",
    )
    return parser


def _parse_fault(text: str) -> Fault | None:
    """Parse a fault; None for `help`."""
    if text == "help":
        return None
    try:
        return read_fault(text)
    except ConfigurationError as error:
        # argparse shows the text of no other error.
        raise argparse.ArgumentTypeError(str(error)) from None


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
