"""Export of the business registry: CSV with a title line above its header, amounts in yuan, words instead of codes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random

from demo.firms import Firm, wrong_check_character
from demo.records import File, Stated, Statements, every

BUREAU = "大同市行政审批服务管理局"
BUREAU_CODE = "11140200CY3KA6Y45X"

HEADER = (
    "序号", "统一社会信用代码", "注册号", "主体名称", "主体类型", "类型代码", "负责人", "负责人证件", "负责人证件号",
    "成立日期", "核准日期", "经营期限至", "注册资本(元)", "币种", "住所", "经营范围", "行业", "登记机关", "登记状态",
    "所属区县", "联系电话", "打印时间",
)  # fmt: skip

_FAULTS = ("10006.uscc", "10001", "10004.date", "10004.decimal", "10005.industry", "10005.crosswalk", "10006.id_number")
_STEP = 60
#: So many rows at the end stand in the file twice.
_DOUBLED = 8


def export(firms: Sequence[Firm], today: date) -> File:
    """All subjects; every 60th with one fault, the last eight a second time."""
    rows = list(_rows(firms, today))
    rows += [(values, Statements.duplicate()) for values, _ in rows[-_DOUBLED:]]
    text = io.StringIO(newline="")
    text.write(f"大同市经营主体信息导出 {today:%Y年%m月%d日}\r\n")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(values for values, _ in rows)
    return File("经营主体.csv", text.getvalue().encode("utf-8-sig"), tuple(stated for _, stated in rows))


def _rows(firms: Sequence[Firm], today: date) -> Iterator[tuple[list[str], Stated]]:
    say = Statements("supervise_object", BUREAU_CODE, hide_key=True)
    for number, firm in enumerate(firms, 1):
        fault = "" if number > len(firms) - _DOUBLED else every(number, _STEP, _FAULTS)
        values = _values(number, firm, today)
        if fault:
            _spoil(values, fault)
        yield list(values.values()), say.as_found(fault, "01", firm.code)


def _values(number: int, firm: Firm, today: date) -> dict[str, str]:
    chosen = Random(f"registry/{number}")
    founded = today - timedelta(days=400 + chosen.randrange(6000))
    approved = today - timedelta(days=1 + chosen.randrange(300))
    state = chosen.choices(("开业", "吊销", "注销", "迁出"), (95, 2, 2, 1))[0]
    until = "长期" if chosen.random() < 0.7 else f"{founded.replace(year=founded.year + 30, day=1):%Y%m%d}"
    shop = firm.shop
    values = (
        str(number), firm.code, firm.reg_no if number % 3 else "", firm.name,
        "个体工商户" if shop else "有限责任公司", "9500" if shop else "1130",
        firm.person, "居民身份证", firm.person_no, f"{founded:%Y%m%d}", f"{approved:%Y%m%d}", until,
        "" if shop else str(10_000 * chosen.choice((10, 30, 50, 100, 200, 500, 1000, 5000))), "" if shop else "人民币",
        firm.address, firm.trade.scope, firm.trade.industry, BUREAU, state, firm.district,
        f"0352-{chosen.randrange(2_000_000, 8_000_000)}", f"{today:%Y-%m-%d}",
    )  # fmt: skip
    return dict(zip(HEADER, values, strict=True))


def _spoil(values: dict[str, str], fault: str) -> None:
    match fault:
        case "10006.uscc":
            values["统一社会信用代码"] = wrong_check_character(values["统一社会信用代码"])
        case "10001":
            values["主体名称"] = ""
        case "10004.date":
            values["核准日期"] = "20260231"
        case "10004.decimal":
            values["注册资本(元)"] = "伍佰万"
        case "10005.industry":
            values["行业"] = "Z9999"
        case "10005.crosswalk":
            values["登记状态"] = "筹建"
        case "10006.id_number":
            values["负责人证件号"] = values["负责人证件号"][:-1] + ("0" if values["负责人证件号"][-1] != "0" else "1")
