"""Rows of any hand-over as a workbook, with the faults marked: the answer to a CSV, an XML file or an old .xls."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

import xlsxwriter

from adapters.formats.base import LegacyChunk
from adapters.workbook.marks import AUTHOR, HEADINGS, MAX_MARKS, RESULT_SHEET, Fault

#: Up to so many rows are all in the answer; of a larger hand-over only the faulty ones.
WHOLE = 2_000
#: Rows in the answer at most.
MAX_ROWS = 20_000
_WIDTHS = (34, 24, 24, 60, 50, 14, 8)


def sheet_of(rows: Iterable[tuple[LegacyChunk, Sequence[int]]], faults: Sequence[Fault]) -> bytes:
    """Rows of a hand-over, each chunk with the numbers of its records in the whole, with their faults."""
    by_row: dict[int, list[Fault]] = {}
    for fault in faults:
        by_row.setdefault(fault.row_no, []).append(fault)
    held = io.BytesIO()
    book = xlsxwriter.Workbook(
        held,
        {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False},
    )
    sheet = book.add_worksheet("报送数据")
    text = book.add_format({"num_format": "@"})
    colours = {
        True: book.add_format({"num_format": "@", "bg_color": "#F4B8B4"}),
        False: book.add_format({"num_format": "@", "bg_color": "#FFE8A3"}),
    }
    bold = book.add_format({"bold": True, "bg_color": "#DDE3EA"})
    columns: dict[str, int] = {}
    line = comments = 0
    for chunk, numbers in rows:
        for field in chunk.fields:
            if field not in columns and len(columns) < 1000:
                columns[field] = len(columns)
                sheet.write_string(0, columns[field], field[:32000], bold)
        for i, row_no in enumerate(numbers):
            if line == MAX_ROWS:
                break
            line += 1
            marked = _by_field(by_row.get(row_no, []))
            for field, column in columns.items():
                values = chunk.columns.get(field)
                value = values[i] if values else ""
                said = marked.get(field)
                style = colours[any(f.serious for f in said)] if said else text
                if value or said:
                    sheet.write_string(line, column, value[:32000], style)
            for field, said in marked.items():
                if comments < MAX_MARKS:
                    comments += 1
                    note = "\n".join(f.comment for f in said)[:3000]
                    sheet.write_comment(line, columns.get(field, 0), note, {"author": AUTHOR, "x_scale": 2.5})
    sheet.freeze_panes(1, 0)
    _result(book, faults, bold)
    book.close()
    return held.getvalue()


def _by_field(faults: Sequence[Fault]) -> Mapping[str, list[Fault]]:
    result: dict[str, list[Fault]] = {}
    for fault in faults:
        result.setdefault(fault.field, []).append(fault)
    return result


def _result(book: xlsxwriter.Workbook, faults: Sequence[Fault], bold: object) -> None:
    sheet = book.add_worksheet(RESULT_SHEET)
    wrapped = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    for column, (heading, width) in enumerate(zip(HEADINGS, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, heading, bold)
    for number, fault in enumerate(faults, 1):
        for column, word in enumerate(fault.line):
            sheet.write_string(number, column, word, wrapped)
    sheet.freeze_panes(1, 0)
