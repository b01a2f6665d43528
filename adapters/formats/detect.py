"""What a payload is: by its bytes first, by its name second."""

from __future__ import annotations

import json
import re
from contextlib import closing, suppress

from adapters.formats import archive, parcel
from adapters.formats.base import Payload, ReadOptions
from adapters.formats.encoding import bom_of
from adapters.formats.json_text import scan
from adapters.formats.refusal import unreadable
from standards.encodings import decode
from standards.errors import UnreadablePayload

_HEAD = 1 << 16
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: What people hand over by mistake: first bytes, Chinese and English name.
_STRANGERS = (
    (b"%PDF", " PDF 文件", "a PDF"),
    (b"\x89PNG", "图片", "a picture"),
    (b"\xff\xd8\xff", "图片", "a picture"),
    (b"GIF8", "图片", "a picture"),
    (b"Rar!", "RAR 压缩包", "a RAR archive"),
    (b"7z\xbc\xaf", "7z 压缩包", "a 7z archive"),
    (b"\x1f\x8b", "gzip 压缩文件", "a gzip file"),
    (b"BZh", "bzip2 压缩文件", "a bzip2 file"),
    (b"\xfd7zXZ", "xz 压缩文件", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "zstd 压缩文件", "a zstd file"),
    (b"{\\rtf", "RTF 文档", "an RTF document"),
    (b"SQLite format 3", "SQLite 数据库", "a SQLite database"),
    (b"\x7fELF", "程序文件", "a program"),
)
_WORKBOOK_PARTS = ("xl/workbook.xml", "xl/workbook.bin")
_OTHER_OFFICE = (("word/", "Word 文档", "a Word document"), ("ppt/", "演示文稿", "a presentation"))
#: Atomic, so that a page of many comments is gone through once only.
_HTML = re.compile(
    r"(?>\s*<!--.*?-->)*+\s*<(?:!doctype\s+html|html|head|body|table|meta|style|div|script)\b",
    re.IGNORECASE | re.DOTALL,
)
_EXCEL_XML = re.compile(r"<\?mso-application\s[^>]*Excel\.Sheet|urn:schemas-microsoft-com:office:spreadsheet")
_BY_SUFFIX = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "csv",
    "json": "json",
    "ndjson": "ndjson",
    "jsonl": "ndjson",
    "xml": "xml",
    "htm": "html",
    "html": "html",
}
_BY_TYPE = {"ndjson": "ndjson", "jsonl": "ndjson", "json": "json", "xml": "xml", "csv": "csv", "html": "html"}
_CONTROL = bytes(set(range(0x20)) - {0x00, 0x09, 0x0A, 0x0C, 0x0D, 0x1A, 0x1B})


def detect(payload: Payload, options: ReadOptions) -> str:
    """The format's name; beside those of the options there is `spreadsheetml`.

    Raises UnreadablePayload when the payload is empty, or something that holds no records.
    """
    if options.format == "parcel" or payload.content_type == parcel.CONTENT_TYPE:
        return "parcel"
    with closing(payload.open()) as stream:
        head = stream.read(_HEAD)
    if not head.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe") and payload.size <= _HEAD:
        raise unreadable(
            "内容是空的", "it is empty", "请确认文件已保存并有数据", "make sure that the file was saved and has data"
        )
    binary = _binary(payload, head, options)
    if binary or (options.format != "auto" and options.format not in ("workbook", "html", "xml")):
        return binary or options.format
    text = _text(head)
    by_text = _by_text(text, payload)
    if options.format in ("workbook", "html", "xml"):
        # Web systems call anything .xls; what the connection calls XML may be Excel's.
        return by_text if by_text in ("html", "spreadsheetml") else options.format
    if by_text:
        return by_text
    by_name = _by_name(payload)
    if bom_of(head) is None and _looks_binary(head, by_name != ""):
        raise _unknown(payload.name)
    return by_name or "csv"


def _looks_binary(head: bytes, named: bool) -> bool:
    """True when there are more control characters than dirt explains."""
    found = len(head) - len(head.translate(None, _CONTROL))
    return found > 16 and found * (3 if named else 20) > len(head)


def suffix_of(name: str) -> str:
    """What stands behind the last dot, in lower case."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def _binary(payload: Payload, head: bytes, options: ReadOptions) -> str:
    found = ""
    if archive.is_zip(head):
        found = _zip_kind(payload, options)
    elif head.startswith(_OLE):
        found = "workbook"
    else:
        for first, what_zh, what in _STRANGERS:
            if head.startswith(first):
                raise _stranger(what_zh, what)
    if found and options.format not in ("auto", found) and not (found == "zip" and options.format == "workbook"):
        raise unreadable(
            f"内容是{'压缩包' if found == 'zip' else ' Excel 工作簿'}，而该接入约定报送 {options.format}",
            f"this is a {found}, but {options.format} was agreed for this connection",
            "请按约定的格式导出后重报，或请运维人员修改该接入的 format 设置",
            "export it in the agreed format, or have the operator change 'format' for this connection",
        )
    return found


def _zip_kind(payload: Payload, options: ReadOptions) -> str:
    """`workbook` or `zip`, by the names in the directory."""
    with closing(payload.seekable()) as file:
        entries = archive.read_directory(file, options.max_members, options.name_encoding)
    names = [entry.name.lower() for entry in entries]
    if any(name in _WORKBOOK_PARTS for name in names):
        return "workbook"
    for part, what_zh, what in _OTHER_OFFICE:
        if "[content_types].xml" in names and any(name.startswith(part) for name in names):
            raise _stranger(what_zh, what)
    # OpenDocument; a text document of it has no sheets, which the reader will say.
    if "mimetype" in names and "content.xml" in names:
        return "workbook"
    return "workbook" if "[content_types].xml" in names else "zip"


def _text(head: bytes) -> str:
    bom = bom_of(head)
    if bom is not None:
        return decode(head[bom[1] :], bom[0], "replace").lstrip("\ufeff \t\r\n")
    return head.decode("latin-1").lstrip(" \t\r\n")


def _by_text(text: str, payload: Payload) -> str:
    suffix = suffix_of(payload.name)
    first = text[:1]
    if first == "<":
        if _EXCEL_XML.search(text[:4096]):
            return "spreadsheetml"
        return "html" if _HTML.match(text) else "xml"
    if first and first in "{[" and _BY_SUFFIX.get(suffix) != "csv":
        if suffix in ("ndjson", "jsonl") or "ndjson" in payload.content_type or "jsonl" in payload.content_type:
            return "ndjson"
        return "ndjson" if first == "{" and suffix != "json" and _has_lines_of_json(text) else "json"
    return ""


def _has_lines_of_json(text: str) -> bool:
    """True when the first line is an object by itself and another begins behind it."""
    line, _, rest = text.partition("\n")
    if not rest.lstrip(" \t\r\n").startswith("{"):
        return False
    with suppress(StopIteration, json.JSONDecodeError, ValueError, RecursionError):
        _, end = scan(line, 0)
        return not line[end:].strip()
    return False


def _by_name(payload: Payload) -> str:
    if found := _BY_SUFFIX.get(suffix_of(payload.name)):
        return found
    kind = payload.content_type.lower()
    return next((name for word, name in _BY_TYPE.items() if word in kind), "")


def _stranger(what_zh: str, what: str) -> UnreadablePayload:
    return unreadable(
        f"这是{what_zh}，不是数据文件",
        f"this is {what}, not a file of records",
        "请导出为 CSV、Excel（.xlsx）、XML 或 JSON 后报送；多个文件请打成 zip",
        "export CSV, Excel (.xlsx), XML or JSON; several files as a zip",
    )


def _unknown(name: str) -> UnreadablePayload:
    return unreadable(
        f"无法识别文件格式（{name or '未命名'}），内容是二进制数据",
        f"the format is not known ({name or 'no name'}); it is binary",
        "请导出为 CSV、Excel（.xlsx）、XML 或 JSON 后报送",
        "export CSV, Excel (.xlsx), XML or JSON",
    )
