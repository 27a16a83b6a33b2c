"""The words of the command line: numbers of things, and the library's words as ours."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["counted", "in_shell"]

# What stands first in a message about an argument, and what a user of the shell typed.
_OPTIONS: Final = {
    "clock_speed": "--clock-speed",
    "companies": "--company",
    "company_id": "COMPANY_ID",
    "connection_owner_email": "--owner",
    "datasource_type": "--datasource-type",
    "date_type": "--date-type",
    "document_id": "DOCUMENT_ID",
    "end_date": "--end",
    "file": "FILE",
    "identifier": "--identifier",
    "job_id": "JOB_ID",
    "latency": "--latency",
    "max_concurrency": "--concurrency",
    "site_id": "--site",
    "sites": "--site",
    "start_date": "--start",
    "status": "--status",
    "target": "PATH",
    "timeout": "--timeout",
}
_NAMED: Final = re.compile(rf"^({'|'.join(_OPTIONS)})(\[\d+\])?(?= )")

# Advice that only a program can follow.
_FOR_PROGRAMS: Final = re.compile(r" \(file_name= .*\)$")


def counted(number: int, word: str, several: str = "") -> str:
    """A number of things: `1 company`, `1,000 records`."""
    return f"{number:,} {word if number == 1 else several or f'{word}s'}"


def in_shell(message: str) -> str:
    """What the library says of an argument, as it is called on the command line."""
    named = _NAMED.sub(lambda found: _OPTIONS[found[1]], message)
    return _FOR_PROGRAMS.sub("", named)
