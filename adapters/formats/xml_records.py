"""Handlers for XML that streams by: one finds the element that repeats, the other gathers records from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.formats.base import RowFault
from adapters.formats.flatten import join
from adapters.formats.records import Record
from adapters.formats.refusal import unreadable
from standards.errors import BadConfiguration
from standards.xml import local

#: Different element names or paths, beyond which a document is not a list of records.
_NAMES = 10_000
_PLACE = 400
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


def too_many_names() -> Exception:
    """The error for a document whose elements all have different names."""
    return unreadable(
        f"XML 中不同的元素名过多（超过 {_NAMES} 个）",
        f"too many different element names in the XML (more than {_NAMES})",
        "请检查是否把编号之类的值写成了元素名",
        "check whether values such as numbers are used as element names",
    )


@dataclass(slots=True)
class Node:
    """All elements with one path."""

    name: str
    parent: Node | None
    depth: int
    children: dict[str, Node] = field(default_factory=dict)
    #: Most elements of this path under one parent.
    most: int = 0
    attributes: bool = False

    @property
    def is_complex(self) -> bool:
        """True when it is more than a text."""
        return bool(self.children) or self.attributes

    @property
    def leaves(self) -> int:
        """How many of its children are plain texts."""
        return sum(1 for child in self.children.values() if not child.children)

    def path(self) -> tuple[str, ...]:
        """The names from the root on."""
        above = self.parent.path() if self.parent is not None and self.parent.parent is not None else ()
        return (*above, self.name)


class Survey:
    """Notes which elements a document has and which of them repeat."""

    def __init__(self) -> None:
        self._top = Node("", None, 0)
        self._open: list[tuple[Node, dict[str, int]]] = [(self._top, {})]
        self._nodes = 0

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        """See Handler."""
        name = local(tag)
        parent, counts = self._open[-1]
        node = parent.children.get(name)
        if node is None:
            self._nodes += 1
            if self._nodes > _NAMES:
                raise too_many_names()
            node = parent.children[name] = Node(name, parent, parent.depth + 1)
        count = counts[name] = counts.get(name, 0) + 1
        node.most = max(node.most, count)
        if attrib and not node.attributes:
            node.attributes = any(not key.startswith(_XSI) for key in attrib)
        self._open.append((node, {}))

    def end(self, tag: str) -> None:
        """See Handler."""
        self._open.pop()

    def data(self, data: str) -> None:
        """See Handler."""

    def close(self) -> None:
        """See Handler."""

    def repeating(self) -> list[Node]:
        """The elements that repeat nearest to the root: candidates for records."""
        level = list(self._top.children.values())
        while level:
            found = [node for node in level if node.most > 1 and node.is_complex]
            if found:
                return [node for node in found if node.children] or found
            level = [child for node in level for child in node.children.values()]
        return []

    def fullest(self) -> Node | None:
        """Where nothing repeats: the element with the most plain texts in it, which must be the one record."""
        nodes = list(self._top.children.values())
        for node in nodes:
            nodes.extend(node.children.values())
        return max(nodes, key=lambda node: (node.leaves, -node.depth), default=None)


@dataclass(frozen=True, slots=True)
class Path:
    """Which elements are records: `//Name`, or `/a/b/c` from the root; `*` is any name, prefixes do not count."""

    parts: tuple[str, ...]
    #: True: anywhere in the document.
    anywhere: bool

    def matches(self, names: list[str]) -> bool:
        """True when the element with these names from the root on is a record."""
        parts = self.parts
        if len(names) != len(parts) and (not self.anywhere or len(names) < len(parts)):
            return False
        return all(p in ("*", n) for p, n in zip(reversed(parts), reversed(names), strict=False))

    def __str__(self) -> str:
        return ("//" if self.anywhere else "/") + "/".join(self.parts)


def path_of(text: str) -> Path:
    """The path of a setting.  Raises BadConfiguration when it is more than a path."""
    anywhere = text.startswith("//") or not text.startswith("/")
    parts = tuple(part.rpartition(":")[2] for part in text.strip("/").split("/"))
    if not all(parts) or any(sign in text for sign in "[]@() "):
        raise BadConfiguration(
            f"record: {text} is not a path of elements",
            what_zh=f"record：“{text}”不是元素路径",
            hint="write //Name or /a/b/c",
            hint_zh="请写成 //元素名 或 /a/b/c",
        )
    return Path(parts, anywhere)


class _Element:
    """An element within a record that is more than a text."""

    __slots__ = ("attrib", "children", "text")

    def __init__(self, attrib: Mapping[str, str]) -> None:
        self.attrib = attrib
        #: Name and text, or name and element.
        self.children: list[tuple[str, str | _Element]] = []
        self.text = ""


@dataclass(slots=True)
class _Above:
    """An open element outside of records."""

    path: str
    counts: dict[str, int] = field(default_factory=dict)


class Gatherer:
    """Builds records; `take` gives those that are complete.  Keeps one record and the names above it.

    It is called some fifty times for each record; so what it does in `start` and `end` is written for speed.
    """

    def __init__(self, path: Path, max_value: int, max_nodes: int, lists: frozenset[str] = frozenset()) -> None:
        self._path = path
        self._lists = lists
        self._max_value = max_value
        self._max_nodes = max_nodes
        self._names: list[str] = []
        self._above: list[_Above] = [_Above("")]
        self._local: dict[str, str] = {}
        #: Text since the last tag; filled by the parser itself.
        self._parts: list[str] = []
        self.data = self._parts.append
        #: Open elements within the record, itself first: name, attributes, and the element once it is more than a text.
        self._stack: list[tuple[str, Mapping[str, str], list[_Element]]] = []
        #: How many are open; when the record is too large, only this is kept.
        self._depth = 0
        self._too_large = False
        self._size = 0
        self._nodes = 0
        self._place = ""
        self._done: list[tuple[str, Record]] = []

    def take(self) -> list[tuple[str, Record]]:
        """Places and records that are complete.  To be called after every block."""
        if self._depth and self._size + sum(map(len, self._parts)) > 2 * self._max_value:
            self._give_up()
        if not self._depth or self._too_large:
            self._parts.clear()
        done, self._done = self._done, []
        return done

    def _give_up(self) -> None:
        self._too_large = True
        self._stack = []

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        """See Handler."""
        name = self._local.get(tag)
        if name is None:
            name = self._name(tag)
        parts = self._parts
        if not self._depth:
            parts.clear()
            self._start_above(name, attrib)
            return
        self._depth += 1
        if self._too_large:
            parts.clear()
            return
        _, outer_attrib, outer = self._stack[-1]
        if not outer:
            outer.append(_Element(outer_attrib))
        if parts:
            self._keep_text(outer[0])
        self._stack.append((name, attrib, []))
        self._nodes += 1
        if attrib:
            self._size += sum(map(len, attrib.values()))
        if self._nodes > self._max_nodes or self._size > 2 * self._max_value:
            self._give_up()

    def _name(self, tag: str) -> str:
        if len(self._local) > _NAMES:
            raise too_many_names()
        name = self._local[tag] = local(tag)
        return name

    def _keep_text(self, element: _Element) -> None:
        text = "".join(self._parts)
        self._parts.clear()
        self._size += len(text)
        if not text.isspace():
            element.text += text

    def _start_above(self, name: str, attrib: Mapping[str, str]) -> None:
        above = self._above[-1]
        count = above.counts[name] = above.counts.get(name, 0) + 1
        if len(above.counts) > _NAMES:
            raise too_many_names()
        self._names.append(name)
        if self._path.matches(self._names):
            place = f"{above.path}/{name}[{count}]"
            self._place = place if len(place) <= _PLACE else f"//{name}[{count}]"[-_PLACE:]
            self._stack = [(name, attrib, [])]
            self._depth, self._size, self._nodes, self._too_large = 1, 0, 0, False
        else:
            path = f"{above.path}/{name}" if count == 1 else f"{above.path}/{name}[{count}]"
            self._above.append(_Above(path[: 2 * _PLACE]))

    def end(self, tag: str) -> None:
        """See Handler."""
        parts = self._parts
        if not self._depth:
            parts.clear()
            self._names.pop()
            self._above.pop()
            return
        self._depth -= 1
        if self._too_large:
            parts.clear()
            if not self._depth:
                self._names.pop()
                fault = RowFault("10004.long_row", params={"max": str(2 * self._max_value)})
                self._done.append((self._place, fault))
            return
        name, attrib, own = self._stack.pop()
        value: str | _Element
        if own:
            value = own[0]
            if parts:
                self._keep_text(value)
        else:
            value = "".join(parts)
            parts.clear()
            self._size += len(value)
            if attrib:
                element = _Element(attrib)
                element.text = value
                value = element
        if self._depth:
            self._stack[-1][2][0].children.append((name, value))
        else:
            self._names.pop()
            self._done.append((self._place, record_of(name, value, self._max_value, self._lists)))

    def close(self) -> None:
        """See Handler."""


def record_of(name: str, value: str | _Element, max_value: int, lists: frozenset[str] = frozenset()) -> Record:
    """The record of an element: texts by name, `a/b` for what is nested, `@id` for attributes; `lists` are arrays."""
    if isinstance(value, str):
        record = {name: value} if value.strip() else {}
        return _bounded(record, max_value)
    if not value.attrib and not value.text:
        record = dict(value.children)  # type: ignore[arg-type]
        if len(record) == len(value.children) and set(map(type, record.values())) == _TEXT:
            return _bounded(record, max_value)
    record = {}
    _flatten(value, "", record, lists)
    if value.text.strip():
        _put(record, name, value.text)
    return _bounded(record, max_value)


_TEXT = {str}


def _bounded(record: dict[str, str], max_value: int) -> Record:
    if record and max(map(len, record.values())) > max_value:
        name, value = next((n, v) for n, v in record.items() if len(v) > max_value)
        params = {"field": name, "length": str(len(value)), "max": str(max_value)}
        return RowFault("10004.long_value", params=params)
    return record


def _flatten(element: _Element, head: str, record: dict[str, str], lists: frozenset[str]) -> None:
    for key, value in element.attrib.items():
        if not key.startswith(_XSI):
            _put(record, f"{head}@{local(key)}", value)
    groups: dict[str, list[str | _Element]] = {}
    for name, child in element.children:
        groups.setdefault(name, []).append(child)
    for name, same in groups.items():
        texts = [child for child in same if isinstance(child, str)]
        if (len(same) > 1 or name in lists) and len(texts) < len(same):
            _put(record, head + name, json.dumps([_object(child) for child in same], ensure_ascii=False))
        elif texts:
            _put(record, head + name, join(texts))
        elif isinstance(only := same[0], _Element):
            if not only.children or only.text.strip():
                _put(record, head + name, only.text)
            _flatten(only, f"{head}{name}/", record, lists)


def _put(record: dict[str, str], name: str, value: str) -> None:
    record[name] = value if name not in record else join([record[name], value])


def _object(value: str | _Element) -> object:
    """A repeated element for JSON text."""
    if isinstance(value, str):
        return value
    result: dict[str, object] = {
        f"@{local(key)}": text for key, text in value.attrib.items() if not key.startswith(_XSI)
    }
    for name, child in value.children:
        inner = _object(child)
        held = result.get(name)
        if name not in result:
            result[name] = inner
        elif isinstance(held, list):
            held.append(inner)
        else:
            result[name] = [held, inner]
    if not result:
        return value.text
    if value.text.strip():
        result["#text"] = value.text
    return result
