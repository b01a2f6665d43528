"""Repair by rule: rehearsed, approved by a second person, run, undone; the raw bytes stay as they came."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from adapters.formats.base import LegacyChunk
from hub.cli.repairing import step_of
from hub.ledger.cases import Selection
from hub.ledger.tables import case_, journal, payload
from hub.repair import Correct, Date, Fill, Number, Pad, Repair, Replace, Trim
from standards.errors import BadRecord, BadSetup, UnknownName
from tests.hub.city import City, running, until
from tests.hub.test_replay import UNKNOWN, ended, penalties

GROUP = Selection(party="ecology")
MENDED = Repair((Replace(field="案件来源", table={UNKNOWN: "日常检查"}),))


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    yield from running(tmp_path)


def chunk(**columns: list[str]) -> LegacyChunk:
    count = len(next(iter(columns.values())))
    return LegacyChunk(tuple(columns), columns, count, [f"row:{n}" for n in range(count)])


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (Trim(field="a"), ["\u3000甲 ", "\ufeff乙", "丙"], ["甲", "乙", "丙"]),
        (Trim(field="a", chars="'"), ["'0123", "0123"], ["0123", "0123"]),
        (Pad(field="a", width=6), ["1402", "140200", "", "1402000"], ["001402", "140200", "", "1402000"]),
        (Date(field="a", reads="%Y年%m月%d日"), ["2026年3月5日", "不详", ""], ["2026-03-05", "不详", ""]),
        (
            Number(field="a", unit="万元", factor=Decimal(10000)),
            ["1,234.5万元", "0.5", "若干", "NaN", "-3 万元"],
            ["12345000", "5000", "若干", "NaN", "-30000"],
        ),
        (Replace(field="a", table={"x": "1"}), ["x", "X", ""], ["1", "X", ""]),
        (Correct(field="a", values={8: "new"}), ["a", "b", "c"], ["a", "new", "c"]),
    ],
)
def test_a_verb_mends_what_it_can_read_and_leaves_the_rest(step: object, before: list[str], after: list[str]) -> None:
    mended = Repair((step,)).mended(chunk(a=before, b=before), range(7, 7 + len(before)))  # type: ignore[arg-type]
    assert mended.columns["a"] == after
    assert mended.columns["b"] == before


def test_an_empty_value_is_filled_by_the_table_and_a_given_one_stays() -> None:
    step = Fill(field="code", by="name", table={"甲公司": "91140200MA0K000001"})
    mended = Repair((step,)).mended(chunk(code=["", "X", ""], name=["甲公司", "甲公司", "乙公司"]), [1, 2, 3])
    assert mended.columns["code"] == ["91140200MA0K000001", "X", ""]


@given(st.lists(st.text(max_size=8), min_size=1, max_size=20), st.integers(1, 12))
def test_a_repair_is_kept_as_it_was_and_mending_twice_is_mending_once(values: list[str], width: int) -> None:
    for repair in (Repair((Trim(field="a"),)), Repair((Pad(field="a", width=width),))):
        once = repair.mended(chunk(a=values), range(len(values)))
        assert repair.mended(once, range(len(values))).columns == once.columns
        assert Repair.read(repair.text()) == repair


def test_an_empty_value_is_filled_from_a_lookup_with_one_question_and_a_silent_one_stops_the_work() -> None:
    step = Fill(field="code", by="name", lookup="firms", gives="uscc")
    asked: list[list[tuple[str, ...]]] = []

    def ask(name: str, keys: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], dict[str, str]]:
        assert name == "firms"
        asked.append(list(keys))
        return {("甲公司",): {"uscc": "91140200MA0K000001"}}

    columns = {"code": ["", "X", "", ""], "name": ["甲公司", "甲公司", "乙公司", "甲公司"]}
    mended = Repair((step,)).mended(chunk(**columns), range(4), ask)

    assert mended.columns["code"] == ["91140200MA0K000001", "X", "", "91140200MA0K000001"]
    assert asked == [[("甲公司",), ("乙公司",)]]
    with pytest.raises(BadSetup, match="firms"):
        Repair((step,)).mended(chunk(**columns), range(4))
    for wrong in ({}, {"table": {"a": "b"}, "lookup": "firms", "gives": "x"}, {"lookup": "firms"}):
        with pytest.raises(ValueError, match="give a table"):
            Fill.model_validate({"field": "code", "by": "name", **wrong})


def test_a_group_is_filled_from_a_configured_base(tmp_path: Path) -> None:
    base = tmp_path / "firms.db"
    with sqlite3.connect(base) as connection:
        connection.execute("CREATE TABLE cases (no TEXT, title TEXT)")
        connection.executemany("INSERT INTO cases VALUES (?, ?)", [(row[1], f"案 {row[1]}") for row in untitled()[1:3]])
    more = (
        '[lookups.cases]\nparty = "market"\ntitle = "案件库"\nadapter = "table_lookup"\n'
        f'settings = {{ url = "sqlite:///{base}", table = "cases", key = ["no"], columns = ["title"] }}\n'
    )
    for city in running(tmp_path / "hub", more=more):
        said = io.StringIO(newline="")
        csv.writer(said).writerows(untitled())
        assert city.settled(city.submit(said.getvalue().encode())).rejected == 3
        desk = city.hub.replays()
        parts = desk.plan(GROUP)
        fill = Repair((Fill(field="案件名称", by="案件编号", lookup="cases", gives="title"),))
        tried = desk.rehearse(parts, fill)
        assert (tried["passes"], tried["fails"]) == (2, 1)
        with pytest.raises(UnknownName):
            desk.rehearse(parts, Repair((Fill(field="案件名称", by="案件编号", lookup="nobody", gives="title"),)))
        done = ended(city, desk.start(parts, "key", "", {}, repair=fill, consent="王芳")["id"])
        assert (done["progress"]["accepted"], done["progress"]["rejected"]) == (2, 1)


def untitled() -> list[list[str]]:
    """Three penalties without a name."""
    rows = list(csv.reader(io.StringIO(penalties(3, source="日常检查").decode())))
    place = rows[0].index("案件名称")
    return [rows[0], *([*row[:place], "", *row[place + 1 :]] for row in rows[1:])]


def test_steps_as_they_are_typed() -> None:
    assert step_of("pad 区划 6") == {"verb": "pad", "field": "区划", "width": 6, "fill": "0"}
    assert step_of("replace 来源 '网格 上报=日常检查'")["table"] == {"网格 上报": "日常检查"}
    assert step_of("fill 名称 编号 @cases title") == {
        "verb": "fill",
        "field": "名称",
        "by": "编号",
        "lookup": "cases",
        "gives": "title",
    }
    for wrong in ("fill 名称", "fill 名称 编号 @cases", "pad 区划", "pad 区划 x", "explode 区划", "trim"):
        with pytest.raises(BadSetup):
            step_of(wrong)


def test_a_group_is_repaired_by_rule_and_put_back(city: City) -> None:
    for number in range(2):
        assert city.settled(city.submit(penalties(50, first=1 + number * 50))).rejected == 50
    desk = city.hub.replays()
    with city.hub.ledger.read() as connection:
        raw = connection.execute(select(payload.c.data).order_by(payload.c.submission_id)).scalars().all()
    parts = desk.plan(GROUP)
    said = desk.rehearse(parts, MENDED)
    assert (said["passes"], said["fails"]) == (100, 0)
    assert {(s["field"], s["before"], s["after"]) for s in said["samples"]} == {("案件来源", UNKNOWN, "日常检查")}
    assert len(said["samples"]) == 20
    assert not city.receiver.contents, "a rehearsal sends nothing"

    with pytest.raises(BadRecord, match="consent"):
        desk.start(parts, "key", "网格上报即日常检查", {}, repair=MENDED)
    made = desk.start(parts, "key", "网格上报即日常检查", {}, repair=MENDED, consent="生态环境局 王芳")
    done = ended(city, made["id"])
    assert done["progress"]["accepted"] == 100
    assert done["consent"] == "生态环境局 王芳"
    until(lambda: len(city.receiver.contents) == 100)
    assert {one["case_source"] for one in city.receiver.contents.values()} == {"1"}
    assert desk.plan(GROUP) == [], "the data closed the cases"
    with city.hub.ledger.read() as connection:
        kept = connection.execute(select(payload.c.data).order_by(payload.c.submission_id)).scalars().all()
    assert kept[: len(raw)] == raw

    back = desk.undo(UUID(made["id"]), "key", "归类有误")
    assert back["left"] == 0
    assert ended(city, back["id"])["progress"]["accepted"] == 100
    assert sum(len(part.rows) for part in desk.plan(GROUP)) == 100, "the cases are open again"
    until(lambda: sum(one[2] == "d" for one in list(city.receiver.history)) == 100)
    with pytest.raises(BadRecord):
        desk.undo(UUID(made["id"]), "key", "再来一次")
    with pytest.raises(BadRecord):
        desk.undo(UUID(back["id"]), "key", "撤销的撤销")
    with city.hub.ledger.read() as connection:
        actions = connection.execute(select(journal.c.action).where(journal.c.action.like("repair%"))).scalars().all()
    assert actions == ["repair_started", "repair_started", "repair_undone"]

    # What was put back can be mended another way.
    other = Repair((Replace(field="案件来源", table={UNKNOWN: "群众举报"}),))
    again = desk.start(desk.plan(GROUP), "key", "改为群众举报", {}, repair=other, consent="生态环境局 王芳")
    assert ended(city, again["id"])["progress"]["accepted"] == 100


def test_what_was_reported_anew_since_is_not_put_back(city: City) -> None:
    city.settled(city.submit(penalties(10)))
    desk = city.hub.replays()
    made = desk.start(desk.plan(GROUP), "key", "", {}, repair=MENDED, consent="王芳")
    ended(city, made["id"])
    city.settled(city.submit(penalties(4, source="信访投诉")))
    back = desk.undo(UUID(made["id"]), "key", "归类有误")
    assert back["left"] == 4
    assert ended(city, back["id"])["records"] == 6
    with city.hub.ledger.read() as connection:
        still = connection.execute(select(case_).where(case_.c.closed_at.is_(None))).all()
    assert len(still) == 6


def test_a_second_person_approves_where_the_setting_asks_for_it(tmp_path: Path) -> None:
    for city in running(tmp_path, more="[cases]\napprove_repairs = true\n"):
        city.settled(city.submit(penalties(5)))
        desk = city.hub.replays()
        made = desk.start(desk.plan(GROUP), "first", "", {}, repair=MENDED, consent="王芳")
        assert made["state"] == "waiting"
        desk.run()
        assert desk.one(UUID(made["id"]))["progress"]["begun"] == 0
        with pytest.raises(BadRecord):
            desk.approve(UUID(made["id"]), "first")
        desk.approve(UUID(made["id"]), "second")
        done = ended(city, made["id"])
        assert (done["progress"]["accepted"], done["approved_by"]) == (5, "second")
        # A plain replay changes nothing and waits for nobody.
        city.settled(city.submit(penalties(2, first=900)))
        assert desk.start(desk.plan(GROUP), "first", "", {})["state"] != "waiting"
