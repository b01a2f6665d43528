"""Cells of any database as the text a person would expect."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from standards.encodings import decode


def text_of(value: Any) -> str:
    """A cell as text; '' for NULL.  CHAR columns lose the blanks they are filled up with."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.rstrip(" \0")
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None).isoformat(" ", "seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _decoded(bytes(value))
    return str(value)


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return decode(data, encoding)
        except UnicodeDecodeError:
            continue
    return data.hex()
