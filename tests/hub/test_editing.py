"""One record mended by hand: rehearsed, with the owner's consent, linked to what was handed over."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from hub.ledger.tables import case_, journal, submission
from standards.errors import BadRecord, UnknownName
from tests.hub.city import City, running, until
from tests.hub.test_replay import UNKNOWN, ended, penalties

ALLOWED = {"reason": "电话核实", "consent": "生态环境局 王芳"}


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    yield from running(tmp_path)


def without(data: bytes, column: str) -> bytes:
    """The file without a column."""
    rows = list(csv.reader(io.StringIO(data.decode())))
    place = rows[0].index(column)
    said = io.StringIO(newline="")
    csv.writer(said).writerows([*row[:place], *row[place + 1 :]] for row in rows)
    return said.getvalue().encode()


def test_one_record_is_seen_mended_and_handed_in_once_more(city: City) -> None:
    kept = city.submit(penalties(3))
    city.settled(kept)
    desk = city.hub.edits()

    one = desk.record(kept.receipt_no, 2, "test")
    fields = {said["field"]: said for said in one["fields"]}
    assert (fields["案件来源"]["value"], fields["案件来源"]["wrong"]) == (UNKNOWN, True)
    assert fields["案件来源"]["elements"] == ["案件来源"]
    assert not fields["案件编号"]["wrong"]
    assert [why["code"] for why in one["findings"] if why["element"] == "case_source"] == ["10005.crosswalk"]
    assert "第 3 行" in one["place_zh"]

    said = desk.rehearse(kept.receipt_no, 2, {"案件来源": "日常检查"})
    assert (said["passes"], said["fails"], len(said["samples"])) == (1, 0, 1)
    assert desk.rehearse(kept.receipt_no, 2, {"案件来源": "还是不认识"})["fails"] == 1
    for wrong in ({"reason": "", "consent": "王芳"}, {"reason": "核实", "consent": " "}):
        with pytest.raises(BadRecord):
            desk.edit(kept.receipt_no, 2, {"案件来源": "日常检查"}, "test", **wrong)
    assert not city.receiver.contents

    done = ended(city, desk.edit(kept.receipt_no, 2, {"案件来源": "日常检查"}, "test", **ALLOWED)["id"])
    assert (done["progress"]["accepted"], done["consent"], done["reason"]) == (1, "生态环境局 王芳", "电话核实")
    until(lambda: len(city.receiver.contents) == 1)
    with city.hub.ledger.read() as connection:
        linked = connection.execute(select(submission.c.id).where(submission.c.origin_id == kept.submission_id)).all()
        closed = connection.execute(select(case_.c.row_no, case_.c.closing_id).where(case_.c.closed_at.is_not(None)))
        assert closed.all() == [(2, linked[0][0])]
        actions = connection.execute(select(journal.c.action).where(journal.c.submission_id == kept.submission_id))
        assert "record_seen" in actions.scalars().all()
    back = city.hub.replays().undo(UUID(done["id"]), "test", "核实有误")
    assert ended(city, back["id"])["progress"]["accepted"] == 1


def test_an_element_that_one_column_feeds_may_be_named_and_others_not(city: City) -> None:
    kept = city.submit(penalties(2))
    city.settled(kept)
    desk = city.hub.edits()
    assert desk.rehearse(kept.receipt_no, 1, {"case_source": "日常检查"})["samples"][0]["field"] == "案件来源"
    with pytest.raises(BadRecord, match="supervise_object comes from"):
        desk.rehearse(kept.receipt_no, 1, {"supervise_object": "甲公司"})
    with pytest.raises(BadRecord, match="案件来原") as told:
        desk.edit(kept.receipt_no, 1, {"案件来原": "日常检查"}, "test", **ALLOWED)
    assert "案件来源" in told.value.hint_zh
    assert city.hub.replays().listed() == []


def test_a_column_that_the_file_has_not_is_offered_and_filled(city: City) -> None:
    kept = city.submit(without(penalties(2, source="日常检查"), "案件名称"))
    assert city.settled(kept).rejected == 2
    desk = city.hub.edits()
    offered = {said["field"]: said["there"] for said in desk.record(kept.receipt_no, 1, "test")["fields"]}
    assert offered["案件名称"] is False
    done = ended(city, desk.edit(kept.receipt_no, 1, {"案件名称": "某案"}, "test", **ALLOWED)["id"])
    assert done["progress"]["accepted"] == 1


def test_what_passed_is_for_its_owner_and_what_is_not_there_for_nobody(city: City) -> None:
    kept = city.submit(penalties(1, source="日常检查"))
    city.settled(kept)
    desk = city.hub.edits()
    with pytest.raises(BadRecord, match="owner"):
        desk.edit(kept.receipt_no, 1, {"案件来源": "信访投诉"}, "test", **ALLOWED)
    for receipt_no, row in ((kept.receipt_no, 2), ("261129-999999-9", 1)):
        with pytest.raises(UnknownName):
            desk.record(receipt_no, row, "test")
    with pytest.raises(BadRecord):
        desk.rehearse(kept.receipt_no, 1, {})


def test_personal_values_are_masked_unless_they_may_be_seen(city: City) -> None:
    data = penalties(1).decode()
    rows = list(csv.reader(io.StringIO(data)))
    head = rows[0]
    rows[1][head.index("当事人类型")], rows[1][head.index("证件类型")] = "个人", "身份证"
    rows[1][head.index("证件号码")] = "11010519491231002X"
    said = io.StringIO(newline="")
    csv.writer(said).writerows(rows)
    kept = city.submit(said.getvalue().encode())
    city.settled(kept)
    desk = city.hub.edits()
    firm = city.submit(penalties(1, first=9))
    city.settled(firm)
    (number,) = [one for one in desk.record(firm.receipt_no, 1, "test")["fields"] if one["field"] == "证件号码"]
    assert not number["masked"], "the credit code of a firm is no secret"
    plain = {one["field"]: one for one in desk.record(kept.receipt_no, 1, "test", unmask=True)["fields"]}
    hidden = {one["field"]: one for one in desk.record(kept.receipt_no, 1, "test")["fields"]}
    assert plain["证件号码"]["value"] == "11010519491231002X"
    assert hidden["证件号码"]["masked"], hidden["证件号码"]
    assert "1231" not in hidden["证件号码"]["value"]


def test_numbers_inside_free_text_are_masked_and_a_masked_one_is_not_handed_in(city: City) -> None:
    kept = city.submit(penalties(1).replace(UNKNOWN.encode(), f"{UNKNOWN}，电话13800138000".encode()))
    city.settled(kept)
    desk = city.hub.edits()
    shown = {one["field"]: one for one in desk.record(kept.receipt_no, 1, "test")["fields"]}["案件来源"]
    plain = {one["field"]: one for one in desk.record(kept.receipt_no, 1, "test", unmask=True)["fields"]}["案件来源"]

    assert (shown["value"], shown["masked"]) == (f"{UNKNOWN}，电话138****8000", True)
    assert plain["value"] == f"{UNKNOWN}，电话13800138000"
    with pytest.raises(BadRecord, match="hidden from you"):
        desk.rehearse(kept.receipt_no, 1, {"案件来源": f"{shown['value']}，已核"})
    assert desk.rehearse(kept.receipt_no, 1, {"案件来源": "日常检查"})["passes"] == 1
