"""Whoever waits for a page comes first, and bulk is not starved."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection

from hub.api import pages_first
from hub.courtesy import Courtesy
from hub.ledger.engine import Ledger
from hub.ledger.lanes import Lanes


def test_nobody_stands_aside_when_nobody_waits() -> None:
    courtesy = Courtesy(aside=60)
    courtesy.give_way()
    with courtesy.asked():
        pass
    courtesy.give_way()
    assert not courtesy.wanted


def test_bulk_stands_aside_until_the_page_is_there() -> None:
    courtesy, there = Courtesy(aside=60), threading.Event()

    def carry() -> bool:
        courtesy.give_way()
        return there.is_set()

    with ThreadPoolExecutor(1) as pool:
        with courtesy.asked():
            carried = pool.submit(carry)
            time.sleep(0.05)
            assert not carried.done()
            there.set()
        assert carried.result(10)


def test_bulk_keeps_its_share_however_many_wait() -> None:
    now = [0.0]
    courtesy = Courtesy(now=lambda: now[0], aside=0.2, work=0.1)
    real = courtesy._nobody.wait

    def pass_time(seconds: float | None = None) -> bool:
        now[0] += seconds or 0
        return real(0)

    courtesy._nobody.wait = pass_time  # type: ignore[method-assign,assignment]
    with courtesy.asked():
        courtesy.give_way()
        assert now[0] == pytest.approx(0.2)
        now[0] += 0.05
        courtesy.give_way()
        assert now[0] == pytest.approx(0.25), "it works for a while before it stands aside again"
        now[0] += 0.06
        courtesy.give_way()
        assert now[0] == pytest.approx(0.51)


def test_short_writes_go_in_one_group_before_a_long_one_and_neither_lane_starves() -> None:
    lanes = Lanes[str](Courtesy())
    for one in ("a", "b"):
        lanes.put(one)
    for one in ("L", "M"):
        lanes.put(one, long=True)
    assert lanes.take() == ["a", "b"]
    lanes.put("c")
    assert lanes.take() == ["L"], "a long one follows a group of short ones"
    assert lanes.take() == ["c"]
    lanes.close()
    assert not lanes.put("d")
    assert (lanes.take(), lanes.take()) == (["M"], [])


def test_a_long_write_waits_for_a_page_but_not_for_ever() -> None:
    courtesy = Courtesy()
    lanes = Lanes[str](courtesy, aside=0.05)
    lanes.put("L", long=True)
    with courtesy.asked(), ThreadPoolExecutor(1) as pool:
        took = pool.submit(lanes.take)
        lanes.put("a")
        assert took.result(10) == ["a"]
        assert lanes.take() == ["L"]


def test_a_failing_long_write_hurts_nobody_else(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")

    def fails(_connection: Connection) -> None:
        raise ValueError("no")

    with ThreadPoolExecutor(2) as pool:
        wrong = pool.submit(ledger.write, fails, bulk=True)
        right = pool.submit(ledger.write, lambda c: c.exec_driver_sql("SELECT 1").scalar_one())
        assert right.result(10) == 1
        with pytest.raises(ValueError, match="no"):
            wrong.result(10)
    ledger.close()


@pytest.mark.parametrize(
    ("method", "path", "first"),
    [
        ("GET", "/console/cases", True),
        ("GET", "/sender", True),
        ("GET", "/metrics", True),
        ("POST", "/console/cases", False),
        ("GET", "/v1/submissions/1", False),
    ],
)
def test_pages_are_waited_for_and_requests_that_wait_by_themselves_are_not(
    method: str, path: str, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    courtesy = Courtesy()
    monkeypatch.setattr(pages_first, "courtesy", courtesy)
    app = FastAPI()
    app.add_middleware(pages_first.PagesFirst)

    @app.api_route("/{rest:path}", methods=["GET", "POST"])
    def answer(rest: str) -> bool:
        return courtesy.wanted

    with TestClient(app) as client:
        assert client.request(method, path).json() is first
    assert not courtesy.wanted
