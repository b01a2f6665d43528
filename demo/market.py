"""Message of market supervision's inspection system: XML in GBK, letters for results, officers in one text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from xml.sax.saxutils import escape, quoteattr

from demo.firms import Firm, inspectors, wrong_check_character
from demo.records import File, Statements, every

BUREAU = "大同市市场监督管理局"
BUREAU_CODE = "111402001D22DR363Y"

_ITEMS = (
    ("14020031000201", "食品销售监督检查"),
    ("14020031000501", "餐饮服务食品安全监督检查"),
    ("14020031001101", "特种设备使用监督检查"),
    ("14020031001701", "药品零售质量监督检查"),
    ("14020031002301", "登记事项双随机抽查"),
)
_PROBLEMS = (
    "未按规定公示食品经营许可证",
    "冷藏设施温度记录不全，已责令三日内补齐",
    "电梯使用标志超期未更换",
    "两名从业人员健康证过期，已责令停止上岗",
    "进货查验记录缺少供货者资质",
)
_FAULTS = ("10004.items", "10002", "10007.future", "10004.mismatch", "10004.item", "10006.uscc", "many")
_STEP = 50


@dataclass(slots=True)
class Check:
    """One check as the inspection system holds it."""

    number: str
    firm: Firm
    item: str
    name: str
    random: bool
    plan: str
    spot: bool
    when: datetime
    officers: list[str]
    certificates: list[str]
    result: str
    words: str
    code: str


def number_of(count: int, today: date) -> str:
    """The number of a check of this bureau."""
    return f"同市监检〔{today.year}〕{count:05}号"


def message(firms: Sequence[Firm], today: date, count: int) -> File:
    """That many checks in one message; every 50th is faulty."""
    say = Statements("check_action", BUREAU_CODE)
    records: list[str] = []
    stated = []
    for number in range(1, count + 1):
        check = _check(number, firms, today)
        fault = every(number, _STEP, _FAULTS)
        if fault:
            _spoil(check, fault, today)
        records.append(_xml(check))
        # Where several things are wrong, the first is stated.
        stated.append(say.as_found("10004.items" if fault == "many" else fault, check.number))
    head = f'<?xml version="1.0" encoding="GBK"?>\n<检查数据 单位={quoteattr(BUREAU)} 日期="{today:%Y%m%d}">\n'
    text = head + "".join(records) + "</检查数据>\n"
    return File("监督检查.xml", text.encode("gbk"), tuple(stated))


def _check(number: int, firms: Sequence[Firm], today: date) -> Check:
    chosen = Random(f"market/{number}")
    firm = firms[chosen.randrange(len(firms))]
    item, name = chosen.choice(_ITEMS)
    drawn = chosen.random() < 0.3
    day = today - timedelta(days=1 + chosen.randrange(90))
    when = datetime(day.year, day.month, day.day, 9 + chosen.randrange(8), chosen.randrange(60))  # noqa: DTZ001 - local
    officers = inspectors(chosen, "04140200")
    found = chosen.random() < 0.25
    return Check(
        number=number_of(number, today),
        firm=firm,
        item=item,
        name=f"{firm.name}{name}",
        random=drawn,
        plan=f"SJ{today.year}-{1 + number % 12:02}" if drawn else "",
        spot=chosen.random() < 0.9,
        when=when,
        officers=[name for name, _ in officers],
        certificates=[certificate for _, certificate in officers],
        result=chosen.choice("GL") if found else "Y",
        words=chosen.choice(_PROBLEMS) if found else "",
        code=firm.code,
    )


def _spoil(check: Check, fault: str, today: date) -> None:
    match fault:
        case "10004.items":
            del check.officers[1:], check.certificates[1:]
        case "10002":
            check.result, check.words = "G", ""
        case "10007.future":
            check.when = check.when.replace(year=today.year + 1, day=1)
        case "10004.mismatch":
            del check.certificates[1:]
        case "10004.item":
            check.item = check.item[:8]
        case "10006.uscc":
            check.code = wrong_check_character(check.code)
        case "many":
            del check.officers[1:], check.certificates[1:]
            check.result, check.words = "L", ""
            check.code = wrong_check_character(check.code)
            check.when = check.when.replace(year=today.year + 1, day=1)


def _xml(check: Check) -> str:
    firm = check.firm
    return (
        f"  <检查 编号={quoteattr(check.number)} 方式={quoteattr('双随机' if check.random else '日常监管')}>\n"
        f"    <名称>{escape(check.name)}</名称>\n"
        + (f"    <计划>{check.plan}</计划>\n" if check.plan else "")
        + f"    <事项 清单={quoteattr(f'{BUREAU_CODE}3{check.item}')}>{check.item}</事项>\n"
        f"    <当事人 性质={quoteattr('个体' if firm.shop else '企业')}><名称>{escape(firm.name)}</名称>"
        f'<证照 种类="营业执照">{check.code}</证照><住所>{escape(firm.address)}</住所>'
        f"<区划>{firm.region}</区划></当事人>\n"
        f"    <现场>{'1' if check.spot else '0'}</现场><时间>{check.when:%Y%m%d%H%M%S}</时间>\n"
        f"    <执法人员>{'、'.join(check.officers)}</执法人员><执法证>{'、'.join(check.certificates)}</执法证>\n"
        f"    <结果>{check.result}</结果><说明>{escape(check.words)}</说明>\n"
        "  </检查>\n"
    )
