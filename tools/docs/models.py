"""A settings model as Markdown: every word, its kind, its default, what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from adapters.kit.words import parts

__all__ = ["cell", "duration", "kind", "parts", "table"]

_SCALARS: dict[Any, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "true / false",
    timedelta: "duration (`90s`, `15m`, `2h`, `5d`)",
    Any: "anything",
}


def table(model: type[BaseModel]) -> Iterator[str]:
    """The words of one model as a table."""
    yield "| word | kind | default | |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        word, says = field.alias or name, cell(field.description or "")
        yield f"| `{word}` | {cell(kind(field.annotation))} | {_default(field)} | {says} |"


def kind(annotation: Any) -> str:
    """What kind of value a word takes, in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind(arguments[0])
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if origin is Literal:
        return " / ".join(f"`{word}`" for word in arguments)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(kind(a) for a in arguments if a is not NoneType))
    if origin is tuple:
        return f"list of {kind(arguments[0])}"
    if origin is dict:
        return f"table of {kind(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " / ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table, see below"
    return str(getattr(annotation, "__name__", annotation)).lower()


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**must**"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, BaseModel) or value in (None, "", (), {}):
        return ""
    return f"`{_text(value)}`"


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            return duration(value)
        case Enum():
            return str(value.value)
        case tuple() | list():
            return ", ".join(_text(item) for item in value)
    return str(value)


def duration(value: timedelta) -> str:
    """As it would be written in hub.toml."""
    seconds = value.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def cell(text: str) -> str:
    """Text as it may stand in a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")
