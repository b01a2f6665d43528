"""Reads one workbook in a process of its own, and writes its rows as text to standard output.

A sheet of a few bytes can ask for terabytes (one cell at XFD1048576), and the library then aborts its process.  So it
runs here, with bounds on memory and processor time; the parent sees an end and tells the sender.  This file is started
by its path, without the hub's packages:

    python -I -S workbook_child.py SITE_PACKAGES   < request as JSON; the workbook is a file descriptor named in it

What it writes: frames of a length (4 bytes, big-endian) and a MessagePack value:

    ["sheet", name, first column]      ["rows", [[row number, [text, …]], …]]      ["end"]
    ["error", kind, message]           kind: password, sheet, unreadable
"""

from __future__ import annotations

import datetime
import json
import math
import os
import resource
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

#: Rows and characters of one frame, roughly.
_ROWS = 500
_CHARACTERS = 1 << 19
#: From here on a number of Excel has lost digits: it keeps fifteen.
_INEXACT = 1e15
_MERGES = 100_000
#: The sheet that a marked answer of ours has at its end (adapters.workbook.marks): it holds no records.
RESULT_SHEET = "枢纽校验结果"


def text_of(value: Any) -> str:
    """A cell as the text a person would expect."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value) if abs(value) < _INEXACT else number_text(float(value))
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime.datetime):
        value = (value + datetime.timedelta(microseconds=500_000)).replace(microsecond=0)
        return str(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return value.strftime("%H:%M:%S")
    if isinstance(value, datetime.timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return str(value)


def number_text(value: float) -> str:
    """A number as Excel shows it: fifteen digits; so large that digits were lost, with its exponent."""
    if not math.isfinite(value):
        return ""
    if abs(value) >= _INEXACT:
        mantissa, _, exponent = f"{value:.14E}".partition("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"
    if value.is_integer():
        return str(int(value))
    text = f"{value:.15g}"
    if "e" in text:
        text = f"{value:.20f}".rstrip("0")
    return text


def _limit(memory: int, seconds: int) -> None:
    for what, limit in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


class _Out:
    """Writes frames."""

    def __init__(self, stream: BinaryIO) -> None:
        import msgspec

        self._stream = stream
        self._encode = msgspec.msgpack.encode

    def send(self, *frame: object) -> None:
        """One frame."""
        data = self._encode(frame)
        self._stream.write(struct.pack(">I", len(data)) + data)


def _is_visible(about: Any) -> bool:
    return "VeryHidden" not in str(about.visible) and "Hidden" not in str(about.visible)


def _wanted(workbook: Any, sheet: str) -> list[str]:
    """Names of the sheets to read; empty when the named one is not there."""
    sheets = [about for about in workbook.sheets_metadata if "WorkSheet" in str(about.typ)]
    if sheet not in ("first", "all"):
        return [about.name for about in sheets if about.name.strip() == sheet.strip()][:1]
    sheets = [about for about in sheets if about.name != RESULT_SHEET] or sheets
    visible = [about.name for about in sheets if _is_visible(about)]
    return visible or [about.name for about in sheets]


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Number and texts of each row that holds something; a merged cell's value stands in each of its rows."""
    merged = _merged(sheet)
    below: dict[int, tuple[int, str]] = {}
    start = sheet.start
    first_column = start[1] if start else 0
    for number, row in enumerate(sheet.iter_rows()):
        texts = [value if type(value) is str else text_of(value) for value in row]
        if merged:
            for column, last in merged.get(number, ()):
                index = column - first_column
                if 0 <= index < len(texts) and texts[index]:
                    below[index] = (last, texts[index])
            for index, (last, text) in list(below.items()):
                if number > last:
                    del below[index]
                elif not texts[index]:
                    texts[index] = text
        while texts and not texts[-1]:
            texts.pop()
        if texts and not "".join(texts).isspace():
            yield number + 1, texts


def _merged(sheet: Any) -> dict[int, list[tuple[int, int]]]:
    """First row -> column and last row of cells merged downwards."""
    try:
        ranges = sheet.merged_cell_ranges or []
    except Exception:  # a sheet without merged cells is as good
        return {}
    found: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, _) in ranges[:_MERGES]:
        if bottom > top:
            found.setdefault(top, []).append((left, bottom))
    return found


def _read(workbook: Any, request: dict[str, Any], out: _Out) -> None:
    names = _wanted(workbook, request["sheet"])
    if not names:
        out.send("error", "sheet", "、".join(workbook.sheet_names[:20]))
        return
    for name in names:
        sheet = workbook.get_sheet_by_name(name)
        frame: list[tuple[int, list[str]]] = []
        size = 0
        told = False
        for number, texts in _rows(sheet):
            if not told:
                out.send("sheet", name, sheet.start[1] if sheet.start else 0)
                told = True
            frame.append((number, texts))
            size += sum(map(len, texts))
            if len(frame) >= _ROWS or size > _CHARACTERS:
                out.send("rows", frame)
                frame, size = [], 0
        if frame:
            out.send("rows", frame)
        if told and request["sheet"] == "first":
            break
    out.send("end")


def _open(calamine: Any, file: BinaryIO) -> Any:
    """The workbook.  What is wrong with one that cannot be read is only told to who says what it should be."""
    try:
        return calamine.CalamineWorkbook.from_filelike(file)
    except calamine.CalamineError:
        import tempfile

        file.seek(0)
        suffix = ".xls" if file.read(4) == b"\xd0\xcf\x11\xe0" else ".xlsx"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, f"workbook{suffix}")
            os.symlink(f"/proc/self/fd/{file.fileno()}", path)
            return calamine.CalamineWorkbook.from_path(path)


def main() -> None:
    """Read the request, then the workbook."""
    sys.path.append(sys.argv[1])
    request = json.loads(sys.stdin.readline())
    import python_calamine as calamine

    with os.fdopen(1, "wb", buffering=1 << 16, closefd=False) as stream:
        out = _Out(stream)
        _limit(request["memory"], request["seconds"])
        try:
            with os.fdopen(request["file"], "rb") as file, _open(calamine, file) as workbook:
                _read(workbook, request, out)
        except calamine.PasswordError as error:
            out.send("error", "password", str(error))
        except MemoryError:
            out.send("error", "memory", "")
        except BrokenPipeError:
            os._exit(0)
        except BaseException as error:  # also what the library panics with
            out.send("error", "unreadable", f"{type(error).__name__}: {error}"[:500])


if __name__ == "__main__":
    main()
