"""CSV: records as columns, in bounded memory, with exact lines and byte offsets.

What is taken and what is not, row by row:

* an empty line, or one of delimiters only, is passed over;
* a row with surplus fields is broken, unless the surplus is blank;
* a row with too few fields is taken if it has at least half of them (exporters cut off blank ones at the end), unless
  the next row has exactly the missing part: then a line break without quotes has torn one record, and both are broken;
* a quote that is never closed breaks its own line; reading goes on with the line behind it;
* a record over several lines whose quote is closed in the middle of a text is broken: a quote was forgotten, and that
  of a later row closed it.  Reading goes on with the first of its lines that is a good record by itself.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from adapters.formats import csv_cells
from adapters.formats.base import LegacyChunk, Payload, Reading, ReadOptions, RowFault
from adapters.formats.csv_cells import Signs
from adapters.formats.csv_layout import END, Layout, allow_long_fields, find_layout, line_limit, parse_line
from adapters.formats.encoding import Decoding, find_decoding
from adapters.formats.lines import TOO_LONG, Lines
from adapters.formats.refusal import unreadable
from adapters.formats.tables import Width, filled
from standards.errors import UnreadablePayload

#: Raw bytes, lines and cells of one chunk at most, roughly: it ends earlier when its rows are unusually large.
_CHUNK_BYTES = 1 << 24
_CHUNK_LINES = 100_000
_CHUNK_CELLS = 2_000_000
#: Rows with an unclosed quote after which the file is given up, and torn records that are looked at twice.
_ALARMS = 20
_RESYNCS = 200


class CsvReader:
    """Reads CSV."""

    def read(
        self, payload: Payload, options: ReadOptions, reading: Reading, resume: Mapping[str, int | str] | None = None
    ) -> Iterator[LegacyChunk]:
        """See `Reader.read`.  The bookmark holds byte, line and codec; the header is read again."""
        reading.format = "csv"
        if resume:
            decoding = Decoding(str(resume["codec"]), str(resume["decoded_by"]), int(resume["bom"]))
            reading.encoding, reading.decoded_by = decoding.codec, decoding.found_by
        else:
            decoding = find_decoding(payload, options, reading)
        layout = find_layout(payload, options, reading, decoding)
        start = _Start(layout.offset, layout.line)
        if resume:
            start = _Start(int(resume["offset"]), int(resume["line"]), int(resume["short"]))
        lines = Lines(payload.open(start.offset), decoding, line_limit(options), old_mac=layout.old_mac)
        try:
            table = _Table(lines, layout, options.max_value, start)
            want = min(options.chunk, max(1, _CHUNK_CELLS // len(layout.fields)))
            while (taken := table.take(want)) is not None:
                chunk = _chunk(taken, layout, options, decoding)
                chunk.bookmark = {
                    **table.bookmark(),
                    "codec": decoding.codec,
                    "decoded_by": decoding.found_by,
                    "bom": decoding.bom,
                }
                yield chunk
        finally:
            lines.close()


@dataclass(frozen=True, slots=True)
class _Start:
    """Where reading begins."""

    offset: int
    line: int
    #: Fields of the row before it, if that was short.
    short: int = 0


@dataclass(slots=True)
class _Taken:
    """The rows of one chunk; all have the width of the header."""

    rows: list[list[str]] = field(default_factory=list)
    #: Line in which each row begins.
    starts: list[int] = field(default_factory=list)
    broken: dict[int, RowFault] = field(default_factory=dict)
    raw_offset: int = 0
    signs: Signs = Signs.NONE


def _chunk(taken: _Taken, layout: Layout, options: ReadOptions, decoding: Decoding) -> LegacyChunk:
    columns = [list(column) for column in zip(*taken.rows, strict=True)]
    if taken.signs is not Signs.NONE:
        limits = csv_cells.Limits(layout.fields, options.max_value, decoding.codec)
        csv_cells.mend(columns, taken.broken, taken.signs, limits)
    first, count = taken.starts[0], len(taken.rows)
    if taken.starts[-1] - first == count - 1:
        places = [f"L{number}" for number in range(first, first + count)]
    else:
        places = [f"L{number}" for number in taken.starts]
    return LegacyChunk(
        layout.fields,
        dict(zip(layout.fields, columns, strict=True)),
        count,
        places,
        taken.broken,
        clean=Signs.UNCLEAN not in taken.signs,
        raw_offset=taken.raw_offset,
    )


class _UnclosedError(Exception):
    """The record under way has grown beyond what a value may hold."""


class _EnoughError(Exception):
    """The chunk under way is large enough."""


class _Table:
    """The rows behind the header.  Keeps the lines of the chunk under way, so that it can go back within it."""

    def __init__(self, lines: Lines, layout: Layout, max_value: int, start: _Start) -> None:
        allow_long_fields()
        self._lines = lines
        self._dialect = layout.dialect
        self._quoted = bool(layout.quote)
        self._width = Width(len(layout.fields))
        self._blank_row = [""] * len(layout.fields)
        self._limit = max_value
        #: The lines from the chunk's first on, their raw lengths, number and offset of the first.
        self._window: list[str] = []
        self._lengths: list[int] = []
        self._first = start.line
        self._offset = start.offset
        #: Index in the window of the line behind the last complete record.
        self._done = 0
        #: What is remarkable about lines up to a number.
        self._signs: list[tuple[int, Signs]] = []
        self._taken = _Taken()
        self._want = 0
        #: Fields of the row just taken, if it was short, and its index in the chunk (-1: the last of the chunk before).
        self._short = start.short
        self._short_at = -1
        self._ended = False
        self._alarms = 0
        self._first_alarm = 0
        self._resyncs = 0

    def bookmark(self) -> dict[str, int | str]:
        """Where the next chunk begins."""
        return {
            "offset": self._offset + sum(self._lengths[: self._done]),
            "line": self._first + self._done,
            "short": self._short if self._short_at == len(self._taken.rows) - 1 else 0,
        }

    def take(self, want: int) -> _Taken | None:
        """The next `want` rows, or fewer at the end or when they are very large; None when there are no more."""
        self._trim()
        if self._short_at != len(self._taken.rows) - 1:
            self._short = 0
        self._short_at = -1
        taken = self._taken = _Taken()
        self._want = want
        more = True
        while more and len(taken.rows) < want:
            more = self._run()
        if not taken.rows:
            return None
        if more and self._short_at == len(taken.rows) - 1 > 0:
            self._give_back()
        taken.raw_offset = self._offset + sum(self._lengths[: taken.starts[0] - self._first])
        for _, signs in self._signs:
            taken.signs |= signs
        if self._done != len(taken.rows):
            taken.signs |= Signs.SEVERAL_LINES
        return taken

    def _give_back(self) -> None:
        """Leave the last row, a short one, to the next chunk: what it is depends on the row behind it."""
        taken = self._taken
        taken.rows.pop()
        taken.broken.pop(len(taken.rows), None)
        self._done = taken.starts.pop() - self._first
        self._short, self._short_at = 0, -1

    def _trim(self) -> None:
        """Forget the lines of the last chunk."""
        self._offset += sum(self._lengths[: self._done])
        self._first += self._done
        del self._window[: self._done], self._lengths[: self._done]
        self._done = 0
        self._signs = [(end, signs) for end, signs in self._signs if end > self._first]

    def _run(self) -> bool:
        """Take rows until there are enough, or something odd asks for a fresh start; False when the chunk is over."""
        taken, want, width = self._taken, self._want, self._width.expected
        rows, starts = taken.rows, taken.starts
        base, first = self._done, self._first
        reader = csv.reader(self._feed(base), **self._dialect)
        try:
            for row in reader:
                end = base + reader.line_num
                if len(row) == width and (row[0] or any(row)) and (end - self._done == 1 or self._is_sound(end)):
                    rows.append(row)
                    starts.append(first + self._done)
                    self._done = end
                elif not self._odd(row, end):
                    return not self._ended
                if len(rows) >= want:
                    break
        except _UnclosedError:
            self._unclosed()
        except _EnoughError:
            if taken.rows:
                return False
            # Nothing but empty lines so far.
            self._trim()
        except csv.Error as error:
            self._break(RowFault("10004.row", params={"reason": str(error)}), self._done + 1)
        if self._done > len(self._window):
            # The last row has taken in the line that marks the end.
            rows.pop()
            self._done = starts.pop() - first
            self._at_end()
        return not self._ended

    def _at_end(self) -> None:
        """The mark of the end was read: by itself, or by a record whose quote was never closed."""
        if self._done >= len(self._window):
            self._ended = True
        else:
            self._unclosed()

    def _feed(self, index: int) -> Iterator[str]:
        """The lines from an index of the window on; more are read when they are asked for."""
        while True:
            yield from self._window[index:]
            index = len(self._window)
            if not self._more():
                break
        yield END

    def _more(self) -> bool:
        if self._quoted and len(self._window) - self._done > 1 and sum(self._lengths[self._done :]) > self._limit:
            raise _UnclosedError
        if self._done and (len(self._window) > _CHUNK_LINES or sum(self._lengths) > _CHUNK_BYTES):
            raise _EnoughError
        batch = self._lines.read(max(self._want - len(self._taken.rows), 1))
        if batch is None:
            return False
        signs, texts = csv_cells.signs_of(batch, self._limit)
        self._window += texts
        self._lengths += batch.lengths
        if signs is not Signs.NONE:
            self._signs.append((self._first + len(self._window), signs))
        return True

    def _break(self, fault: RowFault, end: int) -> None:
        """The record under way cannot be read; the next begins at `end`."""
        taken = self._taken
        taken.broken[len(taken.rows)] = fault
        taken.rows.append(self._blank_row)
        taken.starts.append(self._first + self._done)
        self._done = end

    def _unclosed(self) -> None:
        """The record under way opened a quote that does not end: its first line is broken, the others are not."""
        line = self._first + self._done
        self._first_alarm = self._first_alarm or line
        self._alarms += 1
        if self._alarms > _ALARMS:
            raise _hopeless(self._first_alarm, line)
        self._break(RowFault("10004.quote"), self._done + 1)

    def _odd(self, row: list[str], end: int) -> bool:
        """Deal with a row of another width; False when the reader must start afresh at `_done`."""
        if end > len(self._window):
            self._at_end()
            return False
        if not any(cell.strip("\0 \t\u3000") for cell in row):
            self._done = end
            return True
        if any(TOO_LONG in cell for cell in row):
            length = max(self._lengths[self._done : end])
            self._break(RowFault("10004.long_row", params={"length": str(length), "max": str(4 * self._limit)}), end)
            return True
        if end - self._done > 1:
            sound = self._is_sound(end)
            again = None if sound and self._width.fits(row) else self._resync(end)
            if again is not None or not sound:
                self._break(RowFault("10004.quote"), again or end)
                return again is None
        self._take_odd(row, end)
        return True

    def _is_sound(self, end: int) -> bool:
        """False when a quote of a record over several lines is closed in the middle of a text.

        That is what happens when a quote is forgotten: the next quoted field's opening quote closes it.
        """
        try:
            next(csv.reader(self._window[self._done : end], strict=True, **self._dialect))
        except csv.Error:
            return False
        return True

    def _take_odd(self, row: list[str], end: int) -> None:
        taken, width = self._taken, self._width
        number, found = len(taken.rows), len(row)
        before = self._short if self._short_at == number - 1 else 0
        if before and before + found == width.expected + 1:
            # This row is what the row before it lacks.
            if number > 0:
                taken.rows[-1] = self._blank_row
                taken.broken[number - 1] = self._count_fault(before)
            self._break(self._count_fault(found), end)
            return
        if found < width.expected:
            self._short, self._short_at = found, number
        if not width.fits(row):
            self._break(self._count_fault(found), end)
            return
        taken.rows.append(width.fit(row))
        taken.starts.append(self._first + self._done)
        self._done = end

    def _count_fault(self, found: int) -> RowFault:
        return RowFault("10004.row", params={"expected": str(self._width.expected), "found": str(found)})

    def _resync(self, end: int) -> int | None:
        """The first line within the record under way that is a good record by itself."""
        if self._resyncs >= _RESYNCS:
            return None
        self._resyncs += 1
        for index in range(self._done + 1, end):
            cells = parse_line(self._window[index], self._dialect)
            if len(cells) == self._width.expected and filled(cells):
                return index
        return None


def _hopeless(first: int, last: int) -> UnreadablePayload:
    return unreadable(
        f"引号不配对：第 {first} 行起有多处引号没有闭合（最后一处在第 {last} 行）",
        f"quotes do not match: several are never closed, the first in line {first}, the last in line {last}",
        "请用 Excel 或数据库工具重新导出 CSV；值中的引号要写成两个引号",
        "export the CSV again with a proper tool; a quote within a value must be doubled",
    )
