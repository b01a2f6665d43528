"""Parcels on their way to a receiver that has bad days, by a running hub."""

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from demo import ecology
from hub.dispatch.decide import Decisions, Verb
from hub.ledger import destinations, parcels
from hub.ledger.tables import case_, parcel
from standards.ports import Acknowledged
from standards.states import CaseClass, ParcelState
from tests.hub.city import City, running, until


def penalties(count: int, **words: Any) -> bytes:
    """Cases of the ecology bureau."""
    return csv_of(ecology.rows(count, **words))


def csv_of(rows: Iterable[ecology.Row]) -> bytes:
    return b"".join(ecology.pieces(iter(rows)))


def delivered(city: City, kept: Acknowledged, what: str = "accepted") -> int:
    """Records of a submission with that verdict of the province."""
    (one,) = city.settled(kept).document["deliveries"]
    return int(one["states"].get(what, 0))


@pytest.fixture
def city(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[City]:
    yield from running(tmp_path, **getattr(request, "param", {}))


def with_settings(**changes: object) -> pytest.MarkDecorator:
    """The city's hub.toml for one test."""
    return pytest.mark.parametrize("city", [changes], indirect=True)


def states(city: City, kept: Acknowledged) -> list[str]:
    """The states of a submission's parcels."""
    with city.hub.ledger.read() as connection:
        statement = select(parcel.c.state).where(parcel.c.submission_id == kept.submission_id).order_by(parcel.c.id)
        return list(connection.execute(statement).scalars())


def open_cases(city: City, class_: CaseClass) -> int:
    """How many cases of a class wait for somebody."""
    with city.hub.ledger.read() as connection:
        statement = select(case_.c.id).where(case_.c.class_ == class_, case_.c.closed_at.is_(None))
        return len(connection.execute(statement).all())


def decide(city: City, verb: Verb) -> int:
    """A person decides about everything that stopped."""
    decisions = Decisions(city.hub.ledger, city.hub.clock, city.hub.settling)
    return decisions.decide("province", verb, by="test", reason="asked the province")


@with_settings(parcel=1)
def test_a_receiver_that_is_down_gets_one_probe_at_a_time_and_then_everything(city: City) -> None:
    city.receiver.status = 503
    kept = city.submit(penalties(30))
    city.judged(kept)
    until(lambda: city.receiver.requests > 0)
    first = time.monotonic()
    city.receiver.requests = 0
    time.sleep(2)
    probes = city.receiver.requests
    # A probe every 0.3 s, and those that were already in hand when it went down (four threads).
    assert probes <= (time.monotonic() - first) / 0.3 + 4

    city.receiver.status = None

    assert delivered(city, kept) == 30
    assert all(n == 1 for n in city.receiver.arrivals.values())


def test_a_lost_answer_is_asked_for_again_where_the_parcel_id_keeps_it_from_doubling(city: City) -> None:
    city.receiver.lose_answers = 2
    kept = city.submit(penalties(5))

    city.settled(kept)

    assert states(city, kept) == [ParcelState.ACCEPTED]
    assert len(city.receiver.history) == 5


@with_settings(idempotent="none")
def test_a_lost_answer_is_in_doubt_where_a_repeat_could_double_and_a_person_decides(city: City) -> None:
    city.receiver.lose_answers = 1
    kept = city.submit(penalties(5))
    until(lambda: states(city, kept) == [ParcelState.IN_DOUBT])
    assert open_cases(city, CaseClass.IN_DOUBT) == 1
    requests = city.receiver.requests
    time.sleep(1)
    assert city.receiver.requests == requests  # nothing is sent again by itself

    assert decide(city, Verb.ARRIVED) == 1

    assert states(city, kept) == [ParcelState.ACCEPTED]
    assert open_cases(city, CaseClass.IN_DOUBT) == 0
    assert decide(city, Verb.ARRIVED) == 0
    assert delivered(city, kept) == 5


@with_settings(idempotent="none")
def test_a_parcel_in_doubt_is_sent_again_when_a_person_says_so(city: City) -> None:
    city.receiver.status = 0  # takes the request and cuts the line
    kept = city.submit(penalties(5))
    until(lambda: states(city, kept) == [ParcelState.IN_DOUBT])
    city.receiver.status = None

    assert decide(city, Verb.RESEND) == 1

    assert delivered(city, kept) == 5
    assert len(city.receiver.history) == 5


@with_settings(give_up="1s", parcel=10)
def test_what_was_given_up_goes_when_a_person_says_so_without_what_is_newer_by_then(city: City) -> None:
    city.receiver.status = 503
    kept = city.submit(penalties(20))
    until(lambda: states(city, kept) == [ParcelState.PARKED] * 2, 20)
    assert open_cases(city, CaseClass.SETUP) == 2
    city.receiver.status = None
    city.settled(city.submit(penalties(1, edition=2)))

    assert decide(city, Verb.RESEND) == 2

    city.settled(kept)
    until(lambda: states(city, kept) == [ParcelState.ACCEPTED] * 2)
    assert open_cases(city, CaseClass.SETUP) == 0
    assert len(city.receiver.stored) == 20
    assert sorted(city.receiver.stored.values()) == [1] * 19 + [2]
    assert len(city.receiver.history) == 20  # the old revision of the corrected record never went


@with_settings(parcel=8)
def test_a_refusal_of_all_is_narrowed_to_the_record_it_is_about(city: City) -> None:
    wrong = list(ecology.rows(8))[6].key

    def about(event: dict[str, Any]) -> bool:
        return any(record["cd_id"].endswith(wrong) for record in event["data"]["records"])

    city.receiver.refuse_all = about
    kept = city.submit(penalties(8))

    assert delivered(city, kept) == 7
    assert delivered(city, kept, "refused") == 1
    assert len(city.receiver.history) == 7
    assert open_cases(city, CaseClass.WRONG) == 1


def test_a_newer_revision_waits_until_the_older_one_has_been_answered(city: City) -> None:
    go = threading.Event()
    city.receiver.before = lambda _event: go.wait(20) and None
    first = city.submit(penalties(1))
    until(lambda: city.receiver.requests == 1)
    second = city.submit(penalties(1, edition=2))
    city.judged(second)
    time.sleep(1)
    assert city.receiver.requests == 1

    go.set()

    city.settled(first)
    city.settled(second)
    assert [revision for _, revision, _ in city.receiver.history] == [1, 2]


def test_a_paused_destination_gets_nothing_and_everything_when_it_goes_on(city: City) -> None:
    now = city.hub.clock.now()
    city.hub.ledger.write(lambda c: destinations.pause(c, "province", "test", "repairs", now))
    kept = city.submit(penalties(5))
    city.judged(kept)
    time.sleep(1)
    assert city.receiver.requests == 0

    now = city.hub.clock.now()
    city.hub.ledger.write(lambda c: destinations.resume(c, "province", "test", now))
    city.hub.ledger.write(lambda c: parcels.hasten(c, "province", now))

    assert delivered(city, kept) == 5


@with_settings(receipt_due="1s")
def test_a_receipt_that_does_not_come_is_asked_for_by_sending_again(city: City) -> None:
    city.receiver.silent = True
    kept = city.submit(penalties(5))
    until(lambda: open_cases(city, CaseClass.INCONSISTENT) == 1)

    city.receiver.silent = False

    assert delivered(city, kept) == 5
    assert len(city.receiver.history) == 5
    assert open_cases(city, CaseClass.INCONSISTENT) == 0


@with_settings(receipt_due="1s", idempotent="none")
def test_a_receipt_that_does_not_come_is_in_doubt_where_a_repeat_could_double(city: City) -> None:
    city.receiver.silent = True
    kept = city.submit(penalties(5))

    until(lambda: states(city, kept) == [ParcelState.IN_DOUBT])

    assert open_cases(city, CaseClass.INCONSISTENT) == 1
    assert city.receiver.requests == 1
    assert decide(city, Verb.ARRIVED) == 1
    assert delivered(city, kept) == 5
