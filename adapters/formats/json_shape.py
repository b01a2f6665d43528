"""Going through a JSON document: checking all of it, and finding the array that holds the records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from adapters.formats.json_text import Cursor
from adapters.formats.refusal import unreadable
from standards.errors import UnreadablePayload

_REMEMBERED = 20
_DEPTH = 64


@dataclass(slots=True)
class Shape:
    """What a document is made of."""

    #: First character of the document: `[`, `{` or the start of a scalar.
    root: str = ""
    #: JSON pointers of the arrays of objects that are reached through objects only, and how many there are.
    arrays: list[str] = field(default_factory=list)
    count: int = 0

    def found(self, path: list[str]) -> None:
        """Note an array of objects."""
        self.count += 1
        if len(self.arrays) < _REMEMBERED:
            self.arrays.append(pointer(path))


def pointer(path: list[str]) -> str:
    """A path as JSON pointer (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def tokens(text: str) -> list[str]:
    """The path of a JSON pointer; a leading `#` is allowed."""
    text = text.removeprefix("#")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]] if text else []


def survey(cursor: Cursor) -> Shape:
    """Read the whole document.  Raises UnreadablePayload where it is not JSON."""
    shape = Shape(cursor.peek())
    if not shape.root:
        raise cursor.wrong("没有内容", "nothing there")
    path: list[str] = []
    while True:
        if _enter(cursor, path, shape):
            continue
        if not _leave(cursor, path):
            break
    if cursor.peek():
        raise cursor.wrong("JSON 之后还有多余内容", "there is more behind the JSON value")
    return shape


def _enter(cursor: Cursor, path: list[str], shape: Shape) -> bool:
    """Go past the value at hand, or into it (True) when it is an object that is not read yet as a whole."""
    first = cursor.peek()
    if first == "{" and not (path and cursor.is_complete()):
        cursor.demand("{")
        if cursor.take("}"):
            return False
        if len(path) >= _DEPTH:
            raise cursor.wrong("嵌套层次过深", "nested too deeply")
        path.append(cursor.key())
        return True
    if first == "[":
        cursor.demand("[")
        if cursor.peek() == "{":
            shape.found(path)
        for _ in elements(cursor):
            pass
        return False
    _look(cursor.value(), path, shape, 0)
    return False


def _leave(cursor: Cursor, path: list[str]) -> bool:
    """Behind a value: on to the next name, or out of the objects that end here; False behind the document."""
    while path:
        if cursor.take(","):
            path[-1] = cursor.key()
            return True
        if not cursor.take("}"):
            raise cursor.wrong("缺少“,”或“}”", "',' or '}' expected")
        path.pop()
    return False


def _look(value: Any, path: list[str], shape: Shape, depth: int) -> None:
    """The arrays of objects in a value that was read as a whole."""
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            shape.found(path)
    elif isinstance(value, dict) and depth < _DEPTH:
        for name, inner in value.items():
            if isinstance(inner, dict | list):
                _look(inner, [*path, name], shape, depth + 1)


def elements(cursor: Cursor) -> Iterator[Any]:
    """The elements of an array whose bracket was gone past."""
    if cursor.take("]"):
        return
    while True:
        yield cursor.value()
        if cursor.take(","):
            continue
        if cursor.take("]"):
            return
        raise cursor.wrong("缺少“,”或“]”", "',' or ']' expected")


def go_to(cursor: Cursor, path: list[str]) -> bool:
    """Go to the value at a path of a document that is known to be JSON; False when there is none."""
    for part in path:
        if cursor.take("{"):
            if not _find_name(cursor, part):
                return False
        elif cursor.take("["):
            if not part.isdecimal() or not _find_index(cursor, int(part)):
                return False
        else:
            return False
    return True


def _find_name(cursor: Cursor, name: str) -> bool:
    if cursor.take("}"):
        return False
    while cursor.key() != name:
        skip(cursor)
        if not cursor.take(","):
            return False
    return True


def _find_index(cursor: Cursor, index: int) -> bool:
    if cursor.peek() == "]":
        return False
    for _ in range(index):
        skip(cursor)
        if not cursor.take(","):
            return False
    return True


def skip(cursor: Cursor) -> None:
    """Go past a value of any size."""
    path: list[str] = []
    shape = Shape()
    while _enter(cursor, path, shape) or _leave(cursor, path):
        pass


def records_at(shape: Shape, wanted: str) -> str:
    """The pointer of the records.  Raises UnreadablePayload when it cannot be told."""
    if wanted != "auto":
        return wanted
    if shape.root != "{" or shape.count == 0:
        return ""
    if shape.count == 1:
        return shape.arrays[0]
    raise unreadable(
        f"有 {shape.count} 个对象数组，无法确定哪个是记录：" + "、".join(shape.arrays[:5]),
        f"{shape.count} arrays of objects, it cannot be told which holds the records: " + ", ".join(shape.arrays[:5]),
        "请运维人员在该接入上设置 record，如 " + shape.arrays[0],
        f"have the operator set 'record' for this connection, say {shape.arrays[0]}",
    )


def nothing_at(wanted: str, shape: Shape) -> UnreadablePayload:
    """The error for a pointer that leads nowhere."""
    there = "、".join(shape.arrays[:5]) or "（无）"
    return unreadable(
        f"没有 {wanted} 这一处；文档中的对象数组有：{there}",
        f"there is no {wanted}; arrays of objects in the document: {', '.join(shape.arrays[:5]) or 'none'}",
        "请按约定的结构报送；结构有变的，请运维人员修改该接入的 record 设置",
        "send the agreed structure, or have the operator change 'record' for this connection",
    )
