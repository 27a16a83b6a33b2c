"""Load YAML as plain values: text, bytes, numbers, lists and mappings.

vcrpy dumps the values of an HTTP client as they are, so its files contain Python
objects: names of headers as `multidict.istr`, addresses as `yarl.URL`, forms as
`aiohttp.FormData`. Each is read as the data it was made of. No class is imported and no
function is called, whatever a tag names.

A value that cannot be read becomes a `DamagedValue`, because it may belong to another
host. Only an error of syntax concerns the whole file.
"""

from __future__ import annotations

import base64
import binascii
import reprlib
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlunsplit

from attrs import frozen

__all__ = ["DamagedValue", "find_damage", "load_plain_yaml"]

_TAG: Final = "tag:yaml.org,2002:"
_STANDARD: Final = frozenset(
    _TAG + name
    for name in ("map", "merge", "omap", "pairs", "seq", "set", "str", "timestamp")
) | {f"{_TAG}value"}
_NUMBERS: Final = frozenset(_TAG + name for name in ("bool", "float", "int"))
_DAMAGED: Final = "damaged"
"""The tag of a node in place of one that was not composed."""
_MAX_DEPTH: Final = 100

_PARTS: Final = frozenset({"args", "kwds", "state", "listitems", "dictitems"})
_URL_CLASSES: Final = frozenset({"URL", "SplitResult"})
_BINARY_CLASSES: Final = frozenset({"bytearray", "bytes", "BytesIO"})
_CODECS: Final = frozenset({"latin-1", "latin1", "utf-8", "utf8", "ascii"})


@frozen
class DamagedValue:
    """A value that cannot be read."""

    problem: str
    """What is wrong with it, as the end of a sentence about the entry."""


class _TagHandles(dict[str, str]):
    """The prefixes of tags by handle; an unknown handle stands for itself."""

    def __contains__(self, handle: object) -> bool:
        return True

    def __missing__(self, handle: str) -> str:
        return handle


def load_plain_yaml(yaml: Any, text: str) -> Any:
    """Load a YAML text as plain values.

    Args:
        yaml: the module of PyYAML.
        text: the text.

    Raises:
        yaml.YAMLError: its syntax is not that of YAML.
    """
    text = yaml.reader.Reader.NON_PRINTABLE.sub("\ufffd", text)
    loader = _build_loader(yaml)(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _ValueBuilder(loader).build(node)
    finally:
        loader.dispose()


def find_damage(value: Any) -> str | None:
    """Find the problem of a damaged value in a plain value; None if there is none."""
    tasks, seen = [value], set[int]()
    while tasks:
        current = tasks.pop()
        if isinstance(current, DamagedValue):
            return current.problem
        if id(current) in seen or not isinstance(current, (list, dict)):
            continue
        seen.add(id(current))
        if isinstance(current, dict):
            tasks += current
            tasks += current.values()
        else:
            tasks += current
    return None


def _build_loader(yaml: Any) -> Any:
    """Build a loader that composes the nodes of a text whatever is odd in them."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        DEFAULT_TAGS = _TagHandles(yaml.SafeLoader.DEFAULT_TAGS)
        depth = 0

        def process_directives(self) -> Any:
            directives = super().process_directives()
            self.tag_handles: Any = _TagHandles(self.tag_handles)
            return directives

        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.peek_event()
            if isinstance(event, yaml.AliasEvent):
                if event.anchor not in self.anchors:
                    self.get_event()
                    return yaml.ScalarNode(_DAMAGED, f"an unknown alias {event.anchor}")
            elif self.depth == _MAX_DEPTH:
                self.skip_node()
                return yaml.ScalarNode(_DAMAGED, "a value that is nested too deeply")
            else:
                self.anchors.pop(event.anchor, None)  # a repeated name is a new anchor
            self.depth += 1
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def skip_node(self) -> None:
            depth = 0
            while True:
                event = self.get_event()
                depth += isinstance(event, yaml.CollectionStartEvent)
                depth -= isinstance(event, yaml.CollectionEndEvent)
                if depth == 0:
                    return

    return Loader


class _ValueBuilder:
    """Builds the values of nodes, each once, also where it occurs repeatedly."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._done: dict[int, Any] = {}

    def build(self, node: Any) -> Any:
        """Build the value of a node; a value inside itself becomes None."""
        if id(node) not in self._done:
            self._done[id(node)] = None
            self._done[id(node)] = self._build(node)
        return self._done[id(node)]

    def _build(self, node: Any) -> Any:
        if node.tag == _DAMAGED:
            return DamagedValue(f"it has {node.value}")
        if node.id == "mapping":
            data: Any = self._build_mapping(node.value)
        elif node.id == "sequence":
            data = [self.build(item) for item in node.value]
        else:
            data = node.value
        if node.tag in _STANDARD:
            return data
        if node.tag in _NUMBERS and node.id == "scalar":
            return self._build_number(node)
        tag = node.tag.removeprefix(_TAG).removeprefix("python/")
        return _convert_tagged(tag, data)

    def _build_mapping(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        merged: dict[Any, Any] = {}
        own: dict[Any, Any] = {}
        for key_node, value_node in pairs:
            value = self.build(value_node)
            sources = value if isinstance(value, list) else [value]
            is_merge = key_node.tag == f"{_TAG}merge"
            if is_merge and all(isinstance(source, dict) for source in sources):
                for source in reversed(sources):
                    merged |= source
            else:
                own[_to_key(self.build(key_node))] = value
        return merged | own

    def _build_number(self, node: Any) -> Any:
        """Build a number or a truth value; its text if it is neither."""
        try:
            return self._loader.yaml_constructors[node.tag](self._loader, node)
        except (ArithmeticError, LookupError, ValueError):  # `!!bool maybe`, `!!int x`
            return node.value


def _to_key(key: Any) -> Any:
    if not isinstance(key, (list, dict)):
        return key
    problem = find_damage(key)
    # A whole description of aliases of aliases would have no end.
    return reprlib.repr(key) if problem is None else DamagedValue(problem)


def _convert_tagged(tag: str, data: Any) -> Any:
    """Convert the data of a tag to the plain value that they stand for."""
    kind, _, name = tag.partition(":")
    class_name = name.rpartition(".")[2]
    if kind in {"none", "null"}:
        return None
    if kind in {"binary", "bytes"}:
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


def _decode_binary(data: Any) -> bytes | DamagedValue:
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (AttributeError, binascii.Error, ValueError):
        return DamagedValue("it has a !!binary value that is not base64")


def _to_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
