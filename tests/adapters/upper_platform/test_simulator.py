"""The simulated centre judges and counts as a real one, and can be made to do wrong in every way that is promised."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from adapters.conformance import refused, settle
from adapters.conformance.parcels import a_parcel, a_record, again, contents, revised, some
from standards.errors import SystemBusy, SystemUnreachable
from standards.parcel import Parcel, Result
from tests.adapters.upper_platform.rigs import HttpRig, TablesRig, a_centre, rows, spoil


@pytest.fixture
def http() -> Iterator[HttpRig]:
    """By HTTP services."""
    rig = HttpRig()
    yield rig
    rig.close()


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[TablesRig]:
    """By front-end tables."""
    rig = TablesRig(f"sqlite:///{tmp_path}/centre.db")
    yield rig
    rig.close()


def spoilt(size: int, *wrong: int) -> Parcel:
    """A parcel of which some records are wrong."""
    return a_parcel([a_record(spoil(c)[0] if i in wrong else c) for i, c in enumerate(contents(size))])


def test_rows_pass_from_front_to_merge_store_to_base_or_error_store(tables: TablesRig) -> None:
    parcel = spoilt(10, 2, 7)
    wrong = {parcel.records[2].cd_id, parcel.records[7].cd_id}

    settle(tables, parcel)

    centre = tables.centre
    merged = rows(centre, "jg_jgxw_punish_action_hj_all", "cd_id, cd_lsh, cd_hb_source, cd_hb_time")
    assert len(merged) == 10
    assert all(lsh and source == "city" and at for _, lsh, source, at in merged)
    serial = {cd_id: lsh for cd_id, lsh, *_ in merged}
    base = {r[0] for r in rows(centre, "jg_jgxw_punish_action_jc_all", "cd_id")}
    false = {r[0] for r in rows(centre, "jg_jgxw_punish_action_jc_false", "cd_id")}
    assert (base, false) == ({r.cd_id for r in parcel.records} - wrong, wrong)
    details = rows(centre, "jg_jgxw_punish_action_fd", "cd_lsh, error_column, msg")
    assert {(lsh, column) for lsh, column, _ in details} == {(serial[w], "punish_procedure") for w in wrong}
    assert all("处罚程序" in str(message) for *_, message in details)
    index = rows(centre, "jg_jgxw_punish_action_fi", "cd_lsh, table_name")
    assert set(index) == {(serial[w], "jg_jgxw_punish_action") for w in wrong}
    front = rows(centre, "jg_jgxw_punish_action", "cd_id, cd_lsh, cd_hb_source")
    assert set(front) == {(cd_id, lsh, "city") for cd_id, lsh in serial.items()}


def test_the_four_counts_are_told_and_a_front_that_is_not_merged_is_inconsistent(tables: TablesRig) -> None:
    settle(tables, spoilt(10, 2, 7))
    [count] = tables.centre.counts()
    assert (count.front, count.standard, count.right, count.wrong, count.consistent) == (10, 10, 8, 2, True)

    tables.destination.deliver(a_parcel([a_record(c) for c in contents(13)[10:]]))

    [count] = tables.centre.counts()
    assert (count.front, count.standard, count.consistent) == (13, 10, False)


def test_a_row_that_was_mended_leaves_the_error_store(tables: TablesRig) -> None:
    settle(tables, spoilt(1, 0))

    settle(tables, a_parcel([revised(contents(1)[0], 2)]))

    for store in ("jc_false", "fd", "fi"):
        assert rows(tables.centre, f"jg_jgxw_punish_action_{store}", "cd_lsh") == []
    [count] = tables.centre.counts()
    assert (count.right, count.wrong) == (1, 0)


def test_every_error_of_a_row_is_told_by_its_column(http: HttpRig) -> None:
    content = {**contents(1)[0], "punish_procedure": "7", "set_date": "2199-01-01", "area_number": "999999"}

    answer = http.destination.deliver(a_parcel([a_record(content)]))

    assert {"punish_procedure", "area_number"} <= {line.element for line in answer.lines}
    assert {line.cd_id for line in answer.lines} == {a_record(content).cd_id}


def test_every_arrival_is_written_down_and_what_is_stored_is_stored_once(http: HttpRig) -> None:
    parcel = some(3)
    newer = a_parcel([revised(contents(1)[0], 2)])

    for one in (parcel, again(parcel), newer, again(parcel)):
        http.destination.deliver(one)

    arrived = Counter((a["cd_id"], a["revision"]) for a in http.centre.arrivals())
    key = parcel.records[0].cd_id
    assert arrived[key, "1"] == 3
    assert arrived[key, "2"] == 1
    kinds = [a["kind"] for a in http.centre.arrivals() if a["cd_id"] == key]
    assert kinds == ["new", "repeat", "new", "stale"]
    assert len(http.centre.stored()) == 4
    assert {s.times for s in http.centre.stored()} == {1}


def test_other_content_under_a_revision_that_is_there_is_refused(http: HttpRig) -> None:
    content = contents(1)[0]
    http.destination.deliver(a_parcel([a_record(content)]))

    answer = http.destination.deliver(a_parcel([a_record({**content, "penalty_result": "不同的内容"})]))

    [line] = answer.lines
    assert (line.result, line.code) == (Result.REFUSED, "20001")


def test_a_body_that_was_changed_on_the_way_is_not_taken(http: HttpRig) -> None:
    request = Request(
        http.centre.parcels_url, b"{}", {"x-body-sm3": "0" * 64, "content-type": "application/json"}, method="POST"
    )

    with pytest.raises(OSError, match="422"):
        urlopen(request)


class TestSwitches:
    """Each of them really does what it says."""

    def test_slow(self, http: HttpRig, tables: TablesRig) -> None:
        slept: list[float] = []
        http.centre.service.sleep = slept.append
        http.centre.switch(slow=2.5)
        http.destination.deliver(some(1))
        assert slept == [2.5]

        tables.centre.switch(slow=60)
        tables.destination.deliver(some(1))
        tables.work()
        assert tables.stored() == {}
        clock = tables.centre.centre.clock
        clock.forward(timedelta(seconds=61))  # type: ignore[attr-defined]
        tables.work()
        assert len(tables.stored()) == 1

    def test_failing(self, http: HttpRig) -> None:
        http.centre.switch(failing=1.0)

        with pytest.raises(SystemBusy):
            http.destination.deliver(some(1))

        assert http.centre.arrivals() == []

    def test_wrong(self, http: HttpRig) -> None:
        http.centre.switch(wrong=0.3)
        parcel = some(100)

        told = refused(list(http.destination.deliver(parcel).lines))
        again_told = refused(list(http.destination.deliver(again(parcel)).lines))

        assert 10 <= len(told) <= 55
        assert set(told) == set(again_told)
        assert all(line.element and line.message and line.code == "90002" for line in told.values())

    def test_duplicate(self, http: HttpRig, tables: TablesRig) -> None:
        for rig in (http, tables):
            rig.centre.switch(duplicate=1.0)
            settle(rig, some(3))

            assert [a["kind"] for a in rig.centre.arrivals()] == ["new"] * 3 + ["repeat"] * 3
            assert {s.times for s in rig.stored().values()} == {1}

    def test_out_of_order(self, http: HttpRig) -> None:
        http.centre.switch(out_of_order=True)
        parcel = spoilt(5, 1, 3)

        lines = http.destination.deliver(parcel).lines

        assert [line.cd_id for line in lines] == [parcel.records[3].cd_id, parcel.records[1].cd_id]

    def test_lost_answer(self, http: HttpRig, tables: TablesRig) -> None:
        http.centre.switch(lost_answer=1.0)
        with pytest.raises(SystemUnreachable) as caught:
            http.destination.deliver(some(1))
        assert caught.value.answer_lost
        assert len(http.stored()) == 1

        tables.centre.switch(lost_answer=1.0)
        tables.destination.deliver(some(1))
        tables.work()
        assert rows(tables.centre, "jg_jgxw_punish_action", "cd_lsh") == [(None,)]
        assert len(tables.stored()) == 1

    def test_closed(self, http: HttpRig, tables: TablesRig) -> None:
        http.centre.switch(closed=True)
        with pytest.raises(SystemUnreachable):
            http.destination.deliver(some(1))
        assert http.centre.arrivals() == []

        tables.centre.switch(closed=True)
        tables.destination.deliver(some(1))
        tables.work()
        assert tables.centre.arrivals() == []

    def test_an_unknown_switch_is_told(self, http: HttpRig) -> None:
        with pytest.raises(TypeError):
            http.centre.switch(slowly=1)


def test_without_a_url_it_has_a_database_of_its_own_that_is_gone_afterwards() -> None:
    with a_centre() as centre:
        path = Path(centre.database_url.removeprefix("sqlite:///"))
        assert path.exists()

    assert not path.parent.exists()


def test_it_runs_as_a_process_and_its_door_for_testers_tells_the_same(tmp_path: Path) -> None:
    words = ["--url", f"sqlite:///{tmp_path}/c.db", "--dataset", "punish_action", "--org", "datong:ds_140200_"]
    process = subprocess.Popen(
        [sys.executable, "-m", "adapters.upper_platform.simulator", *words, "--fault", "wrong=0.5", "--every", "60"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())

        def ask(path: str, body: bytes | None = None) -> object:
            with urlopen(Request(ready["url"] + path, body)) as answer:
                return json.load(answer)

        assert ask("/sim/health") == {"ok": True}
        assert ask("/sim/counts") == []
        assert ask("/sim/stored") == {"stored": [], "next": ""}
        faults = ask("/sim/faults", b'{"slow": 0.5}')
        assert isinstance(faults, dict)
        assert (faults["slow"], faults["wrong"]) == (0.5, 0.5)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
