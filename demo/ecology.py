"""Exports of the ecology bureau's penalty system: CSV in GB18030, amounts in 万元, as many rows as wanted."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from demo.firms import Firm
from demo.records import File, Statements
from standards.identifiers import make_uscc

HEADER = (
    "序号", "案件编号", "案件名称", "监管事项编码", "实施机构", "机构代码", "监管对象", "当事人", "当事人类型",
    "证件类型", "证件号码", "注册地址", "区划", "案件来源", "检查编号", "违法事实", "补充说明", "处罚依据", "处罚程序",
    "是否听证", "立案日期", "是否涉刑", "决定书文号", "决定日期", "处罚种类", "罚款金额(万元)", "没收违法所得(万元)",
    "处罚结果", "复议情况", "诉讼情况", "是否不予处罚", "备注",
)  # fmt: skip

BUREAU = "大同市生态环境局"
BUREAU_CODE = "11140200A4L2GB1F45"

_DISTRICTS = ("140213", "140212", "140214", "140215", "140221", "140222", "140223")
_FACTS = (
    "排放口二氧化硫日均浓度超过许可限值",
    "未按规定安装在线监测设备",
    "危险废物贮存场所未设置识别标志",
    "建设项目未批先建",
    "夜间施工噪声超过标准",
    "物料堆场未采取有效覆盖措施防治扬尘污染",
)
_LAWS = (
    "《中华人民共和国大气污染防治法》第九十九条第二项",
    "《中华人民共和国水污染防治法》第八十二条第二项",
    "《中华人民共和国固体废物污染环境防治法》第一百一十二条第一款",
    "《中华人民共和国环境影响评价法》第三十一条第一款",
)
_SOURCES = ("日常检查", "信访投诉", "群众举报", "上级交办", "部门移送")

#: What can be wrong with a row, and the finding it must lead to.
FAULTS = (
    ("案件名称", "", "10001"),
    ("决定日期", "2026年13月40日", "10004.date"),
    ("证件号码", "91140200MA0K12340X", "10006.uscc"),
    ("处罚种类", "罚没款", "10005.crosswalk"),
    ("罚款金额(万元)", "十二万元", "10004.decimal"),
    ("区划", "149999", "10005.region"),
    ("监管事项编码", "1402", "10004.item"),
)

#: Share of faulty rows in the demo's export.
_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Row:
    """One exported case; `fault` is the finding it must lead to, or ''."""

    values: tuple[str, ...]
    fault: str

    @property
    def key(self) -> str:
        """The case number."""
        return self.values[1]


def rows(
    count: int,
    *,
    faults: float = 0.0,
    seed: int = 1,
    first: int = 1,
    edition: int = 1,
    today: date | None = None,
    firms: Sequence[Firm] = (),
    checks: Mapping[int, str] | None = None,
) -> Iterator[Row]:
    """That many cases; a share of them with one fault each.

    The same seed and numbers give the same rows; another `edition` gives the same keys with another fine.  `today`:
    decided shortly before that day, else in 2026.  `checks`: case number -> number of the check it came from.
    """
    chosen = Random(seed)
    year = today.year if today else 2026
    subjects = [(firm.name, firm.code) for firm in firms] or [
        (
            f"大同市{chosen.choice('云冈平城新荣阳高天镇浑源')}{n}号环保科技有限公司",
            make_uscc(chosen, chosen.choice(_DISTRICTS)),
        )
        for n in range(500)
    ]
    for n in range(first, first + count):
        chosen = Random(f"{seed}/{n}")
        name, code = subjects[n % len(subjects)]
        fact, law = chosen.choice(_FACTS), chosen.choice(_LAWS)
        fine = chosen.randrange(10, 2000)
        month, day = chosen.randrange(1, 10), chosen.randrange(1, 28)
        decided = date(2026, month, day + 1) if today is None else today - timedelta(days=10 * month + day % 10)
        filed = decided - timedelta(days=1)
        check = (f"JC2026{n:07}" if n % 5 == 0 else "") if checks is None else checks.get(n, "")
        source = "部门移送" if checks and check else _SOURCES[n % 5]
        with_warning = n % 3 == 0
        values = [
            str(n), f"同环罚〔{year}〕{n:07}号", f"{name}{fact}案", f"140200010001{n % 7 + 1:02}", BUREAU, BUREAU_CODE,
            "", name, "企业", "信用代码", code, f"大同市平城区迎宾街{n % 300}号", _DISTRICTS[n % len(_DISTRICTS)],
            source, check, f"{filed.month}月{filed.day}日检查发现：{fact}", "", law,
            "普通", "否", f"{filed.year}/{filed.month}/{filed.day}", "否", f"同环罚字{year}-{n:07}",
            f"{decided.year}年{decided.month}月{decided.day}日",
            "罚款、警告" if with_warning else "罚款", f"{fine + edition - 1}.{n % 10}", "", f"罚款{fine}万元", "", "",
            "否",
            f"第{edition}版" if edition > 1 else "",
        ]  # fmt: skip
        fault = ""
        if faults and chosen.random() < faults:
            field, value, fault = FAULTS[n % len(FAULTS)]
            values[HEADER.index(field)] = value
        yield Row(tuple(values), fault)


def pieces(source: Iterator[Row], encoding: str = "gb18030", every: int = 2000) -> Iterator[bytes]:
    """The rows as a CSV file, piece by piece."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for n, row in enumerate(source, 1):
        writer.writerow(row.values)
        if n % every == 0:
            yield text.getvalue().encode(encoding)
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode(encoding)


def export(
    firms: Sequence[Firm], today: date, count: int, *, known: Mapping[int, str], unknown: Mapping[int, str]
) -> File:
    """The first export: three in a hundred are faulty, some came from checks of another bureau.

    `known`: case -> a check that bureau will report; `unknown`: case -> one that nobody reports.
    """
    source = list(rows(count, faults=_SHARE, today=today, firms=firms, checks={**known, **unknown}))
    say = Statements("punish_action", BUREAU_CODE)
    stated = [
        say.held("30004") if n in unknown and not row.fault else say.as_found(row.fault, row.key)
        for n, row in enumerate(source, 1)
    ]
    released = sum(1 for n, row in enumerate(source, 1) if n in known and not row.fault)
    return File("行政处罚.csv", b"".join(pieces(iter(source))), tuple(stated), released)


def correction(firms: Sequence[Firm], today: date, count: int, amended: int, refused: Callable[[str], bool]) -> File:
    """The first cases again with their faults mended, the very first with another fine; the rest is as it was.

    What the centre refused (`refused`, by cd_id) goes up again though nothing in it has changed.
    """
    before = list(rows(count, faults=_SHARE, today=today, firms=firms, checks={}))
    mended = list(rows(count, today=today, firms=firms, checks={}))
    mended[:amended] = list(rows(amended, today=today, firms=firms, checks={}, edition=2))
    say = Statements("punish_action", BUREAU_CODE)
    stated = []
    for n, row in enumerate(mended, 1):
        passes = say.accepted(row.key)
        again = n <= amended or before[n - 1].fault or refused(passes.cd_id)
        stated.append(passes if again else say.duplicate())
    return File("行政处罚-更正.csv", b"".join(pieces(iter(mended))), tuple(stated))
