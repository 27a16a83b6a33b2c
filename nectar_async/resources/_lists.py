"""Requests for the lists of a noun, such as usage by company, by site or by meter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar
from uuid import UUID

from attrs import frozen

from nectar_async._http.request import Request
from nectar_async.models.page import Listing, Page
from nectar_async.resources._checked_fields import FieldTable

__all__ = ["OwnedLists"]

T = TypeVar("T")


@frozen(kw_only=True)
class OwnedLists(Generic[T]):
    """The lists of one noun, one for each kind of owner, with the same filters."""

    noun: str
    """The group of the client, and the start of the operation ids: `documents`."""
    path: str
    """The path in front of the owner: `/document`."""
    page: type[Page[T]]
    """The type that a page is decoded to: `Page[Document]`."""
    listing: Listing
    filters: FieldTable

    def build_request(
        self, owner: str, owner_id: str | UUID, arguments: Mapping[str, object]
    ) -> Request[Page[T]]:
        """Check the filters and build the request for the list of one owner.

        Args:
            owner: the kind of owner, as the path spells it: `company`.
            owner_id: ID of the owner.
            arguments: the filters by name; other names are ignored.

        Raises:
            InvalidArgumentError: a filter that the API would refuse.
        """
        query = self.filters.build_query(arguments)
        return self.build_checked_request(owner, owner_id, query)

    def build_checked_request(
        self, owner: str, owner_id: str | UUID, query: Mapping[str, object]
    ) -> Request[Page[T]]:
        """Build the request for the list of one owner from checked filters.

        A view across companies checks its filters once, and builds a request for each
        company.
        """
        return Request.get(
            f"{self.noun}_list_by_{owner}",
            f"{self.path}/{owner}/{{{owner}_id}}",
            self.page,
            query=query,
            listing=self.listing,
            **{f"{owner}_id": owner_id},
        )
