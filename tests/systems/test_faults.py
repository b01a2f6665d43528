"""Every simulator with every fault switch on: nothing lost, everything stored once, nothing stuck afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from adapters.systems.recipe import name_of
from hub.ledger import tables
from standards.states import Verdict
from tests.systems.world import Standing, World, standing, until

#: The switches, thrown so hard that each of them bites.
SWITCHES: dict[str, dict[str, Any]] = {
    "slow": {"slow": 0.8},
    "failing": {"failing": 0.6},
    "wrong": {"wrong": 0.3},
    "duplicate": {"duplicate": 0.5},
    "out_of_order": {"out_of_order": True},
    "lost_answer": {"lost_answer": 0.4},
    "closed": {"closed": True},
}
SHORT, FULL = 12, 100
#: How long a fault lasts.
LASTS = 3.0


@pytest.fixture(scope="module", params=["city", "province"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(request.param, tmp_path_factory.mktemp(request.param)).start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def count(request: pytest.FixtureRequest) -> int:
    return FULL if request.config.getoption("--full") else SHORT


@pytest.mark.parametrize("fault", SWITCHES)
def test_nothing_is_lost_and_nothing_stored_twice(world: World, fault: str, count: int) -> None:
    counterparts = list(world.neighbours.counterparts.values())
    assert counterparts
    for one in counterparts:
        one.switch(**SWITCHES[fault])
    for one in counterparts:
        for name in one.sending:
            one.announce(name, count)
    for dataset in world.neighbours.received():
        world.report(dataset, count)
    until(lambda: False, LASTS)
    off = {name: (False if isinstance(value, bool) else 0.0) for name, value in SWITCHES[fault].items()}
    for one in counterparts:
        one.switch(**off)

    assert until(lambda: not _missing(world), 60), _missing(world)
    assert until(lambda: not _stuck(world), 60), _stuck(world)
    assert not _doubled(world)
    if fault == "lost_answer" and world.level == "city":
        assert sum(r.store.lost for one in counterparts for r in one.receiving.values()), "the switch did not bite"


def _missing(world: World) -> dict[str, Any]:
    """In-feeds of which not every right record is accepted."""
    found = {}
    for one in world.neighbours.counterparts.values():
        for name, sending in one.sending.items():
            right = sum(not made.wrong for made in sending.made)
            feed = name_of(one.system, name)
            if _accepted(world, feed) != right or world.counts(one.system.system, name).get("held", 0):
                found[feed] = {"right": right, **world.counts(one.system.system, name)}
    return found


def _accepted(world: World, connection: str) -> int:
    """Different records that were accepted; one that a receiver refused may be sent, and accepted, again."""
    keys = select(tables.record.c.key_hash.distinct()).join_from(
        tables.record, tables.submission, tables.record.c.submission_id == tables.submission.c.id
    )
    of_it = keys.where(tables.submission.c.connection == connection, tables.record.c.verdict == Verdict.ACCEPTED)
    with world.running.hub.ledger.read() as reading:
        return len(reading.execute(of_it).all())


def _again(world: World) -> int:
    """Records that were accepted again after a refusal further on."""
    one = func.count() - func.count(tables.record.c.key_hash.distinct())
    rows = select(one).where(tables.record.c.verdict == Verdict.ACCEPTED).group_by(tables.record.c.owner)
    with world.running.hub.ledger.read() as reading:
        return sum(reading.execute(rows).scalars())


def _stuck(world: World) -> dict[str, Standing]:
    """Destinations where something is open still, has stopped, or that are not up."""
    found = {}
    for one in world.neighbours.counterparts.values():
        for name in one.receiving:
            stands = standing(world, name_of(one.system, name))
            if stands.tally.open or stands.tally.stopped or not stands.up:
                found[name_of(one.system, name)] = stands
    return found


def _doubled(world: World) -> dict[str, Any]:
    """Receivers that hold something else than what the hub believes that they accepted, each revision once.

    A record that one receiver refused and that was sent again goes to the others once more; they knew it already.
    """
    found = {}
    again = _again(world)
    for one in world.neighbours.counterparts.values():
        for name, receiving in one.receiving.items():
            stands = standing(world, name_of(one.system, name))
            held = [len(revisions) for revisions in receiving.store.revisions.values()]
            once_more = stands.tally.accepted - sum(held)
            if not 0 <= once_more <= again or any(n != 1 for n in held):
                found[name_of(one.system, name)] = (stands, sum(held))
    return found
