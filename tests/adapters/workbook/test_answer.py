"""The clerk's workbook comes back marked, is mended cell by cell, and is accepted."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import openpyxl
import pytest
from typer.testing import CliRunner

from adapters.formats import workbook_child
from adapters.workbook.marks import AUTHOR, RESULT_SHEET
from demo.emergency import filled
from hub import marked, serve
from hub.bootstrap import prepare
from hub.cli.main import app
from hub.ledger import credentials
from hub.serve import Running
from standards.exports import workbook as template
from standards.registry import built_in
from standards.samples import Samples
from tests.hub.city import config
from tests.receiver import Receiver

STANDARD = built_in()
CHECKS = STANDARD.dataset("check_action")

#: What is wrong in row 1, 2, … of the clerk's sheet: element, what she typed, the finding.
FAULTS = (
    ("check_action_name", "", "10001"),
    ("check_date", "2025年13月40日", "10004"),
    ("check_result", "很好", "10005"),
    ("implement_institution_code", "912104224UY1MQUW5X", "10006"),
    ("area_number", "149999", "10005"),
    ("implement_institution", "局" * 120, "10003"),
    ("supervise_item_implement_code", "1402", "10004"),
    ("administrative_cp_ce_type", "身份", "10005"),
    ("submitted_date", "昨天", "10004"),
    ("administrative_cp_na", "公司", "10005"),
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Running]:
    receiver = Receiver().start()
    path = tmp_path / "hub.toml"
    path.write_text(config(receiver.url), "utf-8")
    running = serve.start(*prepare(path))
    yield running
    running.stop()
    receiver.stop()


@pytest.fixture
def bureau(hub: Running) -> Iterator[httpx2.Client]:
    now = hub.hub.clock.now()
    key = hub.hub.ledger.write(lambda c: credentials.make(c, "ecology", now, by="test"))[1]
    with httpx2.Client(base_url=hub.address, headers={"authorization": f"Bearer {key}"}, timeout=60) as client:
        yield client


def good_rows(count: int) -> list[dict[str, str]]:
    return list(Samples(CHECKS, STANDARD, seed=9, today=date(2025, 6, 30)).records(count))


def handed_in(bureau: httpx2.Client, body: bytes, name: str = "检查.xlsx") -> dict[str, Any]:
    params = {"connection": "checks", "wait": 30, "name": name}
    said: dict[str, Any] = bureau.post("/v1/submissions", params=params, content=body).json()
    return said


def answered(bureau: httpx2.Client, said: dict[str, Any]) -> openpyxl.Workbook:
    got = bureau.get(f"/v1/receipts/{said['receipt_no']}.xlsx")
    assert got.status_code == 200, got.text
    return openpyxl.load_workbook(io.BytesIO(got.content))


def saved(book: openpyxl.Workbook) -> bytes:
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def comments(book: openpyxl.Workbook) -> dict[str, str]:
    """Our comments on the first sheet, by cell."""
    return {
        cell.coordinate: cell.comment.text
        for row in book.worksheets[0].iter_rows()
        for cell in row
        if cell.comment is not None and cell.comment.author == AUTHOR
    }


def test_a_filled_template_with_ten_kinds_of_faults_comes_back_marked_is_mended_and_accepted(
    bureau: httpx2.Client,
) -> None:
    right = good_rows(12)
    wrong = [dict(row) for row in right]
    for row, (element, value, _) in zip(wrong, FAULTS, strict=False):
        row[element] = value
    said = handed_in(bureau, filled(template.export(CHECKS, STANDARD), CHECKS, wrong))
    assert said["counts"]["rejected"] == 10, said
    told = {r["row"]: {(f["element"], f["code"][:5]) for f in r["findings"]} for r in said["records"]}
    for number, (element, _, code) in enumerate(FAULTS, 1):
        assert (element, code) in told[number]

    book = answered(bureau, said)

    columns = {element.id: n for n, element in enumerate(template.elements_of(CHECKS))}
    marked = comments(book)
    sheet = book.worksheets[0]
    for number, (element, _, _) in enumerate(FAULTS, template.FIRST_DATA_ROW + 1):
        cell = sheet.cell(number, columns[element] + 1)
        assert "改法" in marked[cell.coordinate], cell.coordinate
        assert cell.fill.fgColor.rgb == "FFF4B8B4"
    assert [s.title for s in book.worksheets[1:3]] == [template.EXPLANATIONS, template.CODES], "it is her own workbook"
    assert sheet.data_validations.dataValidation, "with its drop-downs"
    result = book[RESULT_SHEET]
    assert result.max_row - 1 == sum(len(r["findings"]) for r in said["records"])

    # As the clerk does: she goes from comment to comment and types what belongs there.
    by_column = {n: element.id for n, element in enumerate(template.elements_of(CHECKS), 1)}
    for coordinate in marked:
        cell = sheet[coordinate]
        cell.value = right[cell.row - template.FIRST_DATA_ROW - 1].get(by_column[cell.column], "")
    again = handed_in(bureau, saved(book), "检查（改）.xlsx")

    assert again["counts"] == {"read": 12, "accepted": 10, "rejected": 0, "held": 0, "duplicate": 2}, again["records"]
    clean = answered(bureau, again)
    assert comments(clean) == {}, "nothing of the first marking is left"
    assert clean[RESULT_SHEET].max_row == 1


def test_anything_else_is_answered_with_a_sheet_of_its_rows(
    hub: Running, bureau: httpx2.Client, tmp_path: Path
) -> None:
    rows = good_rows(3)
    rows[1]["check_date"] = "=1+1"
    names = list(rows[0])
    lines = [",".join(names), *(",".join(row.get(n, "") for n in names) for row in rows)]
    said = handed_in(bureau, "\n".join(lines).encode("gb18030"), "checks.csv")

    operator = (hub.hub.state / "operator.key").read_text("ascii")
    path = tmp_path / "answer.xlsx"
    words = ["receipt", said["receipt_no"], "--workbook", str(path), "--url", hub.address, "--key", operator]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1, done.output
    book = openpyxl.load_workbook(path)

    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[1]] == names
    at = sheet.cell(3, names.index("check_date") + 1)
    assert at.value == "=1+1"
    assert at.data_type != "f", "no formula"
    assert at.comment is not None
    assert comments(book).keys() == {at.coordinate}


def test_of_a_large_hand_over_only_the_faulty_rows_are_in_the_sheet_and_none_where_none_is(
    bureau: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marked, "WHOLE", 4)
    rows = good_rows(6)

    def sheet(faulty: Sequence[int]) -> openpyxl.worksheet.worksheet.Worksheet:
        held = [{**row, "check_date": "bad" if n in faulty else row["check_date"]} for n, row in enumerate(rows)]
        return answered(bureau, handed_in(bureau, json.dumps(held).encode(), f"{len(faulty)}.json")).worksheets[0]

    some, none = sheet([1, 4]), sheet([])

    names = [cell.value for cell in some[1]]
    key = names.index("check_action_code") + 1
    assert [some.cell(n, key).value for n in (2, 3)] == [rows[1]["check_action_code"], rows[4]["check_action_code"]]
    assert some.max_row == 3
    assert all(some.cell(n, names.index("check_date") + 1).comment for n in (2, 3))
    assert none.max_row == 1


def test_what_cannot_be_read_is_answered_in_words(bureau: httpx2.Client) -> None:
    said = handed_in(bureau, b"PK\x03\x04 this is no workbook", "坏.xlsx")
    book = answered(bureau, said)
    assert book[RESULT_SHEET].max_row == 2
    assert book[RESULT_SHEET]["D2"].value


def test_nobody_gets_the_workbook_of_somebody_else(hub: Running, bureau: httpx2.Client) -> None:
    said = handed_in(bureau, filled(template.export(CHECKS, STANDARD), CHECKS, good_rows(1)))
    now = hub.hub.clock.now()
    key = hub.hub.ledger.write(lambda c: credentials.make(c, "market", now, by="test"))[1]
    got = httpx2.get(f"{hub.address}/v1/receipts/{said['receipt_no']}.xlsx", headers={"authorization": f"Bearer {key}"})
    assert got.status_code == 404


def test_the_result_sheet_has_one_name() -> None:
    assert workbook_child.RESULT_SHEET == RESULT_SHEET
