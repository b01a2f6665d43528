"""Rows as bytes: XML, JSON or CSV, and what stands around them."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from mappings.outward.compile import Row
from mappings.outward.grammar import Wire
from standards.encodings import encode

_TYPES = {
    "xml": "application/xml",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What `{…}` in wrap and envelope is filled with."""

    #: Rows in this body.
    count: int
    dataset: str = ""
    batch: str = ""
    #: Id of the parcel.
    parcel: str = ""
    #: Short name of the hub, credit codes of hub and receiver.
    origin: str = ""
    sender: str = ""
    receiver: str = ""
    moment: datetime | None = None
    #: Number of this page and of all pages; {next} is the page after it, empty on the last one.
    page: int = 1
    pages: int = 1
    #: Rows on all pages together.
    total: int = 0

    def fill(self, text: str) -> str:
        """The text with its words filled in; other braces stay."""
        moment = self.moment
        words = {
            "count": str(self.count),
            "dataset": self.dataset,
            "batch": self.batch,
            "parcel": self.parcel,
            "origin": self.origin,
            "sender": self.sender,
            "receiver": self.receiver,
            "page": str(self.page),
            "pages": str(self.pages),
            "total": str(self.total or self.count),
            "next": str(self.page + 1) if self.page < self.pages else "",
            "date": moment.strftime("%Y-%m-%d") if moment else "",
            "time": moment.strftime("%Y-%m-%d %H:%M:%S") if moment else "",
        }
        for word, value in words.items():
            text = text.replace("{" + word + "}", value)
        return text


def content_type(wire: Wire) -> str:
    """What the bytes are said to be."""
    return wire.content_type or f"{_TYPES[wire.rows]}; charset={wire.encoding}"


def wrapped(rows: Sequence[Row], wire: Wire, words: Words) -> str:
    """The rows with what stands around them, before packing."""
    return words.fill(wire.wrap).replace("{rows}", _rows(rows, wire))


def body(rows: Sequence[Row], wire: Wire, words: Words) -> bytes:
    """The whole message."""
    text = wrapped(rows, wire, words)
    if wire.pack == "base64":
        text = base64.b64encode(encode(text, wire.encoding)).decode("ascii")
    elif wire.pack == "escape":
        text = escape(text)
    return encode(words.fill(wire.envelope).replace("{body}", text), wire.encoding)


def _rows(rows: Sequence[Row], wire: Wire) -> str:
    if wire.rows == "xml":
        return "".join(_element(wire.row, row, wire) for row in rows)
    if wire.rows == "csv":
        return _csv(rows)
    kept = [_full(row) if wire.skip_empty else row for row in rows]
    between = "\n" if wire.rows == "ndjson" else ","
    return between.join(json.dumps(row, ensure_ascii=False) for row in kept)


def _full(row: Row) -> Row:
    """Without what is empty."""
    made: Row = {}
    for name, value in row.items():
        inner = _full(value) if isinstance(value, dict) else value
        if inner:
            made[name] = inner
    return made


def _element(tag: str, value: object, wire: Wire) -> str:
    if isinstance(value, dict):
        inner = "".join(_element(name, part, wire) for name, part in value.items())
    elif isinstance(value, list):
        return "".join(_element(tag, part, wire) for part in value)
    else:
        inner = escape(str(value), {"\r": "&#13;"})
    return "" if wire.skip_empty and not inner else f"<{tag}>{inner}</{tag}>"


def _csv(rows: Sequence[Row]) -> str:
    stream = io.StringIO()
    names: Iterable[str] = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(stream, list(names), restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
