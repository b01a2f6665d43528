"""What was asked for, as files: NDJSON and CSV while they are made, Excel through a temporary file."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import xlsxwriter

from hub.sharing.reading import Stored
from standards.model import DataSet

Seen = Iterable[tuple[Stored, Mapping[str, str]]]

_PIECE = 1 << 16
#: Rows of one Excel sheet, the header among them.
_ROWS = 1_048_576
_OWN = ("owner", "revision", "event_date")
_OWN_TITLES = ("数据归属单位", "版次", "业务日期")


def ndjson(seen: Seen) -> Iterator[bytes]:
    """A record a line."""
    for one, values in seen:
        line = {"owner": one.owner, "cd_id": one.cd_id, "revision": one.revision, "values": dict(values)}
        yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


def comma(seen: Seen, dataset: DataSet, names: Sequence[str]) -> Iterator[bytes]:
    """CSV with Chinese titles and a BOM, so that Excel reads it; a value that begins like a formula is quoted."""
    held = io.StringIO()
    writer = csv.writer(held)
    titles = [dataset.by_id[name].title for name in names]
    held.write("\ufeff")
    writer.writerow([*_OWN_TITLES, *titles])
    for one, values in seen:
        writer.writerow([one.owner, one.revision, one.event_date, *(_plain(values.get(n, "")) for n in names)])
        if held.tell() > _PIECE:
            yield held.getvalue().encode()
            held.seek(0)
            held.truncate()
    yield held.getvalue().encode()


def _plain(value: str) -> str:
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") and not value[1:2].isdigit() else value


def workbook(sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]) -> Iterator[bytes]:
    """Sheets of title, header and rows; every cell is text, memory does not grow with the rows."""
    with tempfile.TemporaryFile() as file:
        words = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        book = xlsxwriter.Workbook(file, words)
        text = book.add_format({"num_format": "@"})
        heading = book.add_format({"bold": True, "num_format": "@"})
        for title, header, rows in sheets:
            sheet = book.add_worksheet(title[:31])
            sheet.set_column(0, max(len(header) - 1, 0), 22, text)
            sheet.write_row(0, 0, header, heading)
            for number, row in enumerate(rows, 1):
                if number >= _ROWS:
                    break
                for column, value in enumerate(row):
                    sheet.write_string(number, column, str(value), text)
            sheet.freeze_panes(1, 0)
        book.close()
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


def sheet_of(seen: Seen, dataset: DataSet, names: Sequence[str]) -> tuple[str, Sequence[str], Iterable[Sequence[Any]]]:
    """One data set as a sheet."""
    header = [*_OWN_TITLES, *(dataset.by_id[name].title for name in names)]
    rows = ([one.owner, one.revision, one.event_date, *(v.get(n, "") for n in names)] for one, v in seen)
    return dataset.title, header, rows
