"""What is kept how long: content goes before metadata, keys and sums outlive both, nothing goes while it is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, func, select

from demo.ecology import pieces, rows
from hub.ledger import retention, tallies
from hub.ledger.tables import (
    chunk,
    finding,
    journal,
    parcel,
    payload,
    receipt,
    record,
    record_head,
    submission,
    submission_key,
)
from hub.payload import LedgerPayload
from hub.retention import Pruner
from hub.vault import NO_SEAL
from standards.clock import FrozenClock, SystemClock
from standards.errors import BadConfiguration
from tests.hub import city as cities
from tests.hub.city import City

Prune = Callable[[Connection, datetime, int], int]


@pytest.fixture(params=["sqlite", "postgresql"])
def city(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[City]:
    """A city on each ledger."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    yield from cities.running(tmp_path, ledger=url)


def csv_of(count: int, **words: object) -> bytes:
    return b"".join(pieces(rows(count, **words)))  # type: ignore[arg-type]


def count(city: City, table: Table) -> int:
    with city.hub.ledger.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def prune(city: City, what: Prune) -> int:
    """Prune as if everything so far were too old."""
    before = SystemClock().now() + timedelta(minutes=5)
    return city.hub.ledger.write(lambda c: what(c, before, 100))


def test_content_goes_and_receipts_digests_and_keys_stay(city: City) -> None:
    first = city.submit(csv_of(20))
    before = city.settled(first)

    assert prune(city, retention.prune_content) == 1
    assert prune(city, retention.prune_content) == 0, "what is gone is not counted again"

    assert count(city, payload) == 0
    with city.hub.ledger.read() as connection:
        assert connection.execute(select(chunk.c.content, chunk.c.common)).all() == [(None, None)]
    assert count(city, record) == 20
    after = city.hub.receipts.receipt(first.receipt_no)
    assert after is not None
    assert after.document["counts"] == before.document["counts"]
    with pytest.raises(BadConfiguration, match="no longer kept"):
        LedgerPayload(city.hub.ledger, city.stored(first.submission_id), NO_SEAL).piece(0)
    again = city.judged(city.submit(csv_of(20)))
    assert again.duplicate == 20, "digests outlive content"
    assert again.document["duplicates"][0]["held_by"] == first.receipt_no


def test_nothing_goes_while_a_case_or_a_delivery_is_open(city: City) -> None:
    city.judged(city.submit(csv_of(10, faults=1.0)))
    city.receiver.status = 503
    stuck = city.submit(csv_of(5, first=900))
    city.judged(stuck)

    assert prune(city, retention.prune_content) == 0
    assert prune(city, retention.prune_metadata) == 0

    city.receiver.status = None
    city.settled(stuck)
    assert prune(city, retention.prune_content) == 1, "the open cases still hold the other one"


def test_metadata_goes_last_and_leaves_keys_ids_and_sums(city: City) -> None:
    city.settled(city.submit(csv_of(12), external_id="batch-1"))
    with city.hub.ledger.read() as connection:
        sums = tallies.totals(connection)

    assert prune(city, retention.prune_ids) == 0, "the submission is still there"
    assert prune(city, retention.prune_metadata) == 1

    for table in (submission, record, chunk, finding, parcel, receipt, payload):
        assert count(city, table) == 0, table.name
    assert count(city, record_head) == 12
    with city.hub.ledger.read() as connection:
        assert tallies.totals(connection) == sums
    assert city.judged(city.submit(csv_of(12))).duplicate == 12
    assert count(city, submission_key) == 1
    assert prune(city, retention.prune_ids) == 1
    assert prune(city, retention.prune_journal) > 0
    assert count(city, journal) == 0


def test_the_windows_of_the_settings_are_kept(city: City) -> None:
    hub = city.hub
    city.settled(city.submit(csv_of(3)))
    clock = FrozenClock(SystemClock().now())
    pruner = Pruner(hub.ledger, hub.generations, clock, "test")

    assert pruner.run() == 0
    clock.forward(timedelta(days=400))
    assert pruner.run() == 1
    assert (count(city, payload), count(city, submission)) == (0, 1)
    clock.forward(timedelta(days=1500))
    pruner.run()
    assert (count(city, submission), count(city, record_head)) == (0, 3)
