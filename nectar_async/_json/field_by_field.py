"""The careful path: field by field, with the path of everything that does not fit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import attrs

from nectar_async._json.fields import FieldSpec, describe_model, remove_secrets
from nectar_async._json.scalars import MisfitError
from nectar_async._types import OpenEnum
from nectar_async.models._extra import NO_EXTRA, Extra

__all__ = ["FieldByFieldReader"]

_log = logging.getLogger("nectar_async")

# Drift is logged once per field; what fills this comes from a server, so it is bounded.
_MOST_NOTED = 1_000

# A list of which more is odd is odd as a whole: a page of millions of `{}` is looked
# at for a moment, not for minutes.
_MOST_ODD = 1_000
_noted: set[tuple[str, str]] = set()


class FieldByFieldReader:
    """Structures one object and collects what is wrong with it.

    When `is_strict`, everything odd is a problem. Otherwise an odd value is kept in the
    `extra` of its object, as is an odd item of a list without the others, and only a
    missing or misfitting id is a problem.
    """

    def __init__(
        self,
        hook_of: Callable[[Any], Any],
        is_own: Callable[[type], bool],
        *,
        is_strict: bool,
    ) -> None:
        self._hook_of = hook_of
        self._is_own = is_own
        self._is_strict = is_strict
        self.problems: list[str] = []
        """One line each, as `expected a decimal, got text @ $.usage`."""

    def structure(self, model: type, value: Any, path: str) -> Any:
        """An instance of `model`.

        Raises:
            MisfitError: it cannot be made; the reasons are among `problems`.
        """
        if value.__class__ is not dict:
            raise self._problem(MisfitError.of("an object", value), path)
        plan = describe_model(model)
        given: dict[str, Any] = {}
        extra = {key: value[key] for key in value if key not in plan.wires}
        for key in extra if self._is_strict else ():
            self._problem(MisfitError("unknown key"), f"{path}.{key}")
        lost: MisfitError | None = None
        for field in plan.fields:
            try:
                self._take(field, value, path, into=given, spare=extra, model=model)
            except MisfitError as misfit:
                lost = misfit
        if lost is not None:
            raise lost
        return model(**given, extra=Extra(extra) if extra else NO_EXTRA)

    def _take(
        self,
        field: FieldSpec,
        value: dict[str, Any],
        path: str,
        *,
        into: dict[str, Any],
        spare: dict[str, Any],
        model: type,
    ) -> None:
        """One field: its value `into`, or what does not fit into `spare`."""
        where = f"{path}.{field.wire}"
        if field.wire not in value:
            if field.is_required:
                raise self._problem(MisfitError("missing"), where)
            return
        mark = len(self.problems)
        odd: Any = value[field.wire]
        try:
            into[field.name], odd = self._field(field, odd, where)
        except MisfitError:
            if field.is_required:
                raise
        if self._is_strict or len(self.problems) == mark:
            return
        self._note(model, field, self.problems[mark:])
        del self.problems[mark:]
        if not field.is_secret:  # a dict shows its values to who prints it
            spare[field.wire] = remove_secrets(field.kind, odd)

    def _field(self, field: FieldSpec, value: Any, path: str) -> tuple[Any, list[Any]]:
        """What the field is, and which items of a list did not fit."""
        if value is None and field.is_optional:
            return None, []
        if not field.is_sequence:
            return self.one(field.kind, value, path), []
        if value is None:
            return (), []
        if value.__class__ is not list:
            raise self._problem(MisfitError.of("a list", value), path)
        made: list[Any] = []
        odd: list[Any] = []
        for number, item in enumerate(value):
            try:
                made.append(self.one(field.kind, item, f"{path}[{number}]"))
            except MisfitError:
                odd.append(item)
                if len(odd) > _MOST_ODD:
                    raise
        return tuple(made), odd

    def one(self, kind: Any, value: Any, path: str) -> Any:
        """One value of any kind: a model, or what a hook makes."""
        if attrs.has(kind) and self._is_own(kind):
            return self.structure(kind, value, path)
        try:
            made = self._hook_of(kind)(value, kind)
        except MisfitError as misfit:
            raise self._problem(misfit, path) from None
        except Exception as error:
            name = type(error).__name__
            raise self._problem(MisfitError(f"a hook raised {name}"), path) from error
        if self._is_strict and isinstance(made, OpenEnum) and not made.is_known:
            self._problem(MisfitError(f"unknown {kind.__name__}"), path)
        return made

    def _problem(self, misfit: MisfitError, path: str) -> MisfitError:
        if len(self.problems) <= _MOST_ODD:
            self.problems.append(f"{misfit} @ {path}")
        return misfit

    @staticmethod
    def _note(model: type, field: FieldSpec, problems: list[str]) -> None:
        key = (model.__name__, field.wire)
        if key in _noted or len(_noted) >= _MOST_NOTED:
            return
        _noted.add(key)
        _log.warning(
            "%s.%s does not fit and is %s: %s (noted once)",
            model.__name__,
            field.name,
            "left out" if field.is_secret else "kept in .extra",
            "; ".join(problems[:3]),
        )
