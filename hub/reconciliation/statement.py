"""A sender's statement: what it says it handed over, by data set and period, as counts and perhaps key by key.

A table (CSV, Excel, JSON …) with the columns 数据集, 开始日期, 结束日期, 数量, and 主键 where records are named one by
one; the English words dataset, begin, end, count, key do as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from adapters.formats import bytes_payload, open_records
from adapters.formats.base import ReadOptions
from standards.digest import key_hash
from standards.errors import BadRecord
from standards.registry import Standard

#: Lines of one statement.
MOST = 200_000
_WORDS: Mapping[str, tuple[str, ...]] = {
    "dataset": ("dataset", "data set", "数据集", "数据集名称"),
    "begin": ("begin", "date", "day", "开始日期", "起始日期", "日期", "业务日期"),
    "end": ("end", "结束日期", "截止日期"),
    "count": ("count", "数量", "报送量", "报送数量"),
    "key": ("key", "主键", "自然主键", "业务主键"),
}
_DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[ T].*)?")


@dataclass(slots=True)
class Stated:
    """What a sender says of one data set and period."""

    dataset: str
    begin: date
    end: date
    #: How many records; None: those that are named.
    count: int | None = None
    #: Digest of each named key, and the key.
    keys: dict[bytes, str] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """How many records."""
        return len(self.keys) if self.count is None else self.count


def read(body: bytes, name: str, content_type: str, standard: Standard) -> list[Stated]:
    """A statement's periods.  Raises UnreadablePayload, BadRecord with every line that cannot be understood."""
    titles = {standard.dataset(one).title: one for one in standard.ids()} | {one: one for one in standard.ids()}
    found: dict[tuple[str, date, date], Stated] = {}
    wrong: list[str] = []
    for line, (number, words) in enumerate(_lines(body, name, content_type), 1):
        if line > MOST:
            raise BadRecord(
                f"more than {MOST} lines",
                what_zh=f"对账清单超过 {MOST} 行",
                hint="state fewer days at once",
                hint_zh="请减少一次对账的天数",
            )
        dataset = titles.get(words.get("dataset", ""))
        begin, end = _day(words.get("begin", "")), _day(words.get("end", "") or words.get("begin", ""))
        count, key = words.get("count", "").replace(",", ""), words.get("key", "")
        if (
            dataset is None
            or begin is None
            or end is None
            or end < begin
            or not (count.isdigit() or (key and not count))
        ):
            wrong.append(number)
            continue
        one = found.setdefault((dataset, begin, end), Stated(dataset, begin, end))
        if count:
            one.count = (one.count or 0) + int(count)
        else:
            one.keys[key_hash(dataset, key)] = key
    if wrong or not found:
        places = ", ".join(wrong[:20])
        raise BadRecord(
            f"these lines cannot be understood: {places}" if wrong else "there is no line",
            what_zh=f"以下各行无法识别：{places}" if wrong else "对账清单没有内容",
            hint="columns: dataset, begin, end, and count or key; dates as 2026-09-01",
            hint_zh="列：数据集、开始日期、结束日期，以及数量或主键；日期写作 2026-09-01",
        )
    return list(found.values())


def _lines(body: bytes, name: str, content_type: str) -> Iterator[tuple[str, dict[str, str]]]:
    _, chunks = open_records(bytes_payload(name, body, content_type), ReadOptions())
    for chunk in chunks:
        columns = {word: chunk.columns[f] for f in chunk.fields if (word := _word(f)) is not None}
        for i in range(chunk.count):
            words = {word: values[i].strip() for word, values in columns.items()}
            if any(words.values()):
                yield chunk.places[i], words


def _word(column: str) -> str | None:
    plain = column.strip().lower()
    return next((word for word, names in _WORDS.items() if plain in names), None)


def _day(text: str) -> date | None:
    matched = _DATE.fullmatch(text.strip())
    if matched is None:
        return None
    try:
        return date(*map(int, matched.groups()))
    except ValueError:
        return None
