"""Marks one .xlsx in a process of its own, with bounds on memory and time.

Started by its path, without the hub's packages:

    python -I -S mark_child.py SITE_PACKAGES   < request as JSON; both files are descriptors named in it

The request: {"file", "out", "memory", "seconds", "author", "result", "headings", "marks": [[sheet, column, row, text,
serious]], "lines": [[…]]}.  The exit code is 0 when the marked workbook was written.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any

_RED, _AMBER = "FFF4B8B4", "FFFFE8A3"


def _limit(memory: int, seconds: int) -> None:
    for what, limit in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _unmark(book: Any, author: str, result: str) -> None:
    """Take away what an earlier marking left."""
    from openpyxl.styles import PatternFill

    if result in book.sheetnames:
        del book[result]
    for sheet in book.worksheets:
        for cell in [c for c in sheet._cells.values() if c.comment is not None and c.comment.author == author]:
            cell.comment = None
            if cell.fill.fgColor.rgb in (_RED, _AMBER):
                cell.fill = PatternFill()


def _mark(book: Any, request: dict[str, Any]) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    fills = {True: PatternFill("solid", fgColor=_RED), False: PatternFill("solid", fgColor=_AMBER)}
    texts: dict[tuple[str, str, int], tuple[list[str], bool]] = {}
    for name, column, row, text, serious in request["marks"]:
        held, grave = texts.setdefault((name, column, row), ([], False))
        held.append(text)
        texts[(name, column, row)] = (held, grave or serious)
    for (name, column, row), (said, grave) in texts.items():
        if name not in book.sheetnames:
            continue
        sheet = book[name]
        cell = sheet[f"{column or 'A'}{row}"]
        if not hasattr(cell, "fill") or type(cell).__name__ == "MergedCell":
            continue
        cell.fill = fills[grave]
        cell.comment = Comment("\n".join(said)[:3000], request["author"], height=110, width=320)


def _result(book: Any, request: dict[str, Any]) -> None:
    from openpyxl.styles import Alignment, Font

    sheet = book.create_sheet(request["result"])
    sheet.append(request["headings"])
    for line in request["lines"]:
        sheet.append(line)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for letter, width in zip("ABCDEFG", (34, 24, 24, 60, 50, 14, 8), strict=False):
        sheet.column_dimensions[letter].width = width
    for row in sheet.iter_rows(min_row=2, max_col=7):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.number_format = "@"
            cell.data_type = "s"
    sheet.freeze_panes = "A2"


def main() -> None:
    """Read the request, mark, write."""
    sys.path.append(sys.argv[1])
    request = json.loads(sys.stdin.readline())
    import openpyxl

    _limit(request["memory"], request["seconds"])
    with os.fdopen(request["file"], "rb") as file:
        book = openpyxl.load_workbook(file)
    _unmark(book, request["author"], request["result"])
    _mark(book, request)
    _result(book, request)
    with os.fdopen(request["out"], "wb") as out:
        book.save(out)


if __name__ == "__main__":
    main()
