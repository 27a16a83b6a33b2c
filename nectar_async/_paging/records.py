"""Collected records: what `await pager` returns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Final, Generic, Self, TypeVar, overload

from attrs import evolve, field, frozen

from nectar_async._http.telemetry import log_large_collection
from nectar_async._paging.receipt import Receipt, describe_receipt
from nectar_async._paging.record_table import build_html, build_rich_table
from nectar_async.errors import InvalidArgumentError, NectarError
from nectar_async.models._base import Model
from nectar_async.tables.columns import Nested
from nectar_async.tables.dicts import Names, check_names, find_to_dict
from nectar_async.tables.frames import Decimals, import_extra, to_arrow

__all__ = ["Failure", "Records", "check_limit", "collect_pages"]

T = TypeVar("T")
P = TypeVar("P")

_LARGE: Final = 200_000
"""A larger list should rather be iterated over."""


@frozen
class Failure:
    """A company whose list was not read to its end, or has unreadable items."""

    company_id: str
    """Empty for the list of the companies itself."""
    error: NectarError
    """The reason; its `cursor`, if there is one, says where to continue."""


@frozen(repr=False, hash=False)
class Records(Generic[T]):
    """Records in memory, with the receipt of the list that they come from.

    It has a length, an index, slices and iteration. It is no `Sequence`, because
    polars would take it for a list of objects.
    """

    _items: tuple[T, ...] = ()
    receipt: Receipt = field(factory=Receipt, eq=False)
    """Whether all records of the list are here; `unfinished` after a `limit`."""
    failures: tuple[Failure, ...] = field(default=(), eq=False)
    """Companies that could not be read whole, with `on_error="collect"`."""
    model: type[Any] | None = field(default=None, eq=False, repr=False)
    """The model of the records; it decides the columns of a table of no records."""

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> T | Self:
        """Return one record, or some of them with the same receipt."""
        if isinstance(index, slice):
            return evolve(self, items=self._items[index])
        return self._items[index]

    def to_dicts(
        self, *, names: Names = "python", with_secrets: bool = False
    ) -> list[dict[str, Any]]:
        """Convert the records to dicts of plain values, as `to_dict` does.

        Args:
            names: `python` (`start_date`) or `wire` (`startDate`).
            with_secrets: whether secrets are in them, as plain values.

        Raises:
            InvalidArgumentError: `names` is another text.
        """
        check_names(names)
        return [
            find_to_dict(type(item), names, with_secrets=with_secrets)(item)
            for item in self._items
        ]

    def to_arrow(
        self, *, nested: Nested = "struct", decimals: Decimals = "decimal"
    ) -> Any:
        """Convert the records to a `pyarrow.Table`; needs the extra `frames`.

        The table has all columns of its noun (`nectar_async.tables.schema`), and no
        secrets. It is built in the calling thread, at about ten microseconds a record.

        Args:
            nested: how inner records and lists are kept: as `struct` and list columns;
                as `json` texts; or `flat`, where the fields of an inner record are
                columns such as `document_id`, and lists are JSON.
            decimals: `decimal` is decimal128(28, 10). A number that does not fit is
                null there and kept as text in `extra` under its path; a warning is
                logged, and `table.schema.metadata[b"misfits"]` counts them. `string`
                keeps every digit; `float` does not.

        Raises:
            InvalidArgumentError: an argument is another text, the records are of
                several kinds, or there are none and their kind is not known.
            ConfigurationError: the extra `frames` is not installed.
        """
        return to_arrow(
            self._items, self._find_model(), nested=nested, decimals=decimals
        )

    def to_polars(
        self, *, nested: Nested = "struct", decimals: Decimals = "decimal"
    ) -> Any:
        """Convert the records to a `polars.DataFrame`; see `to_arrow`."""
        polars = import_extra("polars")
        return polars.from_arrow(self.to_arrow(nested=nested, decimals=decimals))

    def to_pandas(
        self, *, nested: Nested = "struct", decimals: Decimals = "decimal"
    ) -> Any:
        """Convert the records to a `pandas.DataFrame`; see `to_arrow`.

        Its columns keep the types of Arrow (`pandas.ArrowDtype`), so that decimals stay
        exact, and columns of numbers and flags may have missing values.
        """
        pandas = import_extra("pandas")
        table = self.to_arrow(nested=nested, decimals=decimals)
        return table.to_pandas(types_mapper=pandas.ArrowDtype)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the table of `to_arrow`: duckdb, polars and others read it."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def _find_model(self) -> type[Any]:
        models: set[type[Any]] = {type(item) for item in self._items}
        if not models and self.model is not None:
            models = {self.model}
        (model,) = models if len(models) == 1 else (object,)
        if not issubclass(model, Model):
            raise InvalidArgumentError(
                "a table needs records of one kind, such as UsageData; these are"
                f" {self!r}"
            )
        return model

    def _repr_html_(self) -> str:
        """Show the first ten records in a notebook, and the receipt below them."""
        return build_html(self._items, self._summarize())

    def __rich__(self) -> Any:
        """Show the first ten records on a terminal: `rich.print(records)`."""
        return build_rich_table(self._items, self._summarize())

    def _summarize(self) -> str:
        failed = f"; failures: {len(self.failures):,}" if self.failures else ""
        return f"receipt: {describe_receipt(self.receipt)}{failed}"

    def __repr__(self) -> str:
        kinds = sorted({type(item).__name__ for item in self._items})
        kind = f" of {', '.join(kinds)}" if kinds else ""
        count = f"{len(self):,} record{'s' * (len(self) != 1)}"
        failed = f", failures: {len(self.failures):,}" if self.failures else ""
        return f"<{count}{kind}: {self.receipt.verdict.value}{failed}>"


def check_limit(limit: int | None) -> None:
    """Check the number of records to collect.

    Raises:
        InvalidArgumentError: it is no whole number, or below 1.
    """
    is_whole = isinstance(limit, int) and not isinstance(limit, bool)
    if limit is not None and (not is_whole or limit < 1):
        raise InvalidArgumentError(f"limit must be at least 1, not {limit!r}")


async def collect_pages(
    pages: AsyncIterator[P],
    get_items: Callable[[P], Sequence[T]],
    read_total: Callable[[], int],
    limit: int | None,
) -> tuple[T, ...]:
    """Collect the records of pages, at most `limit`.

    A large list is logged with the memory that it takes, as soon as its total is known.

    Args:
        pages: the pages.
        get_items: returns the records of a page.
        read_total: returns the total of the list as far as it is known.
        limit: stops the collection; None for all records.
    """
    items: list[T] = []
    is_unwarned = limit is None or limit > _LARGE
    async for page in pages:
        items += get_items(page)
        if is_unwarned and (total := max(read_total(), len(items))) > _LARGE:
            log_large_collection(total)
            is_unwarned = False
        if limit is not None and len(items) >= limit:
            break
    return tuple(items[:limit])
