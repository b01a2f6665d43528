"""Canaries between two real hubs: there and back, late when the upper one stops, and in no count anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select
from sqlalchemy import text as sql

from hub.bootstrap import Hub
from hub.canary.sample import parcel_of
from hub.facts import Facts
from hub.ledger import tables
from standards.digest import uuid7
from standards.parcel import CANARY_TYPE, EVENT_CONTENT_TYPE, to_event
from tests.hub.city import until
from tests.hub.levels.chain import Chain, chain
from tests.receiver import Receiver

MORE = """
[canary]
every = "1s"
late = "4s"

[alarms]
every = "1s"
settle = "0s"
grave = ["canary_late"]
disk_free_gb = 0.001
"""
#: Tables that a canary may touch; every other stays as it is.
TOUCHED = {"canary", "outbox", "alarm", "alarm_message", "lease", "bookmark", "alembic_version", "journal", "seal"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver(level="nation").start()
    yield made
    made.stop()


@pytest.fixture
def two(tmp_path: Path, receiver: Receiver) -> Iterator[Chain]:
    own = {"district": MORE, "city": MORE.partition("[alarms]")[0]}
    with chain(tmp_path, ("district", "city"), receiver, own=own) as made:
        yield made


def way(hub: Hub, name: str = "above") -> dict[str, Any]:
    return next(one for one in hub.canaries().listed() if one["way"] == name)


def counts(hub: Hub) -> dict[str, int]:
    """Rows of every table that a canary may not touch."""
    with hub.ledger.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables.metadata.sorted_tables
            if table.name not in TOUCHED
        }


def back(hub: Hub) -> int:
    """How many of ours came back."""
    statement = sql("SELECT count(*) FROM canary WHERE ok AND NOT inward")
    with hub.ledger.read() as connection:
        return int(connection.execute(statement).scalar_one())


def late_alarms(hub: Hub) -> list[str]:
    return [one["subject"] for one in hub.alarms().listed() if one["rule"] == "canary_late"]


def test_a_canary_goes_up_and_back_and_is_in_no_count_and_late_when_the_upper_hub_stops(two: Chain) -> None:
    district, city = two.links
    before = [counts(link.hub) for link in two.links]
    told = [Facts(link.hub.ledger, link.hub.clock).connections() for link in two.links]

    until(lambda: back(district.hub) >= 3, 30)

    here = way(district.hub)
    assert (here["reach"], here["late"], here["problem"]) == ("through", False, "")
    assert here["age_seconds"] < 4
    assert [counts(link.hub) for link in two.links] == before
    assert [Facts(link.hub.ledger, link.hub.clock).connections() for link in two.links] == told == [[], []]
    assert two.receiver.parcels == [], "the receiver of the city knows no mark: its connection is tried only"
    until(lambda: back(city.hub) >= 1, 30)
    assert way(city.hub)["reach"] == "connection"
    with city.hub.ledger.read() as connection:
        inward = connection.execute(select(tables.canary).where(tables.canary.c.inward)).all()
    assert {(row.way, row.ok, row.content) for row in inward if row.ended_at is not None} == {("below", True, None)}
    actions = "SELECT count(*) FROM journal WHERE action NOT LIKE 'key_%' AND action NOT LIKE 'alarm_%'"
    with city.hub.ledger.read() as connection:
        assert connection.execute(sql(actions)).scalar_one() == 0
    page = httpx2.get(f"{district.running.address}/metrics").text
    assert 'hub_canary_age_seconds{route="above"}' in page
    assert 'hub_submissions_unfinished{state="received"} 0.0' in page

    city.running.stop()
    until(lambda: late_alarms(district.hub) == ["above"], 30)

    assert way(district.hub)["late"]
    ready = httpx2.get(f"{district.running.address}/readyz")
    assert (ready.status_code, ready.json()["checks"]["canaries"]) == (200, "1 late")
    operator = (district.hub.state / "operator.key").read_text("ascii")
    with httpx2.Client(base_url=district.running.address, follow_redirects=True) as client:
        client.post("/console/login", data={"key": operator})
        assert "通路 above 的探测记录没有返回" in client.get("/console/").text

    city.restart()
    until(lambda: late_alarms(district.hub) == [], 30)

    (over,) = [one for one in district.hub.alarms().lately() if one["rule"] == "canary_late"]
    assert over["recovered_at"]


def test_a_canary_that_the_upper_hub_finds_wrong_says_why_and_other_marks_are_refused(two: Chain) -> None:
    _district, city = two.links
    key = (city.path.parent / "below.key").read_text("ascii")
    client = httpx2.Client(base_url=city.running.address, headers={"authorization": f"Bearer {key}"}, timeout=30)
    generation = two.links[0].hub.generations.current()
    parcel = parcel_of(generation, uuid7(), "above", "check_action", city.hub.clock.now())
    good = to_event(parcel)
    wrong = good.replace(b'"digest":"', b'"digest":"0')
    headers = {"content-type": EVENT_CONTENT_TYPE}

    said = client.post("/v1/parcels?wait=20", content=good, headers=headers)
    assert (said.status_code, said.json()["awaiting"], said.json()["records"]) == (200, False, [])
    assert said.json()["test"] is True
    again = client.post("/v1/parcels?wait=20", content=wrong, headers=headers)
    assert again.json()["records"] == [], "the same canary once more is the same"
    other = str(uuid7())
    wrong = wrong.replace(str(parcel.id).encode(), other.encode())
    said = client.post("/v1/parcels?wait=20", content=wrong, headers=headers)
    assert [one["message"] for one in said.json()["records"]] == ["50002"]
    asked = client.post("/v1/parcels/verdicts", json={"parcels": [other, str(uuid7())]}).json()
    assert [(one["parcel"], one["awaiting"]) for one in asked] == [(other, False)]
    strange = good.replace(CANARY_TYPE.encode(), b"cn.gov.supervision.other")
    assert client.post("/v1/parcels", content=strange, headers=headers).status_code == 422

    operator = (city.hub.state / "operator.key").read_text("ascii")
    with httpx2.Client(base_url=city.running.address, headers={"authorization": f"Bearer {operator}"}) as one:
        kept = one.post("/v1/submissions?connection=penalties&wait=20&name=a.json", content=good, headers=headers)
        assert kept.json().get("counts", {}).get("accepted", 0) == 0, "as a hand-over it is no data either"
    client.close()
