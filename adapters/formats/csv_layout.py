"""How a CSV is laid out: delimiter, title lines, header, and where its data begin.  Found from its first lines."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from adapters.formats.base import Payload, Reading, ReadOptions
from adapters.formats.encoding import Decoding
from adapters.formats.lines import TOO_LONG, Lines
from adapters.formats.refusal import unreadable
from adapters.formats.tables import PREVIEW_ROWS, field_names, filled, header_at, is_id_row, tidy_name
from standards.encodings import decode
from standards.errors import BadConfiguration, UnreadablePayload

#: A line behind the last one: a record that takes it in has a quote that was never closed.
END = "\ufdd3"

_DELIMITERS = (",", "\t", ";", "|")
_WORDS = {"comma": ",", "tab": "\t", "\\t": "\t", "semicolon": ";", "pipe": "|", "space": " "}
_PREVIEW_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class Layout:
    """What is needed to read the records of a CSV."""

    delimiter: str
    quote: str
    fields: tuple[str, ...]
    #: Where the first record may stand: raw byte and line.
    offset: int
    line: int
    old_mac: bool

    @property
    def dialect(self) -> dict[str, Any]:
        """For csv.reader."""
        return dialect(self.delimiter, self.quote)


def dialect(delimiter: str, quote: str) -> dict[str, Any]:
    """Keywords for csv.reader."""
    if not quote:
        return {"delimiter": delimiter, "quoting": csv.QUOTE_NONE}
    return {"delimiter": delimiter, "quotechar": quote}


def line_limit(options: ReadOptions) -> int:
    """Bytes of one line at most."""
    return 4 * options.max_value


def allow_long_fields() -> None:
    """The csv module's own limit is for the whole process; ours are stricter where it matters."""
    if csv.field_size_limit() < 1 << 27:
        csv.field_size_limit(1 << 27)


@dataclass(frozen=True, slots=True)
class _Row:
    cells: list[str]
    #: Index of its first line and of the line behind it.
    start: int
    end: int


def find_layout(payload: Payload, options: ReadOptions, reading: Reading, decoding: Decoding) -> Layout:
    """Look at the first lines.  Raises UnreadablePayload when there is no header to be found in them."""
    allow_long_fields()
    old_mac = _is_old_mac(payload, decoding)
    texts, lengths = _first_lines(payload, options, decoding, old_mac)
    skipped, chosen = _separator_line(texts)
    chosen = _chosen(options) or chosen
    if isinstance(options.title_rows, int):
        skipped += options.title_rows
    quote = options.quote
    candidates = [chosen] if chosen else list(_DELIMITERS)
    parsed = {d: _parse(texts, skipped, d, quote) for d in candidates}
    best = max(candidates, key=lambda d: _score(parsed[d], options))
    if not any(row.cells for row in parsed[best]):
        raise _no_header(len(texts))
    cells, end = _header(parsed[best], options)
    fields = field_names(cells, options, reading, f"L{end}")
    return Layout(best, quote, fields, decoding.bom + sum(lengths[:end]), end + 1, old_mac)


def _is_old_mac(payload: Payload, decoding: Decoding) -> bool:
    with payload.open(decoding.bom) as stream:
        head = decode(stream.read(1 << 20), decoding.codec, "ignore")
    return "\r" in head and "\n" not in head


def _first_lines(
    payload: Payload, options: ReadOptions, decoding: Decoding, old_mac: bool
) -> tuple[list[str], list[int]]:
    lines = Lines(payload.open(decoding.bom), decoding, line_limit(options), old_mac=old_mac)
    texts: list[str] = []
    lengths: list[int] = []
    size = 0
    try:
        while len(texts) < PREVIEW_ROWS and size < _PREVIEW_CHARACTERS and (batch := lines.read(1)):
            texts += batch.texts
            lengths += batch.lengths
            size += len(batch.texts[0])
    finally:
        lines.close()
    for number, text in enumerate(texts, 1):
        if text.startswith(TOO_LONG):
            raise _endless_line(number, lengths[number - 1])
        if text.strip():
            break
    return texts, lengths


def _separator_line(texts: Sequence[str]) -> tuple[int, str]:
    """Excel's `sep=;` in the first line: lines to pass over, and the delimiter it names."""
    first = texts[0].rstrip("\r\n") if texts else ""
    if len(first) == 5 and first[:4].lower() == "sep=":
        return 1, first[4]
    return 0, ""


def _chosen(options: ReadOptions) -> str:
    if options.delimiter == "auto":
        return ""
    delimiter = _WORDS.get(options.delimiter, options.delimiter)
    if len(delimiter) != 1 or delimiter in "\r\n" or delimiter == options.quote:
        raise BadConfiguration(
            f"delimiter {options.delimiter!r} is not a single character",
            what_zh=f"分隔符“{options.delimiter}”不是单个字符",
            hint="auto, tab, or one character such as , ; |",
            hint_zh="可填 auto、tab，或一个字符，如 , ; |",
        )
    return delimiter


def parse_line(text: str, keywords: dict[str, Any]) -> list[str]:
    """The fields of one line by itself."""
    return next(csv.reader([text.replace("\r", " ")], **keywords), [])


def _parse(texts: Sequence[str], skip: int, delimiter: str, quote: str) -> list[_Row]:
    """Rows of the first lines; one whose quote is not closed within them counts as a single line."""
    keywords = dialect(delimiter, quote)
    rows: list[_Row] = []
    at = skip
    while at < len(texts):
        reader = csv.reader(chain(texts[at:], (END,)), **keywords)
        try:
            cells = next(reader)
            closed = reader.line_num <= len(texts) - at
        except csv.Error:
            cells, closed = [], False
        span = reader.line_num
        if not closed:
            cells, span = parse_line(texts[at], keywords), 1
        rows.append(_Row(cells, at, at + span))
        at += span
    return rows


def _score(rows: Sequence[_Row], options: ReadOptions) -> tuple[bool, float]:
    """How well a delimiter explains the lines: fields of the header, times the share of rows that agree.

    One under which the first line is the header and nearly all rows agree goes before one that needs title lines:
    texts below a header may hold commas as regularly as fields do.
    """
    shown = [row for row in rows if filled(row.cells)]
    if not shown:
        return False, 0.0
    start = 0 if options.header or options.title_rows != "auto" else header_at([r.cells for r in shown], ragged=True)
    width = len(options.header) if options.header else len(shown[start].cells)
    below = shown[start if options.header else start + 1 :]
    agreeing = sum(1 for row in below if len(row.cells) == width)
    share = agreeing / len(below) if below else 1.0
    if width < 2:
        return False, 0.0
    return start == 0 and share >= 0.9, width * share


def _header(rows: Sequence[_Row], options: ReadOptions) -> tuple[list[str], int]:
    """The header's cells and the index of the line behind it (and behind the row of element ids, if there is one)."""
    shown = [row for row in rows if filled(row.cells)]
    if options.header:
        first = shown[0] if shown else None
        if first is not None and [tidy_name(c) for c in first.cells] == [tidy_name(c) for c in options.header]:
            return list(options.header), first.end
        return list(options.header), rows[0].start
    if not shown:
        raise _no_header(len(rows))
    index = 0 if options.title_rows != "auto" else header_at([row.cells for row in shown], ragged=True)
    header, end = shown[index], shown[index].end
    below = [row.cells for row in shown[index + 1 :]]
    if below and is_id_row(header.cells, below[0]):
        end, below = shown[index + 1].end, below[1:]
    return _without_empty_end(header.cells, below), end


def _without_empty_end(cells: list[str], below: Sequence[Sequence[str]]) -> list[str]:
    """The header without nameless columns at its end, where these hold nothing: every line ends with a delimiter."""
    end = len(cells)
    while end > 1 and not cells[end - 1].strip() and not any(len(r) >= end and r[end - 1].strip() for r in below):
        end -= 1
    return cells[:end]


def _no_header(lines: int) -> UnreadablePayload:
    return unreadable(
        f"前 {lines} 行中没有表头",
        f"no header in the first {lines} lines",
        "请在第一行填写各列名称；文件本来没有表头的，请运维人员在该接入上设置 header",
        "put the column names into the first line, or have the operator set 'header' for this connection",
    )


def _endless_line(number: int, length: int) -> UnreadablePayload:
    return unreadable(
        f"第 {number} 行过长（{length} 字节），不像表格文件",
        f"line {number} is too long for a table ({length} bytes)",
        "请确认文件是 CSV，且每条记录占一行",
        "make sure that this is a CSV with one line for each record",
    )
