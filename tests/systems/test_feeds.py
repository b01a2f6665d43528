"""Every feed of every named system, on its way with its own simulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from adapters.systems import Feed, System, systems
from adapters.systems.recipe import name_of
from tests.systems.world import World, standing, until

COUNT = 30
VERDICTS = ("accepted", "rejected", "held", "duplicate")


def feeds(direction: str) -> list[tuple[System, str]]:
    return [(s, name) for s in systems() for name, feed in s.feeds.items() if feed.direction == direction]


def label(value: object) -> str:
    return value.system if isinstance(value, System) else str(value)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, World]]:
    """City and province, started when first needed."""
    made: dict[str, World] = {}

    class Lazy(dict[str, World]):
        def __missing__(self, level: str) -> World:
            made[level] = self[level] = World(level, tmp_path_factory.mktemp(level)).start()
            return made[level]

    yield Lazy()
    for world in made.values():
        world.stop()


@pytest.mark.parametrize(("system", "name"), feeds("in"), ids=label)
def test_what_comes_in_is_accepted_and_what_is_wrong_is_told(
    worlds: dict[str, World], system: System, name: str
) -> None:
    world = worlds[system.level]
    counterpart = world.counterpart(system.system)
    back = [name_of(system, n) for n, feed in system.feeds.items() if feed.direction == "out"]
    # The switch makes the same system's receiver refuse: nothing may be on its way to it.
    assert until(lambda: all(standing(world, one).tally.open == 0 for one in back), 40)
    counterpart.switch(wrong=0.2)
    made = counterpart.announce(name, COUNT)
    counterpart.switch(wrong=0.0)
    wrong = sum(one.wrong for one in made)
    assert 0 < wrong < COUNT, "some are wrong, most are right"

    def settled() -> bool:
        counts = world.counts(system.system, name)
        return counts.get("accepted", 0) >= COUNT - wrong and counts.get("rejected", 0) >= wrong

    def judged() -> bool:
        counts = world.counts(system.system, name)
        return counts.get("read", 0) >= COUNT and counts["read"] == sum(counts[n] for n in VERDICTS)

    until(lambda: settled() or judged())
    counts = dict(world.counts(system.system, name))
    assert settled(), "\n".join([str(counts), f"wrong on purpose: {wrong}", *_findings(world, system, name)])
    assert counts["accepted"] == COUNT - wrong
    assert counts["held"] == 0
    assert counts["read"] == sum(counts[n] for n in VERDICTS)


@pytest.mark.parametrize(("system", "name"), feeds("out"), ids=label)
def test_what_goes_out_is_stored_once_in_the_receivers_words(
    worlds: dict[str, World], system: System, name: str
) -> None:
    world = worlds[system.level]
    feed: Feed = system.feeds[name]
    store = world.counterpart(system.system).receiving[name].store
    destination = name_of(system, name)
    for dataset in feed.datasets:
        before = len(store)
        world.report(dataset, COUNT)
        assert until(lambda before=before: len(store) > before, 40), f"{dataset} never came to {destination}"
    assert until(lambda: standing(world, destination).tally.open == 0, 40), standing(world, destination)
    assert standing(world, destination).tally.accepted == len(store)
    assert standing(world, destination).tally.refused == 0
    assert store.repeats == 0
    assert all(len(held) == 1 for held in store.revisions.values())


def _findings(world: World, system: System, name: str) -> list[str]:
    """For the eye of whoever mends it."""
    with world.running.hub.ledger.read() as connection:
        rows = connection.execute(
            text("select receipt_no from submission where connection = :c order by received_at"),
            {"c": name_of(system, name)},
        ).all()
    told = []
    for (receipt_no,) in rows[:3]:
        view = world.running.hub.receipts.receipt(receipt_no)
        assert view is not None
        for record in view.document["records"][:6]:
            told += [
                f"{f['element']}: {f.get('text_zh') or f.get('text')} [{f.get('value')}]" for f in record["findings"]
            ]
        told += [str(f) for f in view.document.get("findings", [])[:5]]
    return told[:30]
