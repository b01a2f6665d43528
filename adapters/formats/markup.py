"""Tables that call themselves .xls but are markup: HTML tables, and Excel's XML of 2003.  Web systems export both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from adapters.formats.base import LegacyChunk, Payload, Reading, ReadOptions
from adapters.formats.encoding import Decoding, find_decoding, text_blocks
from adapters.formats.refusal import too_large, unreadable
from adapters.formats.sheet_rows import Row, Sheet, read_sheets, trimmed
from adapters.formats.workbook_child import number_text
from adapters.formats.xml import sound_blocks
from standards import xml
from standards.errors import UnreadablePayload

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f\xa0]+")
_SPAN = 1000
#: The parser for web pages keeps what it has read.
_PAGE = 32 * 1024 * 1024

Frame = Sheet | list[Row]


class HtmlReader:
    """Reads the one table of an HTML page."""

    def read(
        self, payload: Payload, options: ReadOptions, reading: Reading, resume: Mapping[str, int | str] | None = None
    ) -> Iterator[LegacyChunk]:
        """See `Reader.read`.  A page with several tables is refused: which holds the records cannot be told."""
        reading.format = "html"
        if payload.size > _PAGE:
            raise too_large(
                f"网页表格有 {payload.size >> 20} MB，上限 {_PAGE >> 20} MB",
                f"the web page has {payload.size >> 20} MB, the limit is {_PAGE >> 20} MB",
                "请用 Excel 或 WPS 打开后另存为 .xlsx，或改报 CSV",
                "open it in Excel or WPS and save it as .xlsx, or send CSV",
            )
        with payload.open() as stream:
            charset = _CHARSET.search(stream.read(4096))
        decoding = find_decoding(payload, options, reading, charset[1].decode("ascii") if charset else "")
        count = _Count()
        for _ in xml.html_events(text_blocks(payload, decoding), count):
            pass
        if len(count.tables) != 1:
            raise _not_one_table(len(count.tables))
        yield from read_sheets(_html_frames(payload, decoding, count.tables[0], options), options, reading, resume)


class _Count:
    """Which tables of a page have several rows; a table within a table belongs to its cell."""

    def __init__(self) -> None:
        self.tables: list[int] = []
        self._number = 0
        self._depth = 0
        self._rows = 0

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        """See Handler."""
        if tag == "table":
            self._depth += 1
            if self._depth == 1:
                self._number += 1
                self._rows = 0
        elif tag == "tr" and self._depth == 1:
            self._rows += 1
            if self._rows == 2:
                self.tables.append(self._number)

    def end(self, tag: str) -> None:
        """See Handler."""
        if tag == "table":
            self._depth = max(0, self._depth - 1)

    def data(self, data: str) -> None:
        """See Handler."""

    def close(self) -> None:
        """See Handler."""


class _Grid:
    """Cells put in their places: what spans several columns or rows stands in each row, once."""

    def __init__(self, max_columns: int) -> None:
        self._max = max_columns
        self._below: dict[int, tuple[int, str]] = {}
        self._cells: dict[int, str] = {}
        self._column = 0
        self.number = 0
        self.done: list[Row] = []

    def begin(self, number: int) -> None:
        """A row begins."""
        self.number, self._column = number, 0
        self._cells = {}
        for column, (last, text) in list(self._below.items()):
            if last < number:
                del self._below[column]
            else:
                self._cells[column] = text

    def cell(self, text: str, *, at: int | None = None, across: int = 1, down: int = 1) -> None:
        """A cell, in the next free column or in a given one."""
        if at is not None:
            self._column = at
        while at is None and self._column in self._cells:
            self._column += 1
        if self._column <= self._max:
            self._cells[self._column] = text
            if down > 1:
                self._below[self._column] = (self.number + down - 1, text)
        self._column += across

    def end(self) -> None:
        """The row is complete."""
        width = max(self._cells, default=-1) + 1
        if texts := trimmed(self._cells.get(column, "") for column in range(width)):
            self.done.append((self.number, texts))

    def take(self) -> list[Row]:
        """The rows that are complete."""
        done, self.done = self.done, []
        return done


def _span(attrib: Mapping[str, str], name: str) -> int:
    text = attrib.get(name, "")
    return min(int(text), _SPAN) if text.isdecimal() and len(text) < 6 and int(text) else 1


class _HtmlTable:
    """The rows of one table of a page."""

    def __init__(self, table: int, options: ReadOptions) -> None:
        self.grid = _Grid(options.max_columns)
        self._limit = options.max_value + 1
        self._table = table
        self._number = 0
        self._depth = 0
        self._row = 0
        self._cell: list[str] | None = None
        self._size = 0
        self._spans = (1, 1)

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        """See Handler."""
        if tag == "table":
            self._depth += 1
            self._number += self._depth == 1
        elif self._number != self._table or self._depth != 1:
            return
        elif tag == "tr":
            self._end_row()
            self._row += 1
            self.grid.begin(self._row)
        elif tag in ("td", "th"):
            self._end_cell()
            if self.grid.number == self._row > 0:
                self._cell, self._size = [], 0
                self._spans = (_span(attrib, "colspan"), _span(attrib, "rowspan"))
        elif tag in ("br", "p", "div") and self._cell:
            self._cell.append("\v")

    def _end_cell(self) -> None:
        if self._cell is not None:
            # A line break of the page is none of the text; <br> is.
            text = _BLANKS.sub(" ", "".join(self._cell)).strip(" \v")
            self.grid.cell(re.sub(" *\v+ *", "\n", text), across=self._spans[0], down=self._spans[1])
            self._cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row and self.grid.number == self._row:
            self.grid.end()
            self.grid.number = -1

    def end(self, tag: str) -> None:
        """See Handler."""
        if tag == "table":
            if self._number == self._table and self._depth == 1:
                self._end_row()
            self._depth = max(0, self._depth - 1)
        elif self._number == self._table and self._depth == 1:
            if tag in ("td", "th"):
                self._end_cell()
            elif tag == "tr":
                self._end_row()

    def data(self, data: str) -> None:
        """See Handler."""
        if self._cell is not None and self._size <= self._limit:
            self._size += len(data)
            self._cell.append(data)

    def close(self) -> None:
        """See Handler."""
        self._end_row()


def _html_frames(payload: Payload, decoding: Decoding, table: int, options: ReadOptions) -> Iterator[Frame]:
    handler = _HtmlTable(table, options)
    yield Sheet("Sheet1")
    for _ in xml.html_events(text_blocks(payload, decoding), handler):
        if rows := handler.grid.take():
            yield rows


class SpreadsheetMlReader:
    """Reads Excel's XML of 2003."""

    def read(
        self, payload: Payload, options: ReadOptions, reading: Reading, resume: Mapping[str, int | str] | None = None
    ) -> Iterator[LegacyChunk]:
        """See `Reader.read`."""
        reading.format = "workbook"
        with payload.open() as stream:
            declared = xml.declared_encoding(stream.read(1024))
        decoding = find_decoding(payload, options, reading, declared)
        xml.check(sound_blocks(payload, decoding))
        yield from read_sheets(_xml_frames(payload, decoding, options), options, reading, resume)


class _XmlSheets:
    """Rows of the wanted sheets, told as frames."""

    def __init__(self, options: ReadOptions) -> None:
        self.frames: list[Frame] = []
        self._options = options
        self._grid = _Grid(options.max_columns)
        self._sheet = ""
        self._told = False
        self._given = 0
        self._row = 0
        self._parts: list[str] | None = None
        self._size = 0
        self._text = ""
        self._kind = ""
        self._cell: Mapping[str, str] = {}

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        """See Handler."""
        match xml.local(tag):
            case "Worksheet":
                self._sheet, self._told, self._row = _attribute(attrib, "Name") or "Sheet", False, 0
                self._grid = _Grid(self._options.max_columns)
            case "Row":
                index = _attribute(attrib, "Index")
                self._row = int(index) if index.isdecimal() and len(index) < 8 else self._row + 1
                self._grid.begin(self._row)
            case "Cell":
                self._cell, self._text = dict(attrib), ""
            case "Data":
                self._kind, self._parts, self._size = _attribute(attrib, "Type"), [], 0

    def data(self, data: str) -> None:
        """See Handler."""
        if self._parts is not None and self._size <= self._options.max_value:
            self._size += len(data)
            self._parts.append(data)

    def end(self, tag: str) -> None:
        """See Handler."""
        match xml.local(tag):
            case "Data" if self._parts is not None:
                self._text, self._parts = _typed("".join(self._parts), self._kind), None
            case "Cell":
                index = _attribute(self._cell, "Index")
                at = int(index) - 1 if index.isdecimal() and 0 < len(index) < 6 and int(index) else None
                across = _attribute(self._cell, "MergeAcross")
                down = _attribute(self._cell, "MergeDown")
                self._grid.cell(
                    self._text,
                    at=at,
                    across=1 + (int(across) if across.isdecimal() and len(across) < 5 else 0),
                    down=1 + (int(down) if down.isdecimal() and len(down) < 8 else 0),
                )
            case "Row":
                self._grid.end()
                self._tell()

    def _tell(self) -> None:
        rows = self._grid.take()
        wanted = self._options.sheet
        if not rows or (wanted not in ("first", "all") and self._sheet.strip() != wanted.strip()):
            return
        if not self._told:
            if wanted == "first" and self._given:
                return
            self._told = True
            self._given += 1
            self.frames.append(Sheet(self._sheet))
        self.frames.append(rows)

    def close(self) -> None:
        """See Handler."""


def _attribute(attrib: Mapping[str, str], name: str) -> str:
    return next((value for key, value in attrib.items() if xml.local(key) == name), "")


def _typed(text: str, kind: str) -> str:
    if kind == "DateTime":
        with suppress(ValueError):
            moment = datetime.fromisoformat(text.strip())
            return str(moment.date()) if moment.time() == datetime.min.time() else str(moment.replace(microsecond=0))
    elif kind == "Number":
        with suppress(ValueError):
            return number_text(float(text))
    elif kind == "Boolean":
        return "true" if text.strip() in ("1", "true") else "false"
    elif kind == "Error":
        return ""
    return text


def _xml_frames(payload: Payload, decoding: Decoding, options: ReadOptions) -> Iterator[Frame]:
    handler = _XmlSheets(options)
    for _ in xml.events(sound_blocks(payload, decoding), handler):
        yield from handler.frames
        handler.frames.clear()


def _not_one_table(found: int) -> UnreadablePayload:
    hint_zh = "请用 Excel 或 WPS 打开后另存为 .xlsx 再报送"
    hint = "open it in Excel or WPS, save it as .xlsx, and send it again"
    if not found:
        return unreadable("这是网页，其中没有数据表格", "this is a web page without a table of data", hint_zh, hint)
    return unreadable(
        f"这是网页，其中有 {found} 个表格，无法确定哪个是数据",
        f"this is a web page with {found} tables; it cannot be told which holds the data",
        hint_zh,
        hint,
    )
