"""Where something stands in the sender's file: short text that is stored, words that are shown.

L12                    line 12 of a text file
Sheet1!12  Sheet1!D12  row 12 of a sheet, cell D12
/cases/case[3]         XPath in an XML document
#/records/4            JSON pointer (RFC 6901)
@t_penalty[id=5]       the row of a table with that key
b.csv|L12              the same inside a file of a zip
"""

from __future__ import annotations

import re

_LINE = re.compile(r"^L(\d+)$")
_TABLE_ROW = re.compile(r"^@(?P<table>[^\[]+)\[(?P<key>.*)\]$", re.DOTALL)
_CELL = re.compile(r"^(?P<sheet>.*)!(?P<column>[A-Z]*)(?P<row>\d+)$", re.DOTALL)


def with_column(place: str, letter: str) -> str:
    """`Sheet1!12` and `D` make `Sheet1!D12`; other places have no columns and stay."""
    member, bar, inner = place.rpartition("|")
    found = _CELL.match(inner)
    if not letter or not found or found["column"]:
        return place
    return f"{member}{bar}{found['sheet']}!{letter}{found['row']}"


def in_words(place: str, language: str = "zh") -> str:
    """The place as a clerk would say it."""
    member, _, inner = place.rpartition("|")
    words = _inner_words(inner, language == "zh")
    if not member:
        return words
    return f"文件“{member}”{words}" if language == "zh" else f'file "{member}", {words}'


def _inner_words(inner: str, chinese: bool) -> str:
    if found := _LINE.match(inner):
        return f"第 {found[1]} 行" if chinese else f"line {found[1]}"
    if found := _CELL.match(inner):
        sheet, column, row = found["sheet"], found["column"], found["row"]
        if chinese:
            return f"工作表“{sheet}”第 {row} 行" + (f"（单元格 {column}{row}）" if column else "")
        return f'sheet "{sheet}", row {row}' + (f" (cell {column}{row})" if column else "")
    if found := _TABLE_ROW.match(inner):
        table, key = found["table"], found["key"]
        return f"表 {table} 中 {key} 的行" if chinese else f"table {table}, row {key}"
    if inner.startswith("#"):
        return f"JSON 位置 {inner}" if chinese else f"JSON pointer {inner}"
    if inner.startswith("/"):
        return f"XML 位置 {inner}" if chinese else f"XPath {inner}"
    return inner
