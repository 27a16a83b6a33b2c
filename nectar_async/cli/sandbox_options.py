"""The options of a sandbox, and what they accept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "ClockSpeed",
    "CompanyCount",
    "Faults",
    "Latency",
    "Port",
    "Seed",
    "TlsCert",
    "TlsKey",
]

CompanyCount = Annotated[
    int, typer.Option("--companies", metavar="N", min=1, help="Invented companies.")
]
Seed = Annotated[
    int, typer.Option("--seed", metavar="N", help="The same seed, the same data.")
]
Latency = Annotated[
    float,
    typer.Option("--latency", metavar="SECONDS", min=0, help="What each answer takes."),
]
ClockSpeed = Annotated[
    float,
    typer.Option(
        "--clock-speed",
        metavar="TIMES",
        min=0,
        help="Seconds that pass in it for each real one.",
    ),
]
Faults = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="FAULT",
        help="Trouble, as 'answer status=429 times=1'; repeatable, 'help' lists all.",
    ),
]
Port = Annotated[
    int, typer.Option("--port", metavar="N", min=0, max=65535, help="0: a free one.")
]
TlsCert = Annotated[
    Path | None,
    typer.Option(
        "--tls-cert",
        metavar="FILE",
        help="A certificate for 127.0.0.1, PEM: serves HTTPS; needs --tls-key.",
        show_default=False,
    ),
]
TlsKey = Annotated[
    Path | None,
    typer.Option(
        "--tls-key", metavar="FILE", help="Its private key, PEM.", show_default=False
    ),
]
