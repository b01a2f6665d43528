"""Many keys as one parameter of PostgreSQL, packed at once in the binary form of its arrays.

The driver builds an array element by element, some ten times as slowly; a thousand keys a chunk are looked up thrice.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import Integer, LargeBinary, String, Uuid
from sqlalchemy.types import TypeEngine, UserDefinedType

_BYTEA, _BYTEA_ARRAY = 17, 1001
_TEXT, _TEXT_ARRAY = 25, 1009
_UUID, _UUID_ARRAY = 2950, 2951
_INT8, _INT8_ARRAY = 20, 1016

#: PostgreSQL array, binary: dimensions, has nulls, element type, length, lower bound.
_HEAD = struct.Struct(">iiIii")
_EMPTY = struct.Struct(">iiI")
_LENGTH = struct.Struct(">i")


class PackedArray:
    """Values of one type, none of them None; sent as one parameter."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values


def pack(values: Sequence[bytes], oid: int) -> bytes:
    """The binary form of an array of elements that are in their binary form already."""
    if not values:
        return _EMPTY.pack(0, 0, oid)
    head = _HEAD.pack(1, 0, oid, len(values), 1)
    lengths = set(map(len, values))
    if len(lengths) == 1:
        mark = _LENGTH.pack(lengths.pop())
        return b"".join((head, mark, mark.join(values)))
    return head + b"".join([_LENGTH.pack(len(v)) + v for v in values])


class BytesArray(PackedArray):
    """bytea[]."""


class TextArray(PackedArray):
    """text[]."""


class UuidArray(PackedArray):
    """uuid[]."""


class NumberArray(PackedArray):
    """bigint[]."""


def _dumper(array_oid: int, element_oid: int, form: Callable[[Sequence[Any]], Sequence[bytes]]) -> type[Dumper]:
    class PackedDumper(Dumper):
        format = Format.BINARY
        oid = array_oid

        def dump(self, obj: PackedArray) -> bytes:
            return pack(form(obj.values), element_oid)

    return PackedDumper


def _numbers(values: Sequence[int]) -> list[bytes]:
    return [v.to_bytes(8, "big", signed=True) for v in values]


def _texts(values: Sequence[str]) -> list[bytes]:
    return [v.encode("utf-8") for v in values]


def _uuids(values: Sequence[UUID]) -> list[bytes]:
    return [v.bytes for v in values]


psycopg.adapters.register_dumper(BytesArray, _dumper(_BYTEA_ARRAY, _BYTEA, lambda values: values))
psycopg.adapters.register_dumper(TextArray, _dumper(_TEXT_ARRAY, _TEXT, _texts))
psycopg.adapters.register_dumper(UuidArray, _dumper(_UUID_ARRAY, _UUID, _uuids))
psycopg.adapters.register_dumper(NumberArray, _dumper(_INT8_ARRAY, _INT8, _numbers))


class _Packed(UserDefinedType[PackedArray]):
    """An array of PostgreSQL whose parameters come packed."""

    cache_ok = True
    render_bind_cast = True

    def __init__(self, name: str, wrap: type[PackedArray]) -> None:
        self.name = name
        self.wrap = wrap

    def get_col_spec(self, **_words: Any) -> str:
        return self.name

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        wrap = self.wrap
        return lambda value: wrap(value.values)


def packed_type(kind: TypeEngine[Any]) -> UserDefinedType[PackedArray]:
    """The array type of a column's type."""
    match kind:
        case LargeBinary():
            return _Packed("BYTEA[]", BytesArray)
        case Uuid():
            return _Packed("UUID[]", UuidArray)
        case String():
            return _Packed("TEXT[]", TextArray)
        case Integer():
            return _Packed("BIGINT[]", NumberArray)
    raise TypeError(f"no packed array of {kind!r}")
