"""Which file it is: what a host says of the bytes that it gives (RFC 9110, 8.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from attrs import frozen

__all__ = ["Validators"]


@frozen(kw_only=True)
class Validators:
    """What tells one file from another under the same address."""

    size: int | None = None
    """Bytes of the whole file."""
    etag: str | None = None
    """As it came. A weak one, `W/"..."`, may stay when bytes change."""
    modified: str | None = None
    """`Last-Modified` as it came; it knows no fractions of seconds."""

    @classmethod
    def of(cls, headers: Mapping[str, str], size: int | None) -> Self:
        """What an answer says; the names of its headers are in lower case."""
        return cls(
            size=size,
            etag=headers.get("etag", "").strip() or None,
            modified=headers.get("last-modified", "").strip() or None,
        )

    @property
    def is_strong(self) -> bool:
        """Whether the same again means the same bytes."""
        return self.etag is not None and self.etag.startswith('"')

    @property
    def is_known(self) -> bool:
        """Whether there is more to compare than a size."""
        return self.etag is not None or self.modified is not None

    @property
    def condition(self) -> str | None:
        """What `If-Range` takes: a changed file then comes as a whole."""
        return self.etag if self.is_strong else self.modified

    def differs(self, other: Validators) -> bool:
        """Whether anything that both have is not the same."""
        return not all(self._alike(other))

    def is_divided(self, other: Validators) -> bool:
        """Whether the size is the same, and one of ETag and date, but the other is not.

        So it is with hosts whose machines count ETags or dates each for itself.
        """
        is_same_size = self.size is not None and self.size == other.size
        return is_same_size and sorted(self._alike(other)) == [False, True, True]

    def merged(self, other: Validators) -> Validators:
        """These, and what they lack of the other ones."""
        return Validators(
            size=other.size if self.size is None else self.size,
            etag=self.etag or other.etag,
            modified=self.modified or other.modified,
        )

    def _alike(self, other: Validators) -> list[bool]:
        """Of each thing that both have, whether it is the same."""
        pairs = (
            (self.size, other.size),
            (_opaque(self.etag), _opaque(other.etag)),
            (self.modified, other.modified),
        )
        return [mine == theirs for mine, theirs in pairs if None not in {mine, theirs}]


def _opaque(etag: str | None) -> str | None:
    """An ETag without the word that it is weak: one host says it now and then."""
    return None if etag is None else etag.removeprefix("W/")
