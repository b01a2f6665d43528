"""The slips that are put beside a file: its receipt for programs and for people, or why it was not taken."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from adapters.file.settings import TextEncoding
from standards.encodings import decode, encode
from standards.errors import HubError

RECEIPT_JSON = ".回执.json"
RECEIPT_TEXT = ".回执.txt"
REFUSAL = ".退回.txt"
#: The sender's own workbook, its faults marked at their cells.
MARKED = ".标注.xlsx"
SLIPS = (RECEIPT_JSON, RECEIPT_TEXT, MARKED, REFUSAL)
#: A file name has at most 255 bytes; this leaves room for a slip's ending and a number.
_LONGEST = 200


def as_json(document: Mapping[str, Any]) -> bytes:
    """The receipt for programs."""
    return json.dumps(document, ensure_ascii=False, indent=1, default=str).encode("utf-8", "replace")


def as_text(words: str, encoding: TextEncoding) -> bytes:
    """The receipt for people; with the line ends that every editor shows."""
    return encode(words.replace("\r\n", "\n").replace("\n", "\r\n"), encoding, "replace")


def refusal(name: str, error: HubError, when: str) -> str:
    """What is wrong with the file as a whole, why, and what helps; Chinese, then English."""
    hint_zh = error.hint_zh or "请改正后重新放入；如仍不明白，请联系枢纽运维人员"
    hint = error.hint or "mend it and put it in again, or ask the operator of the hub"
    return (
        f"文件“{name}”未被接收，没有任何记录入库。\n"
        f"时间：{when}\n原因：{error.title_zh}——{error.what_zh}\n处理办法：{hint_zh}\n代码：{error.code}\n"
        "\n"
        f'The file "{name}" was not taken; none of its records was kept.\n'
        f"Time: {when}\nWhy: {error.title}: {error.what}\nWhat helps: {hint}\nCode: {error.code}\n"
    )


def shown(name: str) -> str:
    """A file name as text: names written by old systems are often GBK, not UTF-8."""
    try:
        raw = os.fsencode(name)
    except UnicodeEncodeError:
        return name.encode("utf-8", "replace").decode()
    for encoding in ("utf-8", "gb18030"):
        try:
            return decode(raw, encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")


def numbered(name: str, number: int) -> str:
    """The name as people number copies: `a.csv`, `a(2).csv` …; cut where it would become too long."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > 16:
        stem, dot, suffix = name, "", ""
    addition = f"({number})" if number > 1 else ""
    room = _LONGEST - len(os.fsencode(f"{addition}{dot}{suffix}"))
    while len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return f"{stem}{addition}{dot}{suffix}"
