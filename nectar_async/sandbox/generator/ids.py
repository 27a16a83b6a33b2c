"""Ids: ordinary UUIDs from which the index of the company can be read.

So the company of a site, meter or bill is found in O(1), without a table, even in a
portfolio of 10,000 companies.
"""

from __future__ import annotations

import re
from hashlib import blake2b

__all__ = ["MAX_COMPANIES", "Ids"]

_INDEX_DIGITS = 6
_INDEX_MASK = (1 << 4 * _INDEX_DIGITS) - 1
MAX_COMPANIES = _INDEX_MASK + 1

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Ids:
    """Makes and reads the ids of one seed."""

    def __init__(self, seed: int) -> None:
        self._key = blake2b(str(seed).encode(), digest_size=16).digest()
        self._secret = int.from_bytes(self._key[:3])

    def make(self, kind: str, company: int, path: str = "") -> str:
        """Make the id of an entity, always the same for a seed, kind and path.

        Args:
            kind: The kind of entity, such as `meter`.
            company: The index of its company.
            path: A text that is unique among the company's entities of that kind.
        """
        text = f"{kind}/{company}/{path}".encode()
        digits = blake2b(text, digest_size=12, key=self._key).hexdigest()
        masked = company ^ self._mask(digits)
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}"
            f"-{digits[18:24]}{masked:06x}"
        )

    def find_company_index(self, text: str) -> int | None:
        """Read the company's index from an id; None if the text is not a UUID.

        Any UUID gives some index, so the caller still has to look for the id there.
        """
        if _UUID.fullmatch(text) is None:
            return None
        digits = text.replace("-", "").lower()
        masked = int(digits[-_INDEX_DIGITS:], 16)
        return masked ^ self._mask(digits)

    def _mask(self, digits: str) -> int:
        return (int(digits[:_INDEX_DIGITS], 16) ^ self._secret) & _INDEX_MASK
