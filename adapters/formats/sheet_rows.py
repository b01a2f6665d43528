"""Rows of sheets as chunks of records: header, places, letters.  For workbooks and for tables written as markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from adapters.formats.base import LegacyChunk, Reading, ReadOptions, RowFault
from adapters.formats.refusal import unreadable
from adapters.formats.tables import PREVIEW_ROWS, field_names, filled, header_at, is_id_row, tidy_name
from standards.errors import UnreadablePayload
from standards.private_use import perhaps_among

_CHUNK_CELLS = 2_000_000
_CHUNK_CHARACTERS = 1 << 23
_CONTROL = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0D}) + b"\x7f"
_INVISIBLE = ("\u200b", "\ufeff", "\u2028", "\u2029")

#: Number of a row in its sheet, and its cells up to the last that holds something.
Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that has something in it."""

    name: str
    #: Number of its first column, from 0.
    column: int = 0


def sheets_of(frames: Iterator[Sheet | list[Row]]) -> Iterator[tuple[Sheet, Iterator[Row]]]:
    """Each sheet with its rows; the rows must be used up before the next sheet is asked for."""
    ahead: list[Sheet] = []

    def rows() -> Iterator[Row]:
        for frame in frames:
            if isinstance(frame, Sheet):
                ahead.append(frame)
                return
            yield from frame

    for frame in frames:
        if isinstance(frame, Sheet):
            ahead.append(frame)
        while ahead:
            yield ahead.pop(), rows()


def read_sheets(
    frames: Iterator[Sheet | list[Row]],
    options: ReadOptions,
    reading: Reading,
    resume: Mapping[str, int | str] | None,
) -> Iterator[LegacyChunk]:
    """The records of all sheets.  The bookmark holds how many records were given.  Raises UnreadablePayload."""
    done = int(resume["records"]) if resume else 0
    given = 0
    found = False
    for sheet, rows in sheets_of(frames):
        found = True
        table = _Table(sheet, rows, options, reading)
        for chunk in table.chunks(max(0, done - given)):
            given = max(given, done) + chunk.count
            chunk.bookmark = {"records": given}
            yield chunk
        given = max(given, min(done, given + table.passed))
    if not found:
        raise _nothing(options.sheet)


class _Table:
    """One sheet: its header, then its records."""

    def __init__(self, sheet: Sheet, rows: Iterator[Row], options: ReadOptions, reading: Reading) -> None:
        preview = list(islice(rows, PREVIEW_ROWS))
        (number, cells), start = _header(preview, options)
        self._sheet = sheet.name
        self._options = options
        self._fields = field_names(cells, options, reading, place(sheet.name, number))
        self._letters = {name: column_letters(sheet.column + i) for i, name in enumerate(self._fields)}
        self._rows = chain(preview[start:], rows)
        #: Records passed over because they were given before.
        self.passed = 0

    def chunks(self, passing: int) -> Iterator[LegacyChunk]:
        """The records behind the first `passing` ones."""
        want = min(self._options.chunk, max(1, _CHUNK_CELLS // len(self._fields)))
        held: list[Row] = []
        size = 0
        for row in self._rows:
            if self.passed < passing:
                self.passed += 1
                continue
            held.append(row)
            size += sum(map(len, row[1]))
            if len(held) >= want or size > _CHUNK_CHARACTERS:
                yield self._chunk(held)
                held, size = [], 0
        if held:
            yield self._chunk(held)

    def _chunk(self, rows: list[Row]) -> LegacyChunk:
        width = len(self._fields)
        broken: dict[int, RowFault] = {}
        table: list[list[str]] = []
        for index, (_, texts) in enumerate(rows):
            if len(texts) > width and filled(texts[width:]):
                broken[index] = RowFault("10004.row", params={"expected": str(width), "found": str(len(texts))})
            table.append(texts[:width] + [""] * (width - len(texts)))
        values = dict(zip(self._fields, map(list, zip(*table, strict=True)), strict=True))
        clean = _inspect(values, broken, self._options.max_value)
        places = [place(self._sheet, number) for number, _ in rows]
        return LegacyChunk(self._fields, values, len(rows), places, broken, clean=clean, letters=self._letters)


def _header(preview: list[Row], options: ReadOptions) -> tuple[Row, int]:
    """The header's row, and where in the preview the data begin."""
    titles = options.title_rows if isinstance(options.title_rows, int) else 0
    below = next((i for i, (number, _) in enumerate(preview) if number > titles), len(preview))
    if options.header:
        names = list(options.header)
        if below < len(preview) and [tidy_name(c) for c in preview[below][1]] == [tidy_name(c) for c in names]:
            return (preview[below][0], names), below + 1
        return (titles, names), below
    if options.title_rows == "auto":
        index = header_at([texts for _, texts in preview], ragged=False)
    else:
        index = min(below, len(preview) - 1)
    number, cells = preview[index]
    start = index + 1
    if start < len(preview) and is_id_row(cells, preview[start][1]):
        start += 1
    width = max((len(texts) for _, texts in preview[start:]), default=0)
    return (number, cells + [""] * (min(width, options.max_columns) - len(cells))), start


def _inspect(values: dict[str, list[str]], broken: dict[int, RowFault], max_value: int) -> bool:
    """Break rows whose values cannot be kept; True when the checker need not look at characters."""
    clean = True
    for name, column in values.items():
        joined = "".join(column)
        raw = joined.encode("utf-8", "replace")
        if perhaps_among(raw) or len(raw.translate(None, _CONTROL)) != len(raw) or any(m in joined for m in _INVISIBLE):
            clean = False
        if "\0" in joined or (len(joined) > max_value and max(map(len, column)) > max_value):
            for row, value in enumerate(column):
                if "\0" in value:
                    broken.setdefault(row, RowFault("10004.character", params={"field": name}))
                elif len(value) > max_value:
                    params = {"field": name, "length": str(len(value)), "max": str(max_value)}
                    broken.setdefault(row, RowFault("10004.long_value", params=params))
    for column in values.values():
        for row in broken:
            column[row] = ""
    return clean


def trimmed(cells: Iterable[str]) -> list[str]:
    """Cells up to the last that holds something; none when there are only blanks."""
    texts = list(cells)
    while texts and not texts[-1]:
        texts.pop()
    return [] if "".join(texts).isspace() else texts


def place(sheet: str, row: int) -> str:
    """See standards.places; a bar would be taken for the end of a zip member's name."""
    return f"{sheet.replace('|', '｜')}!{row}"


def column_letters(index: int) -> str:
    """The name of a column: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _nothing(sheet: str) -> UnreadablePayload:
    which_zh, which = ("", "") if sheet in ("first", "all") else (f"“{sheet}”", f' "{sheet}"')
    return unreadable(
        f"工作表{which_zh}是空的",
        f"the sheet{which} is empty",
        "请确认数据填在正确的工作表中并已保存",
        "make sure that the data stand in the right sheet and were saved",
    )
