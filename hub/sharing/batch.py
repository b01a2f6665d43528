"""A list of firms in, an Excel out: what is known of each, as for the check of subsidies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.formats import bytes_payload, open_records
from adapters.formats.base import ReadOptions
from hub.sharing.desk import Asked, Sharing
from hub.sharing.sheets import sheet_of, workbook
from standards.errors import BadRecord, NotAllowed
from standards.identifiers import check_uscc

_MOST = 10_000
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the list."""

    place: str
    code: str
    right: bool


def codes_of(name: str, body: bytes, content_type: str = "") -> list[Listed]:
    """The credit codes of a list, from the column that has most of them.  Raises BadRecord, UnreadablePayload."""
    _reading, chunks = open_records(bytes_payload(name, body, content_type), ReadOptions(), None)
    found: list[Listed] = []
    column = ""
    for chunk in chunks:
        if not column:
            column = max(chunk.columns, key=lambda n: sum(_right(v) for v in chunk.columns[n]), default="")
            if not column or not any(_right(v) for v in chunk.columns[column]):
                raise BadRecord(
                    "no column holds unified social credit codes",
                    what_zh="清单中没有统一社会信用代码列",
                    hint="one column with 18-digit codes, one firm a row",
                    hint_zh="请用一列填写 18 位统一社会信用代码，每行一户",
                )
        for place, value in zip(chunk.places, chunk.columns[column], strict=True):
            code = value.strip().upper()
            found.append(Listed(place, code, _right(code)))
        if len(found) > _MOST:
            raise BadRecord(
                f"more than {_MOST} firms", what_zh=f"清单超过 {_MOST} 户", hint="split it", hint_zh="请拆成几份"
            )
    return found


def _right(value: str) -> bool:
    return len(value.strip()) == 18 and check_uscc(value.strip().upper()) is None


def answer(
    desk: Sharing, party: str, actor: str, purpose: str, listed: Sequence[Listed], datasets: Sequence[str]
) -> Iterator[bytes]:
    """A sheet with a line a firm, and one for each data set with what the grants open.  Raises NotAllowed."""
    codes = sorted({one.code for one in listed if one.right})
    standard = desk.generations.current().standard
    found: dict[str, list[Any]] = {}
    for name in datasets:
        opened = desk.opened(party, name)
        seen: list[Any] = []
        for start in range(0, len(codes), _AT_ONCE):
            asked = Asked(name, purpose, tuple(codes[start : start + _AT_ONCE]), limit=100_000)
            seen += desk.seen(party, actor, asked, opened, "batch")
        found[name] = seen
    if not found:
        raise NotAllowed("name at least one data set", what_zh="请至少指定一个数据集")
    counts = {name: _counts(standard.dataset(name).subject.code or "", seen) for name, seen in found.items()}
    header = ["位置", "统一社会信用代码", "代码校验", *(standard.dataset(name).title for name in found)]
    lines = (
        [one.place, one.code, "正确" if one.right else "有误", *(counts[name].get(one.code, 0) for name in found)]
        for one in listed
    )
    sheets = [("清单", header, lines)]
    for name, seen in found.items():
        names = sorted({element for _, values in seen for element in values})
        sheets.append(sheet_of(seen, standard.dataset(name), names))  # type: ignore[arg-type]
    return workbook(sheets)


def _counts(element: str, seen: Sequence[Any]) -> dict[str, int]:
    result: dict[str, int] = {}
    for one, _values in seen:
        code = one.values.get(element, "")
        result[code] = result.get(code, 0) + 1
    return result
