"""Print the answers that schemathesis got, and fail if an operation never succeeded.

    schemathesis_report.py report.json

Each operation must have answered at least one valid request with success. Otherwise
only its refusals were checked.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from nectar_async import contract

__all__ = ["main"]


def main(path: str) -> int:
    """Print the counts; return 0 if every operation had a success."""
    report = json.loads(Path(path).read_text(encoding="utf-8"))
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for operation, mode, status, number in report["answers"]:
        answers[operation][f"{mode} {status}"] += number
    unproven = []
    for operation in sorted(contract.operations()):
        counts = answers[operation]
        row = "  ".join(f"{key}: {counts[key]}" for key in sorted(counts))
        print(f"{operation:30} {row}")
        if not any(key.startswith("positive 2") for key in counts):
            unproven.append(operation)
    for reason, number in sorted(report["excused"].items()):
        print(f"excused {number:4} times: {reason}")
    for operation in unproven:
        print(f"{operation}: no valid request succeeded")
    return 1 if unproven else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
