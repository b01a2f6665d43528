"""District, city, province, nation: records go up, every level judges again, and what each says comes back down."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from demo import ecology
from hub.cli.main import app
from hub.ledger.tables import case_, submission
from hub.trace import Tracing
from standards.identifiers import check_uscc
from standards.states import CaseClass
from tests.hub.city import until
from tests.hub.levels.chain import CODES, Chain, chain
from tests.receiver import Receiver

LEVELS = ("district", "city", "province")


def penalties(count: int, **words: Any) -> bytes:
    return b"".join(ecology.pieces(ecology.rows(count, **words)))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver(level="nation").start()
    yield receiver
    receiver.stop()


@pytest.fixture
def three(tmp_path: Path, receiver: Receiver) -> Iterator[Chain]:
    with chain(tmp_path, LEVELS, receiver) as made:
        yield made


def traces(made: Chain) -> set[str]:
    """The trace ids of every submission of every hub."""
    found = set()
    for link in made.links:
        with link.hub.ledger.read() as connection:
            found |= {row[0].split("-")[1] for row in connection.execute(select(submission.c.traceparent))}
    return found


def test_codes_of_the_chain_are_right() -> None:
    assert [check_uscc(code) for _, code in CODES.values()] == [None, None, None]


def test_records_reach_the_nation_and_every_level_is_heard_below(three: Chain) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    kept = three.submit(penalties(1200), traceparent=traceparent)

    three.heard(kept, "nation", 1200)

    said = three.spoken(kept)
    assert said == {"district": (1200, 0), "city": (1200, 0), "province": (1200, 0), "nation": (1200, 0)}
    assert len(three.receiver.history) == 1200
    assert all(n == 1 for n in three.receiver.arrivals.values())
    assert traces(three) == {"0af7651916cd43dd8448eb211c80319c"}
    one = next(iter(three.receiver.contents.values()))
    assert one["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert next(iter(three.receiver.stored)).startswith(ecology.BUREAU_CODE)  # the owner, at every level


def test_what_the_nation_refuses_is_reopened_at_every_level_with_its_words(three: Chain) -> None:
    wrong = next(ecology.rows(1)).key

    def refuse(record: dict[str, Any]) -> dict[str, str] | None:
        bad = record["cd_id"].endswith(wrong)
        return {"code": "30001", "element": "case_name", "message": "国家平台：案件名称不规范"} if bad else None

    three.receiver.refuse = refuse
    kept = three.submit(penalties(10))
    three.heard(kept, "nation", 10)

    assert three.spoken(kept)["nation"] == (9, 1)
    for link in three.links:
        until(lambda link=link: _open_wrong(link.hub) == 1, 30)  # type: ignore[misc]
    told = [f for r in three.receipt(kept).document["records"] for f in r["findings"]]
    assert [(f["level"], f["text"]) for f in told] == [("nation", "国家平台：案件名称不规范")]

    # The same content again, now that the nation takes it: it goes all the way once more, and the cases close.
    three.receiver.refuse = lambda _record: None
    again = three.submit(penalties(10))
    three.heard(again, "nation", 1)
    for link in three.links:
        until(lambda link=link: _open_wrong(link.hub) == 0, 30)  # type: ignore[misc]
    assert len(three.receiver.stored) == 10


def test_a_record_is_found_at_every_level(three: Chain) -> None:
    kept = three.submit(penalties(5))
    three.heard(kept, "nation", 5)
    key = next(ecology.rows(1)).key
    operator = (three.links[0].hub.state / "operator.key").read_text("ascii")

    for what in (f"{ecology.BUREAU_CODE}-{key}", key, f"{kept.receipt_no}#1"):
        words = ["trace", what, "--json", "--url", three.links[0].running.address, "--key", operator]
        places = json.loads(CliRunner().invoke(app, words).output)
        assert [p["level"] for p in places] == ["district", "city", "province"], what
        assert {p["revision"] for p in places} == {1}
        assert [d["state"] for p in places for d in p["deliveries"]] == ["accepted"] * 3
        assert [s["level"] for s in places[0]["deliveries"][0]["spoken"]] == ["city", "province", "nation"]
    seen = CliRunner().invoke(app, ["trace", key, "--url", three.links[0].running.address, "--key", operator])
    assert "province" in seen.output
    unknown = CliRunner().invoke(app, ["trace", "没有", "--url", three.links[0].running.address, "--key", operator])
    assert unknown.exit_code == 1


def test_a_hub_above_that_does_not_answer_is_told_in_the_trace(two: Chain) -> None:
    kept = two.submit(penalties(5))
    two.heard(kept, "nation", 5)
    two.links[1].running.stop()
    places = Tracing(two.lowest.ledger, two.lowest.generations, two.lowest.doors).trace(next(ecology.rows(1)).key)
    assert places[0]["level"] == "city"
    assert "problem" in places[1]


def _open_wrong(hub: Any) -> int:
    with hub.ledger.read() as connection:
        statement = select(case_.c.id).where(case_.c.class_ == CaseClass.WRONG, case_.c.closed_at.is_(None))
        return len(connection.execute(statement).all())


def test_a_hub_that_is_away_for_a_while_loses_nothing(tmp_path: Path, receiver: Receiver) -> None:
    with chain(tmp_path, ("city", "province"), receiver, parcel=50) as two:
        first = two.submit(penalties(500))
        until(lambda: len(receiver.stored) > 50)
        two.links[1].restart()
        second = two.submit(penalties(500, first=1000))
        two.heard(first, "nation", 500)
        two.heard(second, "nation", 500)
        assert len(receiver.stored) == 1000
        assert all(n == 1 for n in receiver.arrivals.values())


@pytest.fixture
def two(tmp_path: Path, receiver: Receiver) -> Iterator[Chain]:
    with chain(tmp_path, ("city", "province"), receiver) as made:
        yield made


def door(two: Chain) -> httpx2.Client:
    key = (two.links[1].path.parent / "below.key").read_text("ascii")
    return httpx2.Client(base_url=two.links[1].running.address, headers={"authorization": f"Bearer {key}"})


def event(**changes: Any) -> dict[str, Any]:
    data = {"dataset": "punish_action", "version": "1", "records": [], **changes}
    return {
        "specversion": "1.0",
        "id": "01936d1e-7a3c-7c3e-8000-000000000001",
        "source": "/hub/x",
        "type": "cn.gov.supervision.parcel",
        "data": data,
    }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"some": "json"}, 422, "not-a-parcel"),
        (event(dataset="no_such_set"), 404, "unknown-name"),
        (event(hops=["city", "province"]), 403, "not-allowed"),
        (event(hops=list("abcdefgh")), 403, "not-allowed"),
    ],
)
def test_what_is_no_parcel_for_us_is_refused_in_words(two: Chain, body: Any, status: int, code: str) -> None:
    with door(two) as client:
        said = client.post("/v1/parcels", json=body)
    assert said.status_code == status, said.text
    assert said.json()["code"] == code


def test_a_record_changed_on_the_way_is_refused(two: Chain) -> None:
    record = {
        "cd_id": "x-1",
        "revision": 1,
        "operation": "i",
        "digest": "00" * 32,
        "common": {"provider_code": ecology.BUREAU_CODE},
        "content": {"case_name": "改过"},
    }
    with door(two) as client:
        said = client.post("/v1/parcels?wait=10", json=event(records=[record])).json()
    assert [(r["cd_id"], r["result"], r["code"]) for r in said["records"]] == [("x-1", "refused", "50002")]


def test_a_connection_for_parcels_takes_nothing_else(two: Chain) -> None:
    with door(two) as client:
        said = client.post("/v1/submissions?connection=below", content=b"a,b\n1,2\n")
    assert said.status_code == 403
    assert "parcels" in said.json()["hint"]


def test_the_operator_has_no_parcels(two: Chain) -> None:
    key = (two.links[1].hub.state / "operator.key").read_text("ascii")
    address = two.links[1].running.address
    said = httpx2.post(f"{address}/v1/parcels", json=event(), headers={"authorization": f"Bearer {key}"})
    assert said.status_code == 403
