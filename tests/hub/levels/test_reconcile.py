"""Between two hubs: the few records that differ among many are found, in little time and few bytes, and are cases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from hub.ledger.tables import case_, origin_revision, record_head
from hub.reconcile import Entry, compare, sums
from hub.reconciling import reconcile
from standards.states import CaseClass
from tests.hub.levels.chain import Chain, chain
from tests.hub.levels.test_chain import penalties
from tests.receiver import Receiver

LEVELS = ("city", "province")
PUNISH = "punish_action"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver(level="nation").start()
    yield receiver
    receiver.stop()


@pytest.fixture
def two(tmp_path: Path, receiver: Receiver) -> Iterator[Chain]:
    with chain(tmp_path, LEVELS, receiver, parcel=2000) as made:
        yield made


def compared(made: Chain) -> dict[str, object]:
    hub = made.lowest
    (found,) = reconcile(_desk(made), "above", (PUNISH,), hub.transports, "test")
    return found


def _desk(made: Chain):  # type: ignore[no-untyped-def]
    desk = made.lowest.reconciler()

    class Later:
        """A clock on which everything that was done is long ago."""

        def now(self):  # type: ignore[no-untyped-def]
            return made.lowest.clock.now() + timedelta(minutes=5)

    desk.clock = Later()
    return desk


def test_five_that_differ_are_found_among_many_in_little_time_and_few_bytes(
    two: Chain, request: pytest.FixtureRequest
) -> None:
    count = 100_000 if request.config.getoption("--full") else 5_000
    kept = two.submit(penalties(count))
    two.heard(kept, "province", count, 600)
    assert (compared(two)["missing"], compared(two)["differs"]) == (0, 0), "nothing false"

    upper = two.links[1].hub
    with upper.ledger.read() as connection:
        keys = connection.execute(
            select(record_head.c.key_hash).where(record_head.c.party == "below").order_by(record_head.c.cd_id).limit(5)
        ).scalars()
        chosen = list(keys)
    upper.ledger.write(lambda c: c.execute(delete(record_head).where(record_head.c.key_hash.in_(chosen[:2]))))
    upper.ledger.write(
        lambda c: c.execute(
            update(origin_revision).where(origin_revision.c.key_hash.in_(chosen[2:4])).values(revision=0)
        )
    )
    began = time.monotonic()
    found = compared(two)
    took = time.monotonic() - began
    print(f"{count} records: {took:.2f} s, {found['bytes']} bytes exchanged")

    assert (found["ours"], found["theirs"]) == (count, count - 2)
    assert (found["missing"], found["differs"], found["extra"]) == (2, 2, 0)
    assert took < 10
    assert int(str(found["bytes"])) < 1_000_000
    with two.lowest.ledger.read() as connection:
        opened = connection.execute(select(case_).where(case_.c.code.like("20006%"))).all()
    assert len(opened) == 4
    assert {row.class_ for row in opened} == {CaseClass.INCONSISTENT}
    assert {row.party for row in opened} == {"bureau"}


def test_what_is_under_way_is_no_difference() -> None:
    settled = Entry("aa", "o", 1, "x")
    assert compare("d", "up", [settled], [], 1).differences[0].kind == "missing"
    assert compare("d", "up", [], [settled], 1).differences[0].kind == "extra"
    assert compare("d", "up", [settled], [Entry("aa", "o", 2, "x")], 1).differences[0].kind == "differs"
    for mine, theirs in (
        (Entry("aa", "o", 1, "x", young=True), None),
        (Entry("aa", "o", 1, "x", settled=False), None),
        (None, Entry("aa", "o", 1, "x", young=True)),
        (Entry("aa", "o", 1, "x", settled=False), Entry("aa", "o", 2, "x")),
    ):
        found = compare("d", "up", [mine] if mine else [], [theirs] if theirs else [], 1)
        assert (found.differences, found.under_way) == ([], 1)


def test_the_digest_of_a_bucket_does_not_depend_on_the_order_and_sees_every_change() -> None:
    rows = [(bytes([7, n]) * 8, "owner", n) for n in range(16)]
    assert sums(rows) == sums(reversed(rows))
    changed = [*rows[:-1], (rows[-1][0], "owner", 99)]
    assert sums(rows) != sums(changed)
    assert sums(rows) != sums([*rows[:-1], (rows[-1][0], "other", rows[-1][2])])
