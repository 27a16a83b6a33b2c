"""The slow path of decoding: read field by field, and name the path of every misfit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import attrs

from nectar_async._json.fields import FieldSpec, describe_model, remove_secrets
from nectar_async._json.scalars import MisfitError
from nectar_async._text import make_one_line
from nectar_async._types import OpenEnum
from nectar_async.models._extra import NO_EXTRA, Extra

__all__ = ["FieldByFieldReader"]

_log = logging.getLogger("nectar_async")

# A misfit is logged once per field. The set is bounded: its content comes from servers.
_MAX_LOGGED_FIELDS = 1_000
_logged_fields: set[tuple[str, str]] = set()

# A list with more odd items than this is refused as a whole, because a page of millions
# of `{}` would take minutes.
_MAX_ODD_ITEMS = 1_000


class FieldByFieldReader:
    """Reads one parsed JSON value into a model, and collects the problems.

    If `is_strict`, every odd value is a problem. Otherwise an odd value, or an odd item
    of a list, is kept in the `extra` of its model, and the only problem is a required
    field that is missing or does not fit.
    """

    def __init__(
        self,
        find_hook: Callable[[Any], Any],
        is_own: Callable[[type], bool],
        *,
        is_strict: bool,
    ) -> None:
        self._find_hook = find_hook
        self._is_own = is_own
        self._is_strict = is_strict
        self.problems: list[str] = []
        """One line each, as `expected a decimal, got text @ $.usage`."""

    def read_model(self, model: type, value: Any, path: str) -> Any:
        """Read an object into an instance of `model`.

        Raises:
            MisfitError: the object does not fit; the reasons are in `problems`.
        """
        if value.__class__ is not dict:
            raise self._add_problem(MisfitError.of("an object", value), path)
        spec = describe_model(model)
        arguments: dict[str, Any] = {}
        extra = {key: value[key] for key in value if key not in spec.wires}
        for key in extra if self._is_strict else ():
            self._add_problem(MisfitError("unknown key"), f"{path}.{key}")
        last_misfit: MisfitError | None = None
        for field in spec.fields:
            try:
                self._read_field(
                    field, value, path, arguments=arguments, extra=extra, model=model
                )
            except MisfitError as misfit:
                last_misfit = misfit
        if last_misfit is not None:
            raise last_misfit
        return model(**arguments, extra=Extra(extra) if extra else NO_EXTRA)

    def _read_field(
        self,
        field: FieldSpec,
        value: dict[str, Any],
        path: str,
        *,
        arguments: dict[str, Any],
        extra: dict[str, Any],
        model: type,
    ) -> None:
        """Add the value of a field to `arguments`, and what does not fit to `extra`."""
        field_path = f"{path}.{field.wire}"
        if field.wire not in value:
            if field.is_required:
                raise self._add_problem(MisfitError("missing"), field_path)
            return
        problem_count = len(self.problems)
        odd: Any = value[field.wire]
        try:
            arguments[field.name], odd = self._read_field_value(field, odd, field_path)
        except MisfitError:
            if field.is_required:
                raise
        if self._is_strict or len(self.problems) == problem_count:
            return
        self._log_misfit(model, field, self.problems[problem_count:])
        del self.problems[problem_count:]
        if not field.is_secret:  # a dict would print the secret
            extra[field.wire] = remove_secrets(field.kind, odd)

    def _read_field_value(
        self, field: FieldSpec, value: Any, path: str
    ) -> tuple[Any, list[Any]]:
        """Read the value of a field.

        Items of a list that do not fit are left out of it, and returned separately.
        """
        if value is None and field.is_optional:
            return None, []
        if not field.is_sequence:
            return self.read_value(field.kind, value, path), []
        if value is None:
            return (), []
        if value.__class__ is not list:
            raise self._add_problem(MisfitError.of("a list", value), path)
        items: list[Any] = []
        odd_items: list[Any] = []
        for index, item in enumerate(value):
            try:
                items.append(self.read_value(field.kind, item, f"{path}[{index}]"))
            except MisfitError:
                odd_items.append(item)
                if len(odd_items) > _MAX_ODD_ITEMS:
                    raise
        return tuple(items), odd_items

    def read_value(self, kind: Any, value: Any, path: str) -> Any:
        """Read one value of any kind: a model, or the result of a hook."""
        if attrs.has(kind) and self._is_own(kind):
            return self.read_model(kind, value, path)
        try:
            result = self._find_hook(kind)(value, kind)
        except MisfitError as misfit:
            raise self._add_problem(misfit, path) from None
        except Exception as error:
            hook_misfit = MisfitError(f"a hook raised {type(error).__name__}")
            raise self._add_problem(hook_misfit, path) from error
        if self._is_strict and isinstance(result, OpenEnum) and not result.is_known:
            self._add_problem(MisfitError(f"unknown {kind.__name__}"), path)
        return result

    def _add_problem(self, misfit: MisfitError, path: str) -> MisfitError:
        if len(self.problems) <= _MAX_ODD_ITEMS:
            self.problems.append(f"{misfit} @ {path}")
        return misfit

    @staticmethod
    def _log_misfit(model: type, field: FieldSpec, problems: list[str]) -> None:
        key = (model.__name__, field.wire)
        if key in _logged_fields or len(_logged_fields) >= _MAX_LOGGED_FIELDS:
            return
        _logged_fields.add(key)
        _log.warning(
            "%s.%s does not fit and is %s: %s (logged once)",
            model.__name__,
            field.name,
            "left out" if field.is_secret else "kept in .extra",
            make_one_line("; ".join(problems[:3])),
        )
