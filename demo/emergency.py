"""A bureau without a system: clerks fill in the Excel template of the standard, with the slips that Excel invites."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random
from xml.sax.saxutils import escape

from xlsxwriter.utility import xl_col_to_name

from demo import market
from demo.firms import Firm, inspectors
from demo.records import File, Stated, Statements, every
from standards.exports.workbook import FIRST_DATA_ROW, choice, elements_of
from standards.model import DataSet
from standards.registry import Standard

BUREAU = "大同市应急管理局"
BUREAU_CODE = "11140200JQX5GN0Y68"
DATASET = "check_action"

_SHEET = "xl/worksheets/sheet1.xml"
_FAULTS = ("10004.number_as_float", "10004.date", "10002", "10004.items", "10005.list")
_STEP = 20
#: These rows bear numbers of market supervision, copied with its form.
_COPIED = (31, 62, 93)
_FINDINGS = ("安全出口堆放杂物，已责令清除", "可燃气体报警器未按期检定", "特种作业人员证件过期一人", "应急预案未备案")


def workbook(template: bytes, standard: Standard, firms: Sequence[Firm], today: date, count: int) -> File:
    """The template with that many checks filled in; every 20th is faulty, three bear somebody else's number."""
    dataset = standard.dataset(DATASET)
    say = Statements(DATASET, BUREAU_CODE)
    rows: list[dict[str, str]] = []
    stated: list[Stated] = []
    for number in range(1, count + 1):
        values = _check(number, firms, today)
        fault = every(number, _STEP, _FAULTS)
        if number in _COPIED:
            values["check_action_code"] = market.number_of(number, today)
            stated.append(say.held("20002"))
        else:
            if fault:
                _spoil(values, fault)
            stated.append(say.as_found(fault, values["check_action_code"]))
        rows.append({name: _shown(dataset, standard, name, value) for name, value in values.items()})
    return File("安全生产检查.xlsx", filled(template, dataset, rows), tuple(stated))


def filled(template: bytes, dataset: DataSet, rows: Sequence[Mapping[str, str]]) -> bytes:
    """The template with rows below its header, as a spreadsheet program would save it."""
    letters = {element.id: xl_col_to_name(i) for i, element in enumerate(elements_of(dataset))}
    body = "".join(_row(n, values, letters) for n, values in enumerate(rows, FIRST_DATA_ROW + 1))
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(template)) as source, zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            data = source.read(info)
            if info.filename == _SHEET:
                data = data.decode().replace("</sheetData>", f"{body}</sheetData>", 1).encode()
            target.writestr(info, data)
    return held.getvalue()


def _row(number: int, values: Mapping[str, str], letters: Mapping[str, str]) -> str:
    cells = "".join(
        f'<c r="{letter}{number}" t="inlineStr"><is><t>{escape(values[name])}</t></is></c>'
        for name, letter in letters.items()
        if values.get(name)
    )
    return f'<row r="{number}">{cells}</row>'


def _shown(dataset: DataSet, standard: Standard, name: str, value: str) -> str:
    """A code as the drop-down shows it."""
    element = dataset.by_id[name]
    codes = standard.codes(element.list) if element.list else {}
    return choice(value, codes[value]) if value in codes else value


def _check(number: int, firms: Sequence[Firm], today: date) -> dict[str, str]:
    chosen = Random(f"emergency/{number}")
    firm = firms[chosen.randrange(len(firms))]
    day = today - timedelta(days=1 + chosen.randrange(60))
    officers = inspectors(chosen, "25140200")
    found = chosen.random() < 0.3
    item = f"140200250001{1 + number % 6:02}"
    return {
        "supervise_item_implement_code": item,
        "supervise_item_check_icode": f"{BUREAU_CODE}3{item}",
        "check_action_name": f"{firm.name}安全生产检查",
        "check_action_code": f"同应急检〔{today.year}〕{number}号",
        "implement_institution": BUREAU,
        "implement_institution_code": BUREAU_CODE,
        "supervise_object": firm.name,
        "administrative_cp": firm.name,
        "administrative_cp_na": "3" if firm.shop else "2",
        "administrative_cp_ce_type": "001",
        "administrative_cp_ui_code": firm.code,
        "address_operating": firm.address,
        "area_number": firm.region,
        "check_form": chosen.choice(("01", "02")),
        "check_type": "1",
        "check_mode": "02",
        "check_result": "02" if found else "01",
        "check_result_desc": chosen.choice(_FINDINGS) if found else "",
        "check_date": f"{day.year}年{day.month}月{day.day}日 {8 + number % 9}:30",
        "check_personnel": "；".join(name for name, _ in officers),
        "check_personnel_code": "；".join(certificate for _, certificate in officers),
    }


def _spoil(values: dict[str, str], fault: str) -> None:
    match fault:
        case "10004.number_as_float":
            values["administrative_cp_ui_code"] = "9.11402E+17"
        case "10004.date":
            values["check_date"] = "上周三"
        case "10002":
            values["check_result"], values["check_result_desc"] = "02", ""
        case "10004.items":
            values["check_personnel"] = values["check_personnel"].partition("；")[0]
            values["check_personnel_code"] = ""
        case "10005.list":
            values["check_result"] = "合格"
