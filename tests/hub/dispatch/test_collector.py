"""Verdicts that come later: whichever parcel they name, they are written down once, for its own destination only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from demo.ecology import pieces, rows
from hub import collect as collecting
from hub.collect import Collector
from hub.ledger.tables import parcel
from standards.parcel import Answer, AnswerLine, Result
from standards.ports import Awaited
from tests.hub import city as cities
from tests.hub.city import City, until
from tests.receiver import Receiver

MORE = """
[destinations.other]
party = "market"
adapter = "mailbox"
direction = "across"

[[routes]]
to = ["other"]
"""


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """A hub whose receiver says nothing; nobody collects."""
    receiver = Receiver(silent=True).start()
    city = cities.start(
        tmp_path, receiver, roles=("translate", "dispatch", "carry"), parcel=1, receipt_due="1h", more=MORE
    )
    yield city
    city.hub.stop()
    receiver.stop()


def states(city: City, destination: str) -> dict[UUID, str]:
    with city.hub.ledger.read() as connection:
        statement = select(parcel.c.id, parcel.c.state).where(parcel.c.destination == destination)
        return {row.id: row.state for row in connection.execute(statement)}


def collector(city: City, *said: tuple[UUID, Answer]) -> Collector:
    """One whose destinations have these answers."""

    class Door:
        def collect(self, awaited: Sequence[Awaited]) -> Iterable[tuple[UUID, Answer]]:
            return said if len(awaited[0].cd_ids) else ()

    settings = city.hub.generations.current().settings.destinations
    doors = SimpleNamespace(door=lambda _generation, name: (settings[name], Door()) if name == "province" else None)
    hub = city.hub
    return Collector(hub.ledger, hub.generations, doors, hub.clock, hub.settling, "test")  # type: ignore[arg-type]


@pytest.fixture
def waiting(city: City) -> list[UUID]:
    """Three parcels whose verdict is due."""
    city.submit(b"".join(pieces(iter(list(rows(3))))))
    until(lambda: [*states(city, "province").values(), *states(city, "other").values()] == ["awaiting"] * 4)
    return list(states(city, "province"))


def test_an_answer_is_written_down_even_for_a_parcel_that_was_not_asked_about(
    city: City, waiting: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "_BATCH", 1)

    done = collector(city, *((one, Answer(speaker="centre")) for one in waiting)).tick()

    assert done == 3
    assert set(states(city, "province").values()) == {"accepted"}


def test_an_answer_counts_once_and_never_for_another_destination_or_for_nobody(city: City, waiting: list[UUID]) -> None:
    others = list(states(city, "other"))
    refusal = Answer(lines=(AnswerLine(cd_id="x", result=Result.REFUSED),))
    strange = UUID(int=2**128 - 1)  # of no month
    said = [
        (others[0], Answer()),
        (uuid4(), Answer()),
        (strange, Answer()),
        (waiting[0], Answer()),
        (waiting[0], refusal),
    ]

    first, second = collector(city, *said).tick(), collector(city, *said).tick()

    assert (first, second) == (1, 0)
    assert set(states(city, "other").values()) == {"awaiting"}
    assert sorted(states(city, "province").values()) == ["accepted", "awaiting", "awaiting"]


def test_a_notice_that_the_verdict_comes_later_changes_nothing(city: City, waiting: list[UUID]) -> None:
    assert collector(city, (waiting[0], Answer(awaiting=True))).tick() == 0
    assert set(states(city, "province").values()) == {"awaiting"}
