"""A report as an Excel workbook: a sheet a table, numbers as numbers, shares as percentages."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

#: Field, Chinese title, English title, form of the number.
Column = tuple[str, str, str, str]

_FIGURES: tuple[Column, ...] = (
    ("handed", "报送", "Handed over", "n"),
    ("accepted", "通过", "Accepted", "n"),
    ("rejected", "退回", "Rejected", "n"),
    ("held", "挂起", "Held", "n"),
    ("duplicate", "重复", "Duplicate", "n"),
    ("delivered", "已投递", "Delivered", "n"),
    ("refused", "被拒收", "Refused", "n"),
    ("error_rate", "退回率", "Error rate", "%"),
    ("in_time_rate", "按期报送率", "Within the term", "%"),
    ("timeliness", "上报及时率（中心口径）", "Timeliness (centre's formula)", "%"),
    ("receipt_hours_p50", "回执用时中位数（小时）", "Hours to receipt, p50", "h"),
    ("receipt_hours_p90", "回执用时九成（小时）", "Hours to receipt, p90", "h"),
    ("cases_opened", "新增异常", "Cases opened", "n"),
    ("cases_in_time", "按期办结", "Closed in time", "n"),
    ("cases_late", "超期办结", "Closed late", "n"),
    ("cases_overdue", "超期未办", "Overdue", "n"),
)
_VOLUMES = tuple(
    one for one in _FIGURES if one[0] in ("accepted", "rejected", "held", "duplicate", "delivered", "refused")
)
_PARTY: Column = ("party_title", "单位", "Party", "")
_DATASET: Column = ("title", "数据集", "Data set", "")
#: Table of the report -> name of its sheet, columns.
SHEETS: Mapping[str, tuple[str, str, tuple[Column, ...]]] = {
    "parties": (
        "单位考核",
        "Parties",
        (
            ("rank", "名次", "Rank", "n"),
            _PARTY,
            ("region", "区划", "Region", ""),
            ("score", "得分", "Score", "s"),
            *_FIGURES,
            ("items_claimed", "认领主项", "Main items claimed", "n"),
            ("items_used", "有行为的主项", "With behaviour", "n"),
            ("coverage", "主项覆盖率", "Coverage", "%"),
        ),
    ),
    "regions": ("区划", "Regions", (("region", "区划", "Region", ""), *_FIGURES)),
    "datasets": ("数据集", "Data sets", (_PARTY, _DATASET, *_FIGURES)),
    "days": (
        "分时段",
        "By time",
        (("day", "日期（季报、年报为月份）", "Day (month in quarters and years)", ""), _PARTY, *_VOLUMES),
    ),
    "findings": (
        "问题",
        "Findings",
        (
            _PARTY,
            _DATASET,
            ("code", "代码", "Code", ""),
            ("count", "件数", "Count", "n"),
            ("hint", "如何处理", "How to mend it", ""),
        ),
    ),
}
_FORMS = {"n": "0", "%": "0.00%", "h": "0.00", "s": "0.00", "": "@"}


def workbook(report: Mapping[str, Any], language: str = "zh") -> bytes:
    """An .xlsx file of a report (as ReportDesk.report gives it); what nobody can tell is an empty cell."""
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties(
        {"title": heading(report, language), "created": datetime(2021, 1, 1, tzinfo=UTC).replace(tzinfo=None)}
    )
    forms = {name: book.add_format({"num_format": form}) for name, form in _FORMS.items()}
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    for table, (title, english, columns) in SHEETS.items():
        if not report[table] and table == "regions":
            continue
        sheet = book.add_worksheet(english if language == "en" else title)
        sheet.write_string(0, 0, heading(report, language), bold)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(1)
        sheet.freeze_panes(2, 0)
        for at, column in enumerate(columns):
            sheet.set_column(at, at, _width(column))
            sheet.write_string(1, at, column[2] if language == "en" else column[1], bold)
        _rows(sheet, columns, report[table], forms, language)
    book.close()
    return held.getvalue()


def heading(report: Mapping[str, Any], language: str = "zh") -> str:
    """What stands above it."""
    span = f"{report['first']} – {report['last']}"
    region = report.get("within", "")
    if language == "en":
        only = f", parties of {region} only, ranked among each other" if region else ""
        return f"{report['hub']}: report ({report['every']}) {span}, made {report['made_at']}{only}"
    only = f"，仅含 {region} 区域内单位，名次为区域内名次" if region else ""
    open_end = "" if report["complete"] else "（期间未结束）"
    return f"{report['hub']} 监管数据交换{report['title']} {span}{open_end}，制表 {report['made_at']}{only}"


def cell(value: Any, form: str) -> str:
    """A figure as a page shows it."""
    if value is None:
        return "—"
    if form == "%":
        return f"{value:.2%}"
    return f"{value:.2f}" if form in ("h", "s") else str(value)


#: Rows of one table on a page; the workbook holds them all.
SHOWN = 200


def tables(report: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    """The tables as a page shows them: title, heads, the first rows as text, and how many more there are."""
    at = 2 if language == "en" else 1
    return [
        {
            "title": english if language == "en" else title,
            "heads": [(column[at], bool(column[3])) for column in columns],
            "rows": [
                [(cell(_value(row, c[0], language), c[3]), bool(c[3])) for c in columns]
                for row in report[table][:SHOWN]
            ],
            "more": max(0, len(report[table]) - SHOWN),
        }
        for table, (title, english, columns) in SHEETS.items()
        if report[table] or table == "parties"
    ]


def _value(row: Mapping[str, Any], name: str, language: str) -> Any:
    """A value, in English where there is one."""
    return row.get(f"{name}_en", row[name]) if language == "en" else row[name]


def _rows(
    sheet: Any,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    forms: Mapping[str, Any],
    language: str,
) -> None:
    for down, row in enumerate(rows, 2):
        for at, (name, _, _, form) in enumerate(columns):
            value = _value(row, name, language)
            if value is None:
                continue
            if form:
                sheet.write_number(down, at, value, forms[form])
            else:
                sheet.write_string(down, at, str(value), forms[""])


def _width(column: Column) -> int:
    return {"party_title": 26, "title": 26, "hint": 60}.get(column[0], 12)
