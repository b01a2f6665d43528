"""Between two hubs: the few records that differ among many are found, in little time and few bytes, and are cases."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update

from hub.content_audit import prove
from hub.ledger.tables import case_, origin_revision, record, record_head
from hub.reconciliation.buckets import (
    Entry,
    bucket_of,
    compare,
    differing_buckets,
    digests_packed,
    digests_unpacked,
    sums_of,
)
from hub.reconciliation.figures import figures
from hub.reconciliation.held import Spans, delivered_entries
from hub.reconciliation.neighbour import Asked
from standards.clock import local
from standards.errors import BadRecord
from standards.states import CaseClass
from tests.hub.cases.test_month import Month, at, rows
from tests.hub.city import until
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


def compared(made: Chain, *, at_once: bool = False) -> dict[str, Any]:
    desk = made.lowest.reconciliations()
    if not at_once:
        # As if everything that was done were long ago.
        desk.watermark = timedelta(minutes=-5)
    (found,) = desk.with_hub("above", (PUNISH,), "test")
    return found


def test_five_that_differ_are_found_among_many_in_little_time_and_few_bytes_and_are_cases_until_they_agree(
    two: Chain, request: pytest.FixtureRequest
) -> None:
    count = 100_000 if request.config.getoption("--full") else 5_000
    kept = two.submit(penalties(count))
    two.heard(kept, "province", count, 600)
    first = compared(two)
    assert (first["agrees"], first["ours"]["records"], first["theirs"]["records"]) == (True, count, count)
    now = two.lowest.clock.now()
    today = local(now).date()
    with two.lowest.ledger.read() as connection:
        here = figures(connection, today, today, destination="above")["bureau", PUNISH]
    there = Asked(two.links[1].hub.ledger, "below").figures(PUNISH, today, today)["figures"]
    assert (here.read, here.accepted, here.delivered, here.receipted, here.refused) == (count,) * 4 + (0,)
    assert (there["read"], there["accepted"]) == (count, count)

    upper = two.links[1].hub
    proved = prove(upper.ledger, upper.seal, now - timedelta(days=1))
    assert (proved.records, proved.altered, proved.pruned) == (count, 0, 0)
    with upper.ledger.read() as connection:
        rows = connection.execute(
            select(record_head).where(record_head.c.party == "below").order_by(record_head.c.cd_id).limit(5)
        ).all()
    keys = [row.key_hash for row in rows]
    lost = [dict(row._mapping) for row in rows[:2]]
    upper.ledger.write(lambda c: c.execute(delete(record_head).where(record_head.c.key_hash.in_(keys[:2]))))
    of_three = origin_revision.c.key_hash.in_(keys[2:5])
    upper.ledger.write(lambda c: c.execute(update(origin_revision).where(of_three).values(revision=0)))
    if count == 5_000:  # of many more, the first were handed over longer ago than the watermark
        assert compared(two, at_once=True)["agrees"], "what changed just now is under way"
    began = time.monotonic()
    found = compared(two)
    took = time.monotonic() - began
    print(f"{count} records: {took:.2f} s, {found['bytes']} bytes exchanged")

    assert (found["ours"]["records"], found["theirs"]["records"]) == (count, count - 2)
    assert (found["missing"], found["differs"], found["extra"]) == (2, 3, 0)
    assert found["ours"]["work"] + found["theirs"]["work"] < took < 10
    assert int(str(found["bytes"])) < 1_000_000
    with two.lowest.ledger.read() as connection:
        opened = connection.execute(select(case_).where(case_.c.code.like("20006%"))).all()
    assert len(opened) == 5
    assert {(row.class_, row.party, row.destination) for row in opened} == {(CaseClass.INCONSISTENT, "bureau", "above")}

    # Result → data set → bucket → keys, for the party too, and not for others.
    desk = two.lowest.reconciliations()
    newest = desk.listed("bureau")[0]
    told = desk.one(UUID(newest["id"]), "bureau")
    assert sorted(bytes.fromhex(one["key"]) for b in told["buckets"] for one in b["keys"]) == sorted(keys)
    assert desk.listed("below") == []

    upper.ledger.write(lambda c: c.execute(record_head.insert(), lost))
    upper.ledger.write(lambda c: c.execute(update(origin_revision).where(of_three).values(revision=1)))
    assert compared(two)["agrees"]
    with two.lowest.ledger.read() as connection:
        left = connection.execute(select(case_.c.closed_by).where(case_.c.code.like("20006%"))).scalars().all()
    assert left == ["data"] * 5


def test_what_the_upper_hub_lost_or_holds_in_an_older_revision_is_sent_by_one_action_and_only_once(
    two: Chain,
) -> None:
    two.heard(two.submit(penalties(60)), "province", 60, 60)
    upper, lower = two.links[1].hub, two.lowest
    with upper.ledger.read() as connection:
        before = {row.key_hash: dict(row._mapping) for row in connection.execute(select(record_head))}
        arrived = connection.execute(select(func.count()).select_from(record)).scalar_one()
    two.heard(two.submit(penalties(1, first=5, edition=2)), "province", 1, 60)
    with lower.ledger.read() as connection:
        older = connection.execute(select(record_head.c.key_hash).where(record_head.c.revision == 2)).scalar_one()
    # Two are lost there, and of a third it has only the first revision: as after a restore of yesterday's backup.
    lost = [key for key in before if key != older][:2]
    heads, origins = record_head.c.key_hash, origin_revision.c.key_hash
    upper.ledger.write(lambda c: c.execute(delete(record_head).where(heads.in_([*lost, older]))))
    upper.ledger.write(lambda c: c.execute(record_head.insert(), [before[older]]))
    upper.ledger.write(lambda c: c.execute(delete(origin_revision).where(origins.in_(lost))))
    upper.ledger.write(lambda c: c.execute(update(origin_revision).where(origins == older).values(revision=1)))
    found = compared(two)
    assert (found["missing"], found["differs"]) == (2, 1)

    desk, comparison = lower.resending(), UUID(str(found["id"]))
    desk.watermark = timedelta(minutes=-5)
    plan = desk.rehearse(comparison)
    assert (plan["records"], plan["under_way"]) == (3, 0)
    said: list[object] = []

    def click() -> None:
        try:
            said.append(desk.start(comparison, "li", "补发")["records"])
        except BadRecord as error:
            said.append(error.what)

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join(60)

    assert sum(one for one in said if isinstance(one, int)) == 3
    until(lambda: [s["accepted"] for s in desk.sendings(comparison)] == [3], 60)
    assert compared(two)["agrees"]
    with upper.ledger.read() as connection:
        came = connection.execute(select(func.count()).select_from(record)).scalar_one()
        assert came == arrived + 1 + 3, "the revision, and what was sent again: each once"
    with lower.ledger.read() as connection:
        left = connection.execute(select(case_.c.closed_by).where(case_.c.code.like("20006%"))).scalars().all()
        today = local(lower.clock.now()).date()
        here = figures(connection, today, today, destination="above")["bureau", PUNISH]
    assert left == ["data"] * 3
    assert (here.delivered, here.receipted) == (61, 61), "counted once"


def test_what_is_under_way_is_no_difference() -> None:
    key = b"k" * 16
    settled = Entry(key, "o", 1, "x")
    assert [d.kind for d in compare([settled], [])[0]] == ["missing"]
    assert [d.kind for d in compare([], [settled])[0]] == ["extra"]
    assert [d.kind for d in compare([settled], [Entry(key, "o", 2, "x")])[0]] == ["differs"]
    assert [d.kind for d in compare([Entry(key, "o", 2, gone=True)], [settled])[0]] == ["extra"]
    for mine, theirs in (
        (Entry(key, "o", 1, "x", young=True), None),
        (Entry(key, "o", 1, "x", settled=False), None),
        (None, Entry(key, "o", 1, "x", young=True)),
        (Entry(key, "o", 1, "x", settled=False), Entry(key, "o", 2, "x")),
    ):
        assert compare([mine] if mine else [], [theirs] if theirs else []) == ([], 1)


def test_a_record_that_was_revised_after_it_was_seen_what_went_where_is_under_way_and_not_only_there(
    tmp_path: Path,
) -> None:
    month = Month(tmp_path, at(9, 10))
    month.hand_over("plain", rows(PUNISH, 1))
    with month.hub.ledger.read() as connection:
        key = connection.execute(select(record_head.c.key_hash)).scalar_one()
        revised = delivered_entries(connection, Spans(), PUNISH, [key], at(9, 9))
        elsewhere = delivered_entries(connection, Spans(), PUNISH, [key], at(9, 11))
    month.hub.ledger.close()

    there = Entry(key, revised[0].owner, 1)
    assert compare(revised, [there]) == ([], 1)
    assert [d.kind for d in compare(elsewhere, [there])[0]] == ["extra"], "what does not go there should not be there"


def test_the_digest_of_a_bucket_does_not_depend_on_the_order_and_sees_every_change() -> None:
    rows = [(bytes([7, n]) * 8, "owner", n) for n in range(16)]
    whole = sums_of(rows)
    told = whole.digests()
    assert told == sums_of(reversed(rows)).digests() == digests_unpacked(digests_packed(told))
    key = rows[-1][0]
    for changed in ([], [(key, "owner", 99)], [(key, "other", 15)], [(key[:-1] + b"x", "owner", 15)]):
        assert differing_buckets(told, sums_of([*rows[:-1], *changed]).digests()) == [bucket_of(key)]
    less = sums_of(rows[:-2]).digests()[bucket_of(key)]
    late = [(k, o, n + 1) for k, o, n in rows[-2:]]
    assert whole.explains(bucket_of(key), less, late), "counted before they were revised"
    assert not whole.explains(bucket_of(key), less, late[:1])
    assert not whole.explains(bucket_of(key), sums_of(rows[2:]).digests()[bucket_of(key)], late)
    whole.take(*rows[-1])
    assert (whole.count, whole.digests()) == (15, sums_of(rows[:-1]).digests())
