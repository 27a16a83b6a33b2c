"""Print the answers that schemathesis got, and fail if they prove nothing.

    judge_tally.py tally.json

An operation has to have answered valid requests with success, or all that was judged of
it are refusals.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from nectar_async import contract

__all__ = ["main"]


def main(path: str) -> int:
    """Print the tally; returns 0 if every operation had a success."""
    tally = json.loads(Path(path).read_text(encoding="utf-8"))
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for operation, mode, status, number in tally["answers"]:
        answers[operation][f"{mode} {status}"] += number
    barren = []
    for operation in sorted(contract.operations()):
        seen = answers[operation]
        row = "  ".join(f"{key}: {seen[key]}" for key in sorted(seen))
        print(f"{operation:30} {row}")
        if not any(key.startswith("positive 2") for key in seen):
            barren.append(operation)
    for reason, number in sorted(tally["excused"].items()):
        print(f"excused {number:4} times: {reason}")
    for operation in barren:
        print(f"{operation}: no valid request was answered with success")
    return 1 if barren else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
