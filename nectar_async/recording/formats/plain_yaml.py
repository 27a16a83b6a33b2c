"""Load YAML as plain values: text, bytes, numbers, lists and mappings.

vcrpy dumps the values of an HTTP client as they are, so its files contain Python
objects: names of headers as `multidict.istr`, addresses as `yarl.URL`, forms as
`aiohttp.FormData`. Each is read as the data it was made of. No class is imported and no
function is called, whatever a tag names.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlunsplit

__all__ = ["load_plain_yaml"]

_TAG: Final = "tag:yaml.org,2002:"
_PARTS: Final = frozenset({"args", "kwds", "state", "listitems", "dictitems"})
_URL_CLASSES: Final = frozenset({"URL", "SplitResult"})
_BINARY_CLASSES: Final = frozenset({"bytearray", "bytes", "BytesIO"})
_CODECS: Final = frozenset({"latin-1", "latin1", "utf-8", "utf8", "ascii"})


class _TaggedValue:
    """A value with a tag that YAML does not define, before its conversion.

    Its data are set after its creation, because a value may contain itself.
    """

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.data: Any = None


def load_plain_yaml(yaml: Any, text: str) -> Any:
    """Load a YAML text as plain values.

    Args:
        yaml: the module of PyYAML.
        text: the text.

    Raises:
        yaml.YAMLError: it is not YAML.
        RecursionError: it is nested too deeply.
    """
    return _Simplifier().simplify(yaml.load(text, Loader=_build_loader(yaml)))


def _build_loader(yaml: Any) -> Any:
    """Build a loader that creates plain and tagged values only."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    def construct_tagged(loader: Any, tag: str, node: Any) -> Iterator[_TaggedValue]:
        value = _TaggedValue(tag.removeprefix(_TAG).removeprefix("python/"))
        yield value
        if isinstance(node, yaml.ScalarNode):
            value.data = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value.data = loader.construct_sequence(node, deep=True)
        else:
            value.data = loader.construct_mapping(node, deep=True)

    def construct_binary(loader: Any, node: Any) -> Any:
        return _decode_binary(loader.construct_scalar(node))

    def construct_text(loader: Any, node: Any) -> Any:
        return loader.construct_scalar(node)

    def construct_scalar(loader: Any, node: Any) -> Any:
        try:
            return yaml.SafeLoader.yaml_constructors[node.tag](loader, node)
        except (KeyError, ValueError):  # `!!bool maybe`, `!!int x`
            return node.value

    Loader.add_multi_constructor(None, construct_tagged)
    for name in ("bool", "float", "int"):
        Loader.add_constructor(_TAG + name, construct_scalar)
    Loader.add_constructor(f"{_TAG}binary", construct_binary)
    Loader.add_constructor(f"{_TAG}timestamp", construct_text)
    return Loader


class _Simplifier:
    """Converts values to plain ones, each once, also where it occurs repeatedly."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}

    def simplify(self, value: Any) -> Any:
        """Convert a value; a value inside itself becomes None."""
        if not isinstance(value, (_TaggedValue, list, dict)):
            return value
        if id(value) not in self._done:
            self._done[id(value)] = None
            self._done[id(value)] = self._convert(value)
        return self._done[id(value)]

    def _convert(self, value: _TaggedValue | list[Any] | dict[Any, Any]) -> Any:
        if isinstance(value, _TaggedValue):
            return _convert_tagged(value.tag, self.simplify(value.data))
        if isinstance(value, list):
            return [self.simplify(item) for item in value]
        return {
            _to_key(self.simplify(key)): self.simplify(item)
            for key, item in value.items()
        }


def _to_key(key: Any) -> Any:
    return str(key) if isinstance(key, (list, dict)) else key


def _convert_tagged(tag: str, data: Any) -> Any:
    """Convert the data of a tag to the plain value that they stand for."""
    kind, _, name = tag.partition(":")
    class_name = name.rpartition(".")[2]
    if kind == "none":
        return None
    if kind == "bytes" and isinstance(data, str):
        return _decode_binary(data)
    if kind in {"object/new", "object/apply"}:
        return _unpack_arguments(class_name, data)
    if isinstance(data, Mapping) and class_name in _URL_CLASSES and "_val" in data:
        return _unpack_arguments(class_name, data["_val"])
    return data


def _unpack_arguments(class_name: str, data: Any) -> Any:
    """Find the value among the arguments and the state of an object."""
    if isinstance(data, Mapping) and _PARTS.issuperset(data):
        items = data.get("dictitems") or data.get("listitems")
        if items:
            return items
        state = data.get("state")
        # The state of a subclass of str is its attributes; that of a file its content.
        data = data.get("args") or (state if isinstance(state, list) else [state])[:1]
    if class_name in _URL_CLASSES:
        return _build_url(data)
    return _build_value(class_name, data) if isinstance(data, list) else data


def _build_value(class_name: str, arguments: list[Any]) -> Any:
    """Build the plain value of an object from its positional arguments."""
    match arguments:
        case []:
            return b"" if class_name in _BINARY_CLASSES else ""
        case [list(pairs)] if class_name == "OrderedDict":
            return {_to_key(pair[0]): pair[-1] for pair in pairs if _is_filled(pair)}
        case [value]:
            return value
        case [str(text), str(codec)] if codec.lower() in _CODECS:
            return text.encode(codec, "replace")
        case _:
            return arguments


def _build_url(data: Any) -> Any:
    """Build a URL from a list of its five parts, or from a list with only that list."""
    match data:
        case [value]:
            return _build_url(value)
        case [_, _, _, _, _]:
            return urlunsplit([_to_text(part) for part in data])
        case _:
            return data


def _is_filled(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _decode_binary(text: str) -> bytes | str:
    """Decode base64; a text that is not base64 is returned unchanged."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return text


def _to_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
