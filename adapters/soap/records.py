"""The records of `submit`, one at a time: fields by name become a line of JSON, which the reader of NDJSON reads."""

from __future__ import annotations

import json

from adapters.soap.contract import OURS
from adapters.soap.refusal import BadRequest
from standards.errors import PayloadTooLarge
from standards.xml import local

RECORD, FIELD, NAME = f"{OURS}record", f"{OURS}field", f"{OURS}name"
_PARTS = {NAME: 0, f"{OURS}value": 1}
#: Where a record stands in its message; see adapters/formats/ndjson.py.
_PLACE = "@place"
#: Bounds of one record.
_FIELDS, _CHARACTERS = 20_000, 16_000_000


class RecordReader:
    """Is told what stands within the element `record`."""

    def __init__(self) -> None:
        self.count = 0
        self._fields: list[tuple[str, str]] = []
        self._field: list[str | None] = []
        self._text: list[str] = []
        self._size = 0

    def begin(self) -> None:
        """The next record begins."""
        self.count += 1
        self._fields, self._size = [], 0
        self._text.clear()

    def start(self, tag: str, depth: int) -> None:
        """An element begins; `depth`: 1 within the record, 2 within its fields …"""
        self._text.clear()
        if depth == 1 and tag == FIELD:
            if len(self._fields) >= _FIELDS:
                raise self._large(f"{_FIELDS} fields", f"{_FIELDS} 个字段")
            self._field = [None, None]
        elif not (depth == 2 and tag in _PARTS and self._field[_PARTS[tag]] is None):
            name = local(tag)[:100]
            raise self._wrong(f"the element {name} is not expected", f"元素 {name} 不应出现在这里")

    def data(self, text: str) -> None:
        """A piece of text."""
        self._size += len(text)
        if self._size > _CHARACTERS:
            raise self._large(f"{_CHARACTERS} characters", f"{_CHARACTERS // 10_000} 万字")
        self._text.append(text)

    def end(self, tag: str, depth: int) -> None:
        """An element ends."""
        if depth == 2:
            self._field[_PARTS[tag]] = "".join(self._text)
        else:
            name, value = self._field
            if not name or name == _PLACE:
                raise self._wrong(f"a field has the name {name or ''!r}", f"字段名不能是“{name or ''}”")
            self._fields.append((name, value or ""))
        self._text.clear()

    def line(self) -> str:
        """The record that ends, as a line of JSON.  Two fields of one name stay two: the reader tells the sender."""
        if not self._fields:
            raise self._wrong("there is no field", "没有任何 field")
        pairs = [(_PLACE, f"/submit/record[{self.count}]"), *self._fields]
        return "{" + ", ".join(f"{_quoted(name)}: {_quoted(value)}" for name, value in pairs) + "}\n"

    def _wrong(self, what: str, what_zh: str) -> BadRequest:
        return BadRequest(
            f"record {self.count}: {what}",
            what_zh=f"第 {self.count} 条记录：{what_zh}",
            hint="a record holds field elements, each with a name and a value; see GET /soap?wsdl",
            hint_zh="record 由若干 field 组成，每个 field 有 name 和 value，请对照 WSDL",
        )

    def _large(self, what: str, what_zh: str) -> PayloadTooLarge:
        return PayloadTooLarge(
            f"record {self.count} has more than {what}", what_zh=f"第 {self.count} 条记录超过 {what_zh}"
        )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
