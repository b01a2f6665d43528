"""A JSON value as one flat record: nested names as `a/b`, lists joined with `;`, everything as text.

    {"a": {"b": 1.50}, "c": ["x", "y"], "d": [{"e": 1}], "f": true, "g": null}
    a/b = 1.50      c = x;y      d = [{"e": 1}]      f = true      g =

A semicolon within a joined value becomes the full-width one, so that the list can be taken apart again.
"""

from __future__ import annotations

import json
from typing import Any

from adapters.formats.base import RowFault
from adapters.formats.records import Record

#: Objects and lists within each other, in one record.
DEPTH = 64
_SEPARATOR = ";"
_NO_NAME = "(空)"


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


_TEXT = {str}
_PLAIN = {str, Number, bool, type(None)}


class Doubled(dict[str, Any]):
    """An object in which one name stands twice, with different values."""

    name = ""


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object from its pairs; equal doubles are forgiven."""
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    for name, value in pairs:
        if result[name] != value:
            doubled = Doubled(result)
            doubled.name = name
            return doubled
    return result


def flatten(value: Any, max_value: int) -> Record:
    """The record, or why it is none."""
    if type(value) is not dict:
        if isinstance(value, Doubled):
            return _doubled(value)
        return RowFault("10004.record", params={"found": kind_of(value)})
    kinds = set(map(type, value.values()))
    if kinds <= _PLAIN and "" not in value:
        record = value if kinds <= _TEXT else {k: v if type(v) is str else scalar(v) for k, v in value.items()}
        if not record or max(map(len, record.values())) <= max_value:
            return record
    record = {}
    fault = _object(value, "", record, max_value, 1)
    return fault or record


def _object(value: dict[str, Any], head: str, record: dict[str, str], max_value: int, depth: int) -> RowFault | None:
    for key, inner in value.items():
        name = head + (key or _NO_NAME)
        if type(inner) is str:
            text = inner
        elif inner is None:
            text = ""
        elif isinstance(inner, dict):
            if isinstance(inner, Doubled):
                return _doubled(inner)
            if depth >= DEPTH:
                return too_deep()
            if inner:
                if fault := _object(inner, f"{name}/", record, max_value, depth + 1):
                    return fault
                continue
            text = ""
        elif isinstance(inner, list):
            made = _list(inner)
            if isinstance(made, RowFault):
                return made
            text = made
        else:
            text = scalar(inner)
        if len(text) > max_value:
            params = {"field": name, "length": str(len(text)), "max": str(max_value)}
            return RowFault("10004.long_value", params=params)
        if name in record and record[name] != text:
            # {"a/b": 1, "a": {"b": 2}}
            return RowFault("10004.duplicate_key", params={"item": name})
        record[name] = text
    return None


def _list(items: list[Any]) -> str | RowFault:
    if any(isinstance(item, dict | list) for item in items):
        return json_text(items)
    return join([scalar(item) for item in items])


def join(values: list[str]) -> str:
    """Several values in one; see the head of this file."""
    if len(values) == 1:
        return values[0]
    return _SEPARATOR.join(value.replace(_SEPARATOR, "；") for value in values)


def scalar(value: Any) -> str:
    """A text, number, truth value or null as text."""
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str.__str__(value)


def json_text(value: Any) -> str | RowFault:
    """A value as JSON text, numbers as they were written; a fault when it is nested too deeply or doubled."""
    out: list[str] = []
    fault = _write(value, out, 1)
    return fault or "".join(out)


def _write(value: Any, out: list[str], depth: int) -> RowFault | None:
    if depth > DEPTH:
        return too_deep()
    if isinstance(value, dict):
        if isinstance(value, Doubled):
            return _doubled(value)
        for index, (key, inner) in enumerate(value.items()):
            out += [", " if index else "{", json.dumps(key, ensure_ascii=False), ": "]
            if fault := _write(inner, out, depth + 1):
                return fault
        out.append("}" if value else "{}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            out.append(", " if index else "[")
            if fault := _write(inner, out, depth + 1):
                return fault
        out.append("]" if value else "[]")
    elif isinstance(value, Number):
        out.append(str(value))
    else:
        out.append(json.dumps(value, ensure_ascii=False))
    return None


def kind_of(value: Any) -> str:
    """What a JSON value is, as JSON calls it."""
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, Number):
        return "number"
    if isinstance(value, bool):
        return "boolean"
    return "null" if value is None else "string"


def too_deep() -> RowFault:
    """The fault of a record that is nested too deeply."""
    return RowFault("10004.nested", params={"max": str(DEPTH)})


def _doubled(value: Doubled) -> RowFault:
    return RowFault("10004.duplicate_key", params={"item": value.name[:100]})
