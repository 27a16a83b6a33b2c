"""Validators: headers that tell one version of a file from another (RFC 9110, 8.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from attrs import frozen

__all__ = ["Validators"]


@frozen(kw_only=True)
class Validators:
    """Size, ETag and date of the file at a URL, as far as they are known."""

    size: int | None = None
    """Bytes of the whole file."""
    etag: str | None = None
    """`ETag` as received. A weak one, `W/"..."`, may stay when bytes change."""
    modified: str | None = None
    """`Last-Modified` as received; it has no fractions of seconds."""

    @classmethod
    def from_headers(cls, headers: Mapping[str, str], size: int | None) -> Self:
        """Read the headers of a response; their names must be in lower case."""
        return cls(
            size=size,
            etag=headers.get("etag", "").strip() or None,
            modified=headers.get("last-modified", "").strip() or None,
        )

    @property
    def is_strong(self) -> bool:
        """Whether an equal ETag means equal bytes."""
        return self.etag is not None and self.etag.startswith('"')

    @property
    def is_known(self) -> bool:
        """Whether there is an ETag or a date to compare."""
        return self.etag is not None or self.modified is not None

    @property
    def condition(self) -> str | None:
        """The value for `If-Range`: a host then sends a changed file as a whole."""
        return self.etag if self.is_strong else self.modified

    def differs_from(self, other: Validators) -> bool:
        """Whether a value differs that both validators know."""
        return not all(self._compare(other))

    def is_inconsistent_with(self, other: Validators) -> bool:
        """Whether the sizes are equal, but only one of the ETag and the date is.

        Some hosts have several machines, and each counts ETags or dates by itself.
        """
        is_same_size = self.size is not None and self.size == other.size
        return is_same_size and sorted(self._compare(other)) == [False, True, True]

    def merge(self, other: Validators) -> Validators:
        """Copy these validators; missing values are taken from `other`."""
        return Validators(
            size=other.size if self.size is None else self.size,
            etag=self.etag or other.etag,
            modified=self.modified or other.modified,
        )

    def _compare(self, other: Validators) -> list[bool]:
        """Compare each value that both validators know: True for equal ones."""
        pairs = (
            (self.size, other.size),
            (_strip_weakness(self.etag), _strip_weakness(other.etag)),
            (self.modified, other.modified),
        )
        return [mine == theirs for mine, theirs in pairs if None not in {mine, theirs}]


def _strip_weakness(etag: str | None) -> str | None:
    """Remove the prefix `W/` of a weak ETag; some hosts set it only now and then."""
    return None if etag is None else etag.removeprefix("W/")
