"""Workbooks (xlsx, xls, xlsb, ods): rows of a sheet as records, places as `Sheet1!12`.

Rows that are empty are passed over wherever they stand.  Dates become `2020-01-02` or `2020-01-02 03:04:05`, whole
numbers lose their `.0`, a number so large that Excel has lost digits keeps its exponent so that this can be told, an
error such as #N/A is empty, and the value of cells merged downwards stands in each of their rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import BinaryIO

from adapters.formats import archive
from adapters.formats.base import LegacyChunk, Payload, Reading, ReadOptions
from adapters.formats.refusal import too_large, unreadable
from adapters.formats.sheet_rows import read_sheets
from adapters.formats.workbook_process import sheets_and_rows

_MB = 1024 * 1024


class WorkbookReader:
    """Reads the sheets of a workbook."""

    def read(
        self, payload: Payload, options: ReadOptions, reading: Reading, resume: Mapping[str, int | str] | None = None
    ) -> Iterator[LegacyChunk]:
        """See `Reader.read`.  The bookmark holds how many records were given."""
        reading.format = "workbook"
        with closing(payload.seekable()) as file:
            check_workbook(file, options)
            with closing(sheets_and_rows(file, options.sheet, options.max_workbook_mb)) as frames:
                yield from read_sheets(frames, options, reading, resume)


def check_workbook(file: BinaryIO, options: ReadOptions) -> None:
    """Look at the container before anything is unpacked.  Raises UnreadablePayload or PayloadTooLarge."""
    file.seek(0)
    head = file.read(8)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        if _is_encrypted_package(file):
            raise unreadable(
                "工作簿有密码",
                "the workbook has a password",
                "请取消密码（文件—信息—保护工作簿）后另存再报送",
                "save it without a password and send it again",
            )
        return
    if not archive.is_zip(head):
        raise unreadable(
            "不是 Excel 工作簿",
            "this is no workbook",
            "请用 Excel 或 WPS 另存为 .xlsx 后报送",
            "save it as .xlsx with Excel or WPS",
        )
    entries = archive.read_directory(file, options.max_members, options.name_encoding)
    archive.refuse_encrypted(entries)
    for entry in entries:
        name = entry.name.lower().lstrip("/")
        is_sheet = name.startswith("xl/worksheets/") or name in ("content.xml", "xl/sharedstrings.xml")
        if is_sheet and entry.unpacked > options.max_sheet_mb * _MB:
            raise too_large(
                f"工作表过大：“{entry.name}”解压后 {entry.unpacked / _MB:.0f} MB，上限 {options.max_sheet_mb} MB",
                f'the sheet is too large: "{entry.name}" has {entry.unpacked / _MB:.0f} MB unpacked, '
                f"the limit is {options.max_sheet_mb} MB",
                "请拆成几个工作簿报送，或改报 CSV；多余的空行和格式可复制到新工作簿来去掉",
                "split it, or send CSV; copying the data into a new workbook drops empty rows and formats",
            )
    archive.check_sizes(entries, options)


def _is_encrypted_package(file: BinaryIO) -> bool:
    """True for an .xlsx with a password, which is kept in an OLE container."""
    name = "EncryptedPackage".encode("utf-16-le")
    file.seek(0)
    before = b""
    while block := file.read(1 << 20):
        if name in before + block:
            return True
        before = block[-len(name) :]
    return False
