"""`nectar sandbox`: serve the API locally with invented data."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from nectar_async.cli import options
from nectar_async.cli.client import run_async
from nectar_async.cli.output import ExitCode, count_noun, run_guarded
from nectar_async.cli.terminal import echo

__all__ = ["sandbox"]

Port = Annotated[
    int,
    typer.Option(
        "--port", metavar="N", min=0, max=65535, help="Port; 0 takes a free one."
    ),
]
ClockSpeed = Annotated[
    float,
    typer.Option(
        "--clock-speed",
        metavar="TIMES",
        min=0,
        help="Speed of the sandbox's clock, which jobs and links depend on; 1 is real"
        " time.",
    ),
]
Faults = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="FAULT",
        help="Inject a fault, such as 'answer status=429 times=1'. Repeatable; 'help'"
        " lists all faults.",
    ),
]
TlsCert = Annotated[
    Path | None,
    typer.Option(
        "--tls-cert",
        metavar="FILE",
        help="PEM file with a certificate for 127.0.0.1, to serve HTTPS. Needs"
        " --tls-key.",
        show_default=False,
    ),
]
TlsKey = Annotated[
    Path | None,
    typer.Option(
        "--tls-key",
        metavar="FILE",
        help="PEM file with the private key of the certificate.",
        show_default=False,
    ),
]


def sandbox(
    *,
    port: Port = 8080,
    companies: options.CompanyCount = 20,
    seed: options.Seed = 7,
    latency: options.Latency = 0.05,
    clock_speed: ClockSpeed = 1.0,
    fault: Faults = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
) -> int:
    """Serve the Nectar API locally with invented data, until Ctrl-C.

    Prints the environment variables that point clients to it.

    Example: nectar sandbox --port 8080 --companies 200
    """
    # The sandbox imports its server, which would slow down `nectar --help`.
    from nectar_async.sandbox import (  # noqa: PLC0415
        Options,
        fault_help,
        read_certificate,
        read_fault,
        serve,
    )

    def print_announcement(announcement: str) -> None:
        server = json.loads(announcement)
        echo(f"export NECTAR_BASE_URL={server['url']}")
        echo(f"export NECTAR_API_KEY={server['api_key']}")
        count = count_noun(companies, "company", "companies")
        echo(f"serving {count}; Ctrl-C ends it", err=True)
        sys.stdout.flush()

    def work() -> int:
        if fault and "help" in fault:
            echo(fault_help())
            return ExitCode.OK
        server_options = Options(
            port=port,
            companies=companies,
            seed=seed,
            latency=latency,
            clock_speed=clock_speed,
            faults=tuple(map(read_fault, fault or ())),
            ssl_context=read_certificate(tls_cert, tls_key),
            as_json=True,
        )
        run_async(serve, server_options, print_announcement)
        return ExitCode.OK

    return run_guarded(work)
