"""Run all programs, one after the other, each in a process of its own.

python -m benchmarks                     all of them; writes benchmarks/RESULTS.md
python -m benchmarks makespan decoding   some of them; writes nothing
python -m benchmarks --quick             small: checks only that nothing is broken
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import field, frozen

from benchmarks.support.child import ROOT
from benchmarks.support.figures import Figure, from_json, table
from benchmarks.support.results import Section, build_results

RESULTS = Path(__file__).parent / "RESULTS.md"


@frozen
class Program:
    """A benchmark program and its options."""

    name: str
    quick: Sequence[str] = field(default=("--quick",))
    has_figures: bool = field(default=True)
    """Whether it writes figures; otherwise it prints text only."""


PROGRAMS = (
    Program("makespan"),
    Program("decoding"),
    Program("cpu"),
    Program("stalls"),
    Program("memory"),
    Program("imports"),
    Program("tables"),
    Program("demo"),
    Program("replay", ("1", "2"), has_figures=False),
    Program("pull_with_faults", ("15",), has_figures=False),
)


def run_program(program: Program, *, is_quick: bool) -> Section:
    """Run one program and show its output as it comes.

    Raises:
        SystemExit: the program failed.
    """
    command = [sys.executable, "-m", f"benchmarks.{program.name}"]
    command += program.quick if is_quick else ()
    start = time.monotonic()
    print(f"\n## {program.name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        command += ["--json", str(out)] if program.has_figures else []
        lines: list[str] = []
        with subprocess.Popen(  # noqa: S603 - our own
            command, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                lines.append(line)
        if process.returncode:
            raise SystemExit(f"{program.name} ended with {process.returncode}")
        figures: list[Figure] = []
        if program.has_figures:
            figures = from_json(json.loads(out.read_text()))
    text = table(figures) if figures else f"```text\n{''.join(lines)}```"
    return Section(program.name, text, figures, time.monotonic() - start)


def main() -> None:
    """Read the command line and run the programs."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [program.name for program in PROGRAMS]
    parser.add_argument("programs", nargs="*", metavar="program", help=", ".join(names))
    parser.add_argument(
        "--quick", action="store_true", help="small: checks only that nothing is broken"
    )
    options = parser.parse_args()
    if unknown := set(options.programs) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    chosen = [
        program for program in PROGRAMS if program.name in (options.programs or names)
    ]
    sections = [run_program(program, is_quick=options.quick) for program in chosen]
    if not options.quick and not options.programs:
        RESULTS.write_text(build_results(sections))
        print(f"\nwrote {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
