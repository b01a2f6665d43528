"""The Excel template of a data set: what a unit without a system fills in.

Sheet 1 holds the data.  Row 1 shows the Chinese titles, row 2 (hidden) the element ids, data begin in row 3; a reader
may go by either row.  Every cell is text, so that Excel eats no leading zero and turns no long number into 1.1E+17.  A
code is chosen as `01 日常检查`; `code_of` takes the code out again.  Sheet 填写说明 explains every element and shows a
sample row; sheet 码表 holds the lists behind the drop-downs.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from standards.exports.asked import kind_in_words, need_in_words, size_in_words
from standards.model import DataSet, Element, FilledBy, Kind
from standards.registry import Standard
from standards.samples import Samples

#: Rows of the data sheet, counted from 0.
TITLE_ROW, ID_ROW, FIRST_DATA_ROW = 0, 1, 2
#: So many rows get formats and drop-downs.
_ROWS = 5000
EXPLANATIONS, CODES = "填写说明", "码表"

#: Sheet names may not hold these.
_NOT_IN_SHEET_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\", " "))


def export(dataset: DataSet, standard: Standard, rows: Sequence[Mapping[str, str]] = ()) -> bytes:
    """The template as an .xlsx file; the same definition gives the same bytes.  `rows`: what is filled in already."""
    held = io.BytesIO()
    book = xlsxwriter.Workbook(
        held,
        {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False},
    )
    book.set_properties(
        {
            "title": dataset.title,
            "subject": f"{dataset.id} {dataset.version}",
            "created": datetime(2021, 1, 1, tzinfo=UTC).replace(tzinfo=None),
        }
    )
    book.set_custom_property("hub_dataset", dataset.id)
    book.set_custom_property("hub_version", dataset.version)
    _Template(book, dataset, standard).write(rows)
    book.close()
    return held.getvalue()


def elements_of(dataset: DataSet) -> tuple[Element, ...]:
    """The columns of the data sheet: what a sender may or must give."""
    return dataset.from_sender


def sheet_name(dataset: DataSet) -> str:
    """The name of the data sheet."""
    return dataset.title.translate(_NOT_IN_SHEET_NAMES)[:31].strip()


def choice(code: str, name: str) -> str:
    """What a drop-down shows."""
    return code if code == name else f"{code} {name}"


def code_of(shown: str, codes: Mapping[str, str]) -> str:
    """The code in what a drop-down showed, item by item; anything else stays as it is."""
    return ";".join(_one_code(part.strip(), codes) for part in shown.split(";"))


def _one_code(shown: str, codes: Mapping[str, str]) -> str:
    code, _, name = shown.partition(" ")
    return code if codes.get(code) == name and name else shown


def is_id_row(cells: Sequence[object], dataset: DataSet) -> bool:
    """Whether a row is the hidden one with the element ids."""
    words = [str(cell) for cell in cells if cell not in (None, "")]
    return bool(words) and all(word in dataset.by_id for word in words)


class _Template:
    """One workbook being written."""

    def __init__(self, book: Any, dataset: DataSet, standard: Standard) -> None:
        self.book = book
        self.dataset = dataset
        self.standard = standard
        self.elements = elements_of(dataset)
        frame = {"border": 1, "border_color": "#B0B7C3", "valign": "vcenter", "text_wrap": True}
        self.must = book.add_format({**frame, "bold": True, "font_color": "#FFFFFF", "bg_color": "#B3261E"})
        self.conditional = book.add_format({**frame, "bold": True, "font_color": "#3A2A00", "bg_color": "#F6C667"})
        self.optional = book.add_format({**frame, "bold": True, "bg_color": "#DDE3EA"})
        self.text = book.add_format({"num_format": "@"})
        self.plain = book.add_format(frame)
        self.heading = book.add_format({**frame, "bold": True, "bg_color": "#DDE3EA"})
        self.title = book.add_format({"bold": True, "font_size": 14})

    def write(self, rows: Sequence[Mapping[str, str]]) -> None:
        """All three sheets; the data sheet comes first."""
        data = self.book.add_worksheet(sheet_name(self.dataset))
        explanations = self.book.add_worksheet(EXPLANATIONS)
        codes = self.book.add_worksheet(CODES)
        ranges = self._codes(codes)
        self._data(data, ranges)
        self._rows(data, rows)
        self._explanations(explanations)
        data.activate()

    def _codes(self, sheet: Any) -> dict[str, str]:
        """Each code list in a column; gives its range for the drop-downs."""
        lists = dict.fromkeys(e.list for e in self.elements if e.list is not None)
        ranges = {}
        for column, name in enumerate(lists):
            held = self.standard.codelist(name)
            sheet.write_string(0, column, f"{name} {held.title}", self.heading)
            for row, code in enumerate(held.codes, 1):
                sheet.write_string(row, column, choice(code.code, code.name), self.text)
            letter = xl_col_to_name(column)
            ranges[name] = f"={CODES}!${letter}$2:${letter}${len(held.codes) + 1}"
        if lists:
            sheet.set_column(0, len(lists) - 1, 28, self.text)
        sheet.freeze_panes(1, 0)
        return ranges

    def _data(self, sheet: Any, ranges: Mapping[str, str]) -> None:
        for column, element in enumerate(self.elements):
            sheet.set_column(column, column, _width(element), self.text)
            sheet.write_string(TITLE_ROW, column, element.title, self._need_format(element))
            sheet.write_comment(TITLE_ROW, column, self._note(element), {"x_scale": 2, "y_scale": 1.6})
            sheet.write_string(ID_ROW, column, element.id, self.text)
            validation = self._validation(element, ranges)
            if validation is not None:
                sheet.data_validation(FIRST_DATA_ROW, column, FIRST_DATA_ROW + _ROWS - 1, column, validation)
        sheet.set_row(TITLE_ROW, 36)
        sheet.set_row(ID_ROW, None, None, {"hidden": True})
        sheet.freeze_panes(FIRST_DATA_ROW, 0)

    def _rows(self, sheet: Any, rows: Sequence[Mapping[str, str]]) -> None:
        """What is filled in already; a code as the drop-down shows it."""
        names = {e.list: self.standard.codelist(e.list).names for e in self.elements if e.list and e.type is Kind.CODE}
        for number, values in enumerate(rows, FIRST_DATA_ROW):
            for column, element in enumerate(self.elements):
                if value := values.get(element.id, ""):
                    known = names.get(element.list or "", {})
                    sheet.write_string(number, column, choice(value, known.get(value, value)), self.text)

    def _need_format(self, element: Element) -> Any:
        if element.need == "must" and element.filled_by is FilledBy.SENDER:
            return self.must
        return self.conditional if element.when or element.group else self.optional

    def _note(self, element: Element) -> str:
        parts = [f"【{need_in_words(element, self.dataset, self.standard)}】{kind_in_words(element)}"]
        if element.note:
            parts.append(element.note)
        return "\n".join(parts)[:1000]

    def _validation(self, element: Element, ranges: Mapping[str, str]) -> dict[str, Any] | None:
        """A drop-down for a code; for a list of codes only advice, as a cell can hold several."""
        if element.list is None:
            return None
        if element.type is Kind.CODE:
            return {
                "validate": "list",
                "source": ranges[element.list],
                "error_title": "不在码表中",
                "error_message": f"请从下拉框中选择（码表 {element.list}）。",
                "error_type": "stop",
            }
        told = "多个代码用分号分隔" if element.type is Kind.LIST else "可填的代码"
        return {
            "validate": "list",
            "source": ranges[element.list],
            "show_error": False,
            "input_title": element.title[:32],
            "input_message": f"{told}，见“{CODES}”表 {element.list}。"[:255],
        }

    def _explanations(self, sheet: Any) -> None:
        dataset = self.dataset
        sheet.write_string(0, 0, f"{dataset.title}（{dataset.id}，版本 {dataset.version}）填写说明", self.title)
        told = (
            "红色为必填，黄色为符合条件时必填，灰色为选填。第 2 行为隐藏的数据项代码，请勿删除。数据从第 3 行填起，"
            "一行一条记录。所有单元格为文本格式，从别处粘贴时请选“只粘贴值”。"
        )
        sheet.write_string(1, 0, told)
        head = ("列名", "数据项代码", "填写要求", "格式", "最大长度", "码表", "说明", "样例")
        for column, words in enumerate(head):
            sheet.write_string(3, column, words, self.heading)
        sample = next(Samples(dataset, self.standard, seed=20).records(1))
        for row, element in enumerate(self.elements, 4):
            shown = self._sample(element, sample.get(element.id, ""))
            cells = (
                element.title,
                element.id,
                need_in_words(element, dataset, self.standard),
                kind_in_words(element),
                size_in_words(element),
                element.list or "",
                element.note,
                shown,
            )
            for column, words in enumerate(cells):
                sheet.write_string(row, column, words, self.plain)
        for column, width in enumerate((24, 30, 36, 26, 12, 20, 40, 36)):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(4, 1)

    def _sample(self, element: Element, value: str) -> str:
        if element.type is Kind.CODE and value:
            return choice(value, self.standard.codes(element.list or "")[value])
        return value[:200]


def _width(element: Element) -> float:
    by_title = 2.2 * len(element.title) + 2
    by_size = min(element.max or 20, 40)
    return max(10, min(40, max(by_title, by_size if element.type is not Kind.CODE else 14)))
