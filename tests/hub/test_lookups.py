"""Records are looked up in bases, one question a chunk: what is unknown is held, and all while a base is away."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from hub.bootstrap import prepare as prepare_settings
from hub.lookup_holds import fate
from hub.lookups import Desk
from hub.translate.consult import DIFFERENT, FILLED, NO_ANSWER, UNMATCHED, LookupRule, Said, consult, same
from standards.clock import FrozenClock
from standards.errors import BadConfiguration, SystemUnreachable, Temporary
from standards.model import Severity
from standards.registry import built_in
from standards.samples.valid import valid_records
from tests.hub import city as cities
from tests.hub.city import City, config, until

KEY, NAME, PLACE = "administrative_cp_ui_code", "administrative_cp", "address_operating"
RULE = LookupRule("firms", "市法人库", (KEY,), Severity.HOLD, Severity.WARNING, ((NAME, "name"),), ((PLACE, "addr"),))
MORE = """
[lookups.firms]
party = "market"
title = "市法人库"
adapter = "table_lookup"
settings = {{ url = "sqlite:///{path}", table = "ent", key = ["uscc"], columns = ["name", "addr"] }}
remember = "0.1s"
rest = "0.3s"
again = "0.3s"

[[checks_by_lookup]]
lookup = "firms"
datasets = ["punish_action"]
key = ["administrative_cp_ui_code"]
unmatched = "{unmatched}"
compare = {{ administrative_cp = "name" }}
fill = {{ {fill} = "addr" }}
"""


class Asked:
    """A base that knows what it is told, and counts."""

    def __init__(self, known: Mapping[str, Mapping[str, str]]) -> None:
        self.known = known
        self.questions: list[list[tuple[str, ...]]] = []

    def __call__(self, _name: str, keys: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], Mapping[str, str]]:
        self.questions.append(list(keys))
        return {key: self.known[key[0]] for key in keys if key[0] in self.known}


def test_a_chunk_is_one_question_whatever_it_holds() -> None:
    ask = Asked({"A": {"name": "甲（集团）", "addr": "x"}, "B": {"name": "乙"}})
    columns = {
        KEY: ["A", "B", "A", "", "C"],
        NAME: ["甲(集团)", "丙", "甲 (集团)", "x", "x"],
        PLACE: ["", "", "y", "", ""],
    }

    found = consult([RULE], columns, range(5), 5, ask)

    assert ask.questions == [[("A",), ("B",), ("C",)]]
    assert [(s.row, s.code) for s in found.said] == [(0, FILLED), (1, DIFFERENT), (4, UNMATCHED)]
    assert found.columns[PLACE] == ["x", "", "y", "", ""]
    assert columns[PLACE] == ["", "", "y", "", ""], "what came stays as it came"
    assert found.fills == {0: {PLACE: "x"}}


def test_a_base_that_does_not_answer_holds_and_rejects_nothing() -> None:
    def away(_name: str, _keys: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], Mapping[str, str]]:
        raise SystemUnreachable("away")

    found = consult([RULE], {KEY: ["A", ""]}, range(2), 2, away)

    assert [(s.row, s.code, s.severity) for s in found.said] == [(0, NO_ANSWER, Severity.HOLD)]
    assert found.unfilled == {0: {PLACE}}


def test_names_are_the_same_but_for_widths_blanks_and_capitals() -> None:
    assert same("大同（煤业） ABC有限公司", "大同(煤业)abc有限公司")
    assert not same("大同煤业", "大同焦煤")


def a_said(code: str, severity: Severity) -> Said:
    return Said(0, KEY, code, severity, "", {})


@pytest.mark.parametrize(
    ("waited_for", "said", "becomes"),
    [
        (NO_ANSWER, [], "released"),
        (NO_ANSWER, [a_said(NO_ANSWER, Severity.HOLD)], ""),
        (NO_ANSWER, [a_said(UNMATCHED, Severity.HOLD)], "held"),
        (UNMATCHED, [a_said(UNMATCHED, Severity.HOLD)], ""),
        (NO_ANSWER, [a_said(UNMATCHED, Severity.ERROR)], "rejected"),
        (NO_ANSWER, [a_said(NO_ANSWER, Severity.HOLD), a_said(UNMATCHED, Severity.ERROR)], ""),
        (UNMATCHED, [a_said(DIFFERENT, Severity.WARNING)], "released"),
    ],
)
def test_what_becomes_of_a_held_record(waited_for: str, said: list[Said], becomes: str) -> None:
    assert fate(waited_for, said, {}).next == becomes


class Slow:
    """A base that hangs until it is let go."""

    def __init__(self) -> None:
        self.go, self.calls = Event(), 0

    def find(self, keys: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], Mapping[str, str]]:
        self.calls += 1
        self.go.wait(20)
        return {key: {"name": "n"} for key in keys}

    def check(self) -> str:
        return ""

    def close(self) -> None:
        """Nothing."""


def test_a_base_that_hangs_is_left_alone_after_its_time_and_asked_again_later(tmp_path: Path) -> None:
    city = start(tmp_path)
    generation = city.hub.generations.current()
    lookups = {"firms": generation.settings.lookups["firms"].model_copy(update={"seconds": timedelta(seconds=0.1)})}
    generation.settings = generation.settings.model_copy(update={"lookups": lookups})
    slow, clock = Slow(), FrozenClock(city.hub.clock.now())
    desk = Desk(clock, open=lambda _generation, _name: slow)

    for _ in range(3):
        with pytest.raises(Temporary):
            desk.find(generation, "firms", [("A",)])
    slow.go.set()
    clock.forward(timedelta(seconds=1))
    until(lambda: desk_answers(desk, generation, clock))

    assert slow.calls == 2
    assert desk.find(generation, "firms", [("A",)]) == {("A",): {"name": "n"}}
    assert slow.calls == 2, "it is remembered"
    desk.close()
    stop(city)


def desk_answers(desk: Desk, generation: object, clock: FrozenClock) -> bool:
    try:
        desk.find(generation, "firms", [("A",)])  # type: ignore[arg-type]
    except Temporary:
        clock.forward(timedelta(seconds=1))
        return False
    return True


def firms(path: Path, *rows: tuple[str, str, str]) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS ent (uscc TEXT, name TEXT, addr TEXT)")
        connection.executemany("INSERT INTO ent VALUES (?, ?, ?)", rows)


def start(folder: Path, unmatched: str = "hold", fill: str = PLACE) -> City:
    receiver = cities.Receiver().start()
    base = folder / "base.db"
    return cities.start(folder, receiver, more=MORE.format(path=base, unmatched=unmatched, fill=fill))


def stop(city: City) -> None:
    city.hub.stop()
    city.receiver.stop()


def records(count: int, **changes: str) -> list[dict[str, str]]:
    """Valid penalties of organisations, all different."""
    dataset = built_in().dataset("punish_action")
    found = [r for r in valid_records(dataset, built_in(), 60) if r.get("administrative_cp_ce_type") == "001"]
    made = [{**r, "punish_action_code": f"P-{n}", **changes} for n, r in enumerate(found[:count])]
    assert len(made) == count
    return made


def handed(city: City, rows: list[dict[str, str]]) -> str:
    return city.submit(json.dumps(rows, ensure_ascii=False).encode(), "market-penalties").receipt_no


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    started = start(tmp_path)
    yield started
    stop(started)


def counts(city: City, receipt_no: str) -> dict[str, int]:
    view = city.hub.receipts.receipt(receipt_no)
    assert view is not None
    return {n: getattr(view, n) for n in ("read", "accepted", "rejected", "held", "duplicate")}


def codes(city: City, receipt_no: str) -> list[set[str]]:
    view = city.hub.receipts.receipt(receipt_no)
    assert view is not None
    return [{f["code"] for f in row["findings"]} for row in view.document["records"]]


def test_an_unknown_subject_is_held_and_goes_on_when_the_base_knows_it(city: City, tmp_path: Path) -> None:
    one, two = records(2)
    firms(tmp_path / "base.db", (one[KEY], one[NAME], "-"))

    receipt_no = handed(city, [one, two])

    until(
        lambda: (
            counts(city, receipt_no) | {"accepted": 0}
            == {"read": 2, "accepted": 0, "rejected": 0, "held": 1, "duplicate": 0}
        )
    )
    assert {UNMATCHED} in codes(city, receipt_no)
    firms(tmp_path / "base.db", (two[KEY], "另一个名字", "-"))
    until(lambda: counts(city, receipt_no)["accepted"] == 2)
    assert {UNMATCHED, DIFFERENT} in codes(city, receipt_no)
    until(lambda: len(city.receiver.stored) == 2)


def test_while_the_base_is_away_everything_is_held_and_all_of_it_goes_on_when_it_answers(
    city: City, tmp_path: Path
) -> None:
    rows = records(12, **{PLACE: ""})

    receipt_no = handed(city, rows)

    until(lambda: counts(city, receipt_no)["held"] == 12)
    assert codes(city, receipt_no) == [{NO_ANSWER}] * 12
    assert not city.receiver.stored
    firms(tmp_path / "base.db", *[(r[KEY], r[NAME], "平城区某街 1 号") for r in rows[1:]])
    until(lambda: counts(city, receipt_no)["accepted"] == 11)
    until(lambda: len(city.receiver.stored) == 11)
    assert counts(city, receipt_no)["held"] == 1
    assert {NO_ANSWER, UNMATCHED} in codes(city, receipt_no)
    sent = next(iter(city.receiver.contents.values()))
    assert sent[PLACE] == "平城区某街 1 号"


def test_an_element_is_filled_without_changing_the_digest_and_a_repeat_is_a_duplicate(
    city: City, tmp_path: Path
) -> None:
    [row] = records(1, **{PLACE: ""})
    firms(tmp_path / "base.db", (row[KEY], row[NAME], "平城区某街 1 号"))

    first = handed(city, [row])

    until(lambda: len(city.receiver.stored) == 1)
    [sent] = city.receiver.contents.values()
    assert sent[PLACE] == "平城区某街 1 号"
    assert codes(city, first) == [{FILLED}]
    firms(tmp_path / "base.db")
    again = handed(city, [row])
    until(lambda: counts(city, again)["duplicate"] == 1)


def test_a_missing_must_element_is_filled_or_its_absence_told_after_the_outage(tmp_path: Path) -> None:
    city = start(tmp_path, fill=NAME)
    one, two = records(2, **{NAME: ""})

    receipt_no = handed(city, [one, two])
    until(lambda: counts(city, receipt_no)["held"] == 2)
    firms(tmp_path / "base.db", (one[KEY], "甲公司", "甲公司"), (two[KEY], "", ""))
    until(lambda: counts(city, receipt_no)["held"] == 0)

    assert counts(city, receipt_no) == {"read": 2, "accepted": 1, "rejected": 1, "held": 0, "duplicate": 0}
    assert {NO_ANSWER, "10001"} in codes(city, receipt_no)
    until(lambda: [c[NAME] for c in city.receiver.contents.values()] == ["甲公司"])
    stop(city)


def test_what_a_rule_rejects_is_rejected_and_what_it_warns_of_passes(tmp_path: Path) -> None:
    for unmatched, verdict in (("reject", "rejected"), ("warn", "accepted")):
        folder = tmp_path / unmatched
        folder.mkdir()
        firms(folder / "base.db")
        city = start(folder, unmatched)
        receipt_no = handed(city, records(1))
        until(lambda c=city, r=receipt_no, v=verdict: counts(c, r)[v] == 1)
        assert UNMATCHED in codes(city, receipt_no)[0]
        stop(city)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('lookup = "firms"', 'lookup = "firm"', "did you mean firms?"),
        ('adapter = "table_lookup"', 'adapter = "rest_push"', "cannot be asked"),
        ('table = "ent"', 'tabel = "ent"', "did you mean table?"),
        ("administrative_cp = ", "administrativ_cp = ", "did you mean administrative_cp"),
        (f"{PLACE} = ", "punish_action_code = ", "never filled in"),
    ],
)
def test_mistakes_of_lookups_are_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    more = MORE.format(path="/x", unmatched="hold", fill=PLACE)
    assert old in more
    path = tmp_path / "hub.toml"
    path.write_text(config("http://127.0.0.1:9", more=more.replace(old, new, 1)), "utf-8")

    with pytest.raises(BadConfiguration) as told:
        prepare_settings(path)
    assert said in str(told.value.what)
