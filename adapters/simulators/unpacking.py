"""Rows back out of a message that was made by a form: what a simulated receiver reads."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from html import unescape
from typing import Any

from lxml import etree

from mappings.outward.grammar import Wire
from standards import xml
from standards.encodings import decode

_WORD = re.compile(r"\\\{[a-z]+\\\}")


def rows_in(message: bytes, wire: Wire) -> list[dict[str, Any]]:
    """The rows of a message.  Raises ValueError when it is not one of this form."""
    packed = _between(decode(message, wire.encoding), wire.envelope, "body")
    return rows_in_body(packed, wire)


def rows_in_body(packed: str, wire: Wire) -> list[dict[str, Any]]:
    """The rows of what stood in the envelope."""
    if wire.pack == "base64":
        packed = decode(base64.b64decode(packed), wire.encoding)
    elif wire.pack == "escape":
        packed = unescape(packed)
    text = _between(packed, wire.wrap, "rows")
    if wire.rows == "csv":
        return [dict(row) for row in csv.DictReader(io.StringIO(text))]
    if wire.rows == "ndjson":
        return [json.loads(line) for line in text.splitlines()]
    if wire.rows == "json":
        return list(json.loads(f"[{text}]"))
    root = xml.parse(f"<rows>{text}</rows>".encode())
    return [_plain(child) for child in root if child.tag == wire.row]


def _between(text: str, template: str, word: str) -> str:
    pattern = re.escape(template).replace(re.escape("{" + word + "}"), "(?P<inner>.*)")
    found = re.fullmatch(_WORD.sub(".*?", pattern), text, re.DOTALL)
    if found is None:
        raise ValueError(f"not a message of this form: {text[:200]}")
    return found["inner"]


def _plain(element: etree._Element) -> Any:
    children = list(element)
    return {str(child.tag): _plain(child) for child in children} if children else element.text or ""
