"""What is laid over a replay, where, and what it may use.

An effect is a frozen value with one method, `apply`, which may wait, answer by itself,
fail, or change the recorded answer; a new kind of trouble is one more class. There are
effects

    in `overlay_answers`   that answer something else
    in `overlay_delivery`  on the way of an answer to the client
    in `overlay_lists`     on lists, which move and miscount

Those that are no answer of the API leave the recorded one for the next request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeGuard

from attrs import Attribute, evolve, field, frozen
from attrs.validators import optional

from nectar_async._http.clock import Clock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async.errors import ConfigurationError
from nectar_async.recording.effect_text import check_operation
from nectar_async.recording.exchange import Question, RecordedAnswer
from nectar_async.recording.fields import whole

__all__ = ["Effect", "Overlay", "Play", "Scene", "is_effect"]

Play = Callable[[], Awaitable[Response]]


@frozen
class Scene:
    """What an effect may use."""

    request: Request[Any]
    question: Question
    play: Callable[[Question], RecordedAnswer]
    """The recorded answer to a question, which counts as given."""
    peek: Callable[[Question], RecordedAnswer | None]
    """The last recorded answer to a question; it does not count as given."""
    clock: Clock
    given: Callable[[int], int] = field(default=lambda _: 0)
    """How often a page of the same list was given before this request came."""

    @property
    def page(self) -> int | None:
        """The page that is asked for; None for what is no list."""
        if self.request.listing is None:
            return self.question.page
        return self.request.page

    @property
    def whole(self) -> Question:
        """The same question about no page: the list that it belongs to."""
        key = self.request.page_key
        rest = tuple(pair for pair in self.question.query if pair[0] != key)
        return evolve(self.question, query=rest)

    def peek_page(self, number: int) -> Response | None:
        """Another page of the same list, as it is recorded."""
        whole = self.whole
        named = (self.request.page_key, str(number))
        found = self.peek(evolve(whole, query=tuple(sorted((*whole.query, named)))))
        if found is None and number == 1:
            found = self.peek(whole)
        return None if found is None else found.response()

    async def look(self, proceed: Play) -> Response:
        """The answer, which is not used up where it is recorded."""
        found = self.peek(self.question)
        return await proceed() if found is None else found.response()


class Effect(Protocol):
    """What an overlay does to a request that it matches."""

    async def apply(self, scene: Scene, proceed: Play, /) -> Response:
        """The answer; `proceed` gives the one that there would be without it."""
        ...


def is_effect(value: object) -> TypeGuard[Effect]:
    """Whether a value can be applied to a request; a class of effects cannot."""
    return callable(getattr(value, "apply", None)) and not isinstance(value, type)


@frozen
class Overlay:
    """An effect, and which requests meet it: those for which every condition holds.

    ```python
    Overlay(Answer(429, retry_after=1), page=2, times=1)
    ```

    Raises:
        ConfigurationError: there is no such operation, or a value makes no sense.
    """

    effect: Effect = field()
    operation: str | None = field(default=None, kw_only=True)
    """The contract's operation id, or `documents_download` for files."""
    page: int | None = field(default=None, kw_only=True, validator=optional(whole(1)))
    """The page of a list that is asked for."""
    skip: int = field(default=0, kw_only=True, validator=whole(0))
    """How many matching requests pass unharmed first."""
    times: int | None = field(default=None, kw_only=True, validator=optional(whole(1)))
    """How many matching requests are hit after that; None for all."""

    @effect.validator
    def _check_effect(self, _: Attribute[Any], value: object) -> None:
        if not is_effect(value):
            raise ConfigurationError(
                f"an overlay has an effect, as Overlay(Html(status=502)), not {value!r}"
            )

    @operation.validator
    def _check_operation(self, _: Attribute[Any], value: str | None) -> None:
        if value is not None:
            check_operation(value)

    def matches(self, scene: Scene) -> bool:
        """Whether the request is of the kind that this overlay is for."""
        return (
            self.operation is None or scene.question.operation == self.operation
        ) and (self.page is None or scene.page == self.page)
