"""What every ledger promises, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, event, func, select
from sqlalchemy.exc import IntegrityError

from hub.broker import topology
from hub.flows.rates import rates
from hub.ledger import (
    bulk,
    cases,
    crosswalks,
    destinations,
    heads,
    journal,
    leases,
    migrate,
    numbers,
    outbox,
    parcels,
    submissions,
    tallies,
)
from hub.ledger.cases import Due, Opening
from hub.ledger.engine import Conflict, Ledger
from hub.ledger.heads import Moves
from hub.ledger.memory import Memory
from hub.ledger.outbox import Outgoing
from hub.ledger.parcels import StoredParcel
from hub.ledger.submissions import Submission
from hub.ledger.tables import case_, finding, metadata, record, submission
from hub.ledger.tables import outbox as outbox_table
from standards.clock import FrozenClock
from standards.digest import uuid7, uuid7s
from standards.states import CaseClass, CaseState, DeliveryState, ParcelState, SubmissionState
from tests.hub.conftest import NOW, POSTGRESQL, SQLITE

pytestmark = pytest.mark.parametrize("ledger_url", [SQLITE, POSTGRESQL], indirect=True)

LEASE = timedelta(seconds=60)


def a_submission(**changes: object) -> Submission:
    values: dict[str, object] = {
        "id": uuid7(),
        "receipt_no": "261123-000001-0",
        "party": "ecology",
        "connection": "ecology-penalties",
        "dataset": "punish_action",
        "lane": "bulk",
        "size": 3,
        "digest": "d",
        "received_at": NOW,
        "due_at": NOW,
    }
    return Submission(**{**values, **changes})  # type: ignore[arg-type]


def a_parcel(submission_id: UUID, **changes: object) -> StoredParcel:
    values: dict[str, object] = {
        "id": uuid7(),
        "destination": "province",
        "direction": "up",
        "lane": "bulk",
        "dataset": "punish_action",
        "dataset_version": "1",
        "submission_id": submission_id,
        "chunk": 0,
        "first_row": 1,
        "last_row": 2,
        "count": 2,
        "due_at": NOW,
        "created_at": NOW,
    }
    return StoredParcel(**{**values, **changes})  # type: ignore[arg-type]


def kept(ledger: Ledger, one: Submission) -> Submission:
    ledger.write(lambda c: submissions.add(c, one))
    return one


# The form


def test_the_migrations_make_exactly_the_tables_the_program_knows(ledger: Ledger) -> None:
    with ledger.read() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _ours})
        differences = compare_metadata(context, metadata)

    assert differences == []
    assert migrate.is_current(ledger)


def _ours(_object: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
    return not (kind == "table" and name is not None and name.rpartition("_")[2] in _PARTITION_NAMES)


_PARTITION_NAMES = {"other", *(str(m) for m in migrate.months_from(datetime.now(UTC), 14))}


def test_migrating_twice_and_making_room_twice_changes_nothing(ledger: Ledger) -> None:
    migrate.upgrade(ledger, NOW)
    migrate.upgrade(ledger, NOW)

    assert migrate.is_current(ledger)


# Writing


def test_a_write_that_fails_leaves_nothing_and_does_not_disturb_the_others(ledger: Ledger) -> None:
    def good(connection: Connection) -> None:
        submissions.add(connection, a_submission())

    def bad(connection: Connection) -> None:
        submissions.add(connection, a_submission(receipt_no="261123-000002-9"))
        raise ValueError("no")

    outcomes: list[str] = []

    def run(work: Callable[[Connection], None]) -> None:
        try:
            ledger.write(work)
            outcomes.append("good")
        except ValueError:
            outcomes.append("bad")

    threads = [threading.Thread(target=run, args=(w,)) for w in (bad, good, bad)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with ledger.read() as connection:
        found = connection.execute(select(submission.c.receipt_no)).scalars().all()
    assert sorted(outcomes) == ["bad", "bad", "good"]
    assert found == ["261123-000001-0"]


def test_a_write_that_conflicts_is_run_again_or_told_as_busy(ledger: Ledger) -> None:
    from standards.errors import LedgerBusy

    tries = 0

    def work(_connection: Connection) -> int:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Conflict
        return tries

    if ledger.name == "postgresql":
        assert ledger.write(work) == 3
    else:  # one writer: nobody to conflict with, so whoever raises it is asked to come again
        with pytest.raises((LedgerBusy, Conflict)):
            ledger.write(work)


def test_bulk_rows_keep_every_character(ledger: Ledger) -> None:
    one = kept(ledger, a_submission())
    values = ["plain", "tab\there", "line\nbreak\r\n", "back\\slash \\N \\.", "引号\"'，中文𠀀😀", ""]

    ledger.write(
        lambda c: bulk.insert(
            c,
            finding,
            {
                "month": one.month,
                "submission_id": one.id,
                "row_no": list(range(len(values))),
                "no": 1,
                "party": "p",
                "dataset": "d",
                "code": "10001",
                "severity": "error",
                "value": values,
            },
            len(values),
        )
    )

    with ledger.read() as connection:
        found = connection.execute(select(finding.c.value).order_by(finding.c.row_no)).scalars().all()
    assert list(found) == values


def test_bulk_rows_break_the_same_rules_as_single_ones(ledger: Ledger) -> None:
    now = {"created_at": NOW, "due_at": NOW}
    row = {"exchange": "e", "routing_key": "k", "queue": "q", "message_id": "m", "body": b"\x00\xff\\", **now}
    ledger.write(lambda c: bulk.insert(c, outbox_table, row, 1))
    one = kept(ledger, a_submission())
    twice = {"month": one.month, "submission_id": one.id, "row_no": [1, 1], "no": 1}
    words = {"party": "p", "dataset": "d", "code": "1", "severity": "error"}

    with pytest.raises(bulk.AlreadyThere):
        ledger.write(lambda c: bulk.insert(c, finding, {**twice, **words}, 2))

    with ledger.read() as connection:
        assert connection.execute(select(outbox_table.c.body)).scalar() == b"\x00\xff\\"
        assert connection.execute(select(func.count()).select_from(finding)).scalar() == 0


# Submissions


def test_the_same_submission_id_is_kept_once(ledger: Ledger) -> None:
    first = kept(ledger, a_submission(external_id="A1"))

    again = ledger.write(lambda c: submissions.add(c, a_submission(external_id="A1", digest="other")))

    assert again is not None
    assert (again.submission_id, again.digest) == (first.id, "d")
    with ledger.read() as connection:
        assert connection.execute(select(func.count()).select_from(submission)).scalar() == 1


def test_a_receipt_number_leads_to_its_submission(ledger: Ledger) -> None:
    day = datetime.now(UTC).strftime("%y%m%d")
    one = kept(ledger, a_submission(receipt_no=f"{day}-000007-1"))

    with ledger.read() as connection:
        found = submissions.by_receipt(connection, f"{day}-000007-1")
        nothing = submissions.by_receipt(connection, "nonsense")

    assert found == one
    assert nothing is None


def test_only_one_worker_has_a_submission_until_its_lease_is_over(ledger: Ledger) -> None:
    one = kept(ledger, a_submission())

    mine = ledger.write(lambda c: submissions.claim(c, one.id, "a", NOW, LEASE, 1))
    theirs = ledger.write(lambda c: submissions.claim(c, one.id, "b", NOW + LEASE / 2, LEASE, 1))
    later = ledger.write(lambda c: submissions.claim(c, one.id, "b", NOW + LEASE, LEASE, 2))

    assert mine is not None
    assert mine.state == SubmissionState.TRANSLATING
    assert theirs is None
    assert later is not None


def test_a_chunk_is_added_once_and_only_by_whoever_has_the_submission(ledger: Ledger) -> None:
    one = kept(ledger, a_submission())
    ledger.write(lambda c: submissions.claim(c, one.id, "a", NOW, LEASE, 1))

    def advance(owner: str, chunk: int) -> bool:
        return ledger.write(
            lambda c: submissions.advance(
                c,
                one.id,
                owner,
                chunk=chunk,
                lease_until=NOW + LEASE,
                bookmark="{}",
                counts={"read": 3, "accepted": 2, "rejected": 1},
                parcels=1,
            )
        )

    assert advance("a", 0)
    assert not advance("a", 0)
    assert not advance("b", 1)
    assert advance("a", 1)
    with ledger.read() as connection:
        found = submissions.get(connection, one.id)
    assert found is not None
    assert (found.chunks, found.read, found.accepted, found.rejected, found.open_parcels) == (2, 6, 4, 2, 2)


def test_counts_that_do_not_add_up_cannot_be_called_judged(ledger: Ledger) -> None:
    one = kept(ledger, a_submission(read=3, accepted=2))

    with pytest.raises(IntegrityError):
        ledger.write(lambda c: submissions.change(c, one.id, state=SubmissionState.JUDGED))


def test_a_submission_is_settled_when_its_last_parcel_ends(ledger: Ledger) -> None:
    one = kept(ledger, a_submission(state=SubmissionState.JUDGED, open_parcels=2))

    first = ledger.write(lambda c: submissions.end_parcels(c, one.id, 1, 0, NOW))
    last = ledger.write(lambda c: submissions.end_parcels(c, one.id, 1, 0, NOW))

    assert (first, last) == (False, True)
    with ledger.read() as connection:
        found = submissions.get(connection, one.id)
    assert found is not None
    assert (found.state, found.settled_at) == (SubmissionState.SETTLED, NOW)


# Outbox


def put(ledger: Ledger, count: int, queue: str = "work.translate.bulk", due: datetime = NOW) -> None:
    route = topology.Route("hub.work", "translate.bulk", queue)
    messages = [Outgoing(route, str(n), str(n).encode(), due) for n in range(count)]
    ledger.write(lambda c: outbox.put(c, messages, NOW))


def test_messages_are_claimed_oldest_first_and_once(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    put(ledger, 40)
    taken: list[list[str]] = []
    lock = threading.Lock()

    def claim(name: str, own: Ledger) -> None:
        while True:
            found = own.write(lambda c: outbox.claim(c, NOW, name, LEASE, 3))
            if not found:
                return
            with lock:
                taken.append([w.id for w in found])

    workers = [threading.Thread(target=claim, args=(str(n), ledger if n % 2 else open_ledger())) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(int(i) for group in taken for i in group) == list(range(40))
    assert all(group == sorted(group, key=int) for group in taken)


def test_what_the_dead_had_claimed_is_due_at_once_and_the_living_keep_theirs(ledger: Ledger) -> None:
    put(ledger, 2)
    [mine] = ledger.write(lambda c: outbox.claim(c, NOW, "dead/1/2/relay", LEASE, 1))
    [theirs] = ledger.write(lambda c: outbox.claim(c, NOW, "living", LEASE, 1))
    with ledger.read() as connection:
        assert outbox.holders(connection, NOW) == {"dead/1/2/relay", "living"}

    assert ledger.write(lambda c: outbox.free(c, ["dead/1/2/relay"], NOW)) == 1

    [again] = ledger.write(lambda c: outbox.claim(c, NOW, "other", LEASE, 2))
    assert again.row == mine.row != theirs.row


def test_a_message_falls_back_when_its_holder_is_silent_and_then_the_holder_has_no_say(ledger: Ledger) -> None:
    put(ledger, 1)
    [held] = ledger.write(lambda c: outbox.claim(c, NOW, "a", LEASE, 1))

    assert ledger.write(lambda c: outbox.claim(c, NOW + LEASE / 2, "b", LEASE, 1)) == []
    [again] = ledger.write(lambda c: outbox.claim(c, NOW + LEASE, "b", LEASE, 1))
    ledger.write(lambda c: outbox.done(c, [held.row], "a"))

    assert again.tries == 1
    with ledger.read() as connection:
        assert outbox.depth(connection, "work.translate.bulk") == 1
    ledger.write(lambda c: outbox.done(c, [again.row], "b"))
    with ledger.read() as connection:
        assert outbox.depth(connection, "work.translate.bulk") == 0


def test_a_message_is_not_handed_out_before_its_time_nor_to_another_queue(ledger: Ledger) -> None:
    put(ledger, 1, due=NOW + timedelta(minutes=1))

    assert ledger.write(lambda c: outbox.claim(c, NOW, "a", LEASE, 1)) == []
    late = NOW + timedelta(minutes=2)
    assert ledger.write(lambda c: outbox.claim(c, late, "a", LEASE, 1, ["other"])) == []
    assert len(ledger.write(lambda c: outbox.claim(c, late, "a", LEASE, 1, ["work.translate.bulk"]))) == 1


# Numbers


def test_no_running_number_is_given_twice(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    makers = [numbers.ReceiptNumbers(own, block=7) for own in (ledger, ledger, open_ledger())]
    given: list[str] = []
    lock = threading.Lock()

    def take(maker: numbers.ReceiptNumbers) -> None:
        for _ in range(30):
            one = maker.next(NOW)
            with lock:
                given.append(one)

    threads = [threading.Thread(target=take, args=(m,)) for m in makers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(given)) == 90
    assert all(numbers.is_receipt_number(one) and one.startswith("261123-") for one in given)


def test_the_numbers_of_a_day_begin_at_one(ledger: Ledger) -> None:
    assert ledger.write(lambda c: numbers.take(c, "batch", "20261123", 1)) == 1
    assert ledger.write(lambda c: numbers.take(c, "batch", "20261123", 5)) == 2
    assert ledger.write(lambda c: numbers.take(c, "batch", "20261124", 1)) == 1
    ledger.write(lambda c: numbers.raise_to(c, "batch", "20261124", 100))
    assert ledger.write(lambda c: numbers.take(c, "batch", "20261124", 1)) == 100


# Heads


def moves(*rows: tuple[bytes, int, int], owner: str = "o") -> Moves:
    result = Moves.empty()
    for key, before, revision in rows:
        result.key_hash.append(key)
        result.owner.append(owner)
        result.cd_id.append("o-" + key.hex())
        result.revision.append(revision)
        result.operation.append("u" if before else "i")
        result.digest.append(bytes([revision]) * 32)
        result.subject.append("91350100M000100Y43")
        result.subject_index.append(None)
        result.event_date.append("2026-11-01")
        result.row_no.append(revision)
        result.before.append(before)
    return result


def write_heads(ledger: Ledger, new: Moves, revised: Moves) -> None:
    ledger.write(lambda c: heads.write(c, new, revised, dataset="d", party="p", submission_id=uuid7(), now=NOW))


def once(ledger: Ledger, new: Moves, revised: Moves) -> None:
    """As write_heads, without being run again on a conflict."""

    def work(connection: Connection) -> bool:
        savepoint = connection.begin_nested()
        try:
            heads.write(connection, new, revised, dataset="d", party="p", submission_id=uuid7(), now=NOW)
        except Conflict:
            savepoint.rollback()
            return False
        savepoint.commit()
        return True

    assert ledger.write(work) is False


def test_heads_are_made_and_moved_on(ledger: Ledger) -> None:
    a, b = b"a" * 16, b"b" * 16

    write_heads(ledger, moves((a, 0, 1), (b, 0, 2)), Moves.empty())
    write_heads(ledger, Moves.empty(), moves((a, 1, 3)))

    with ledger.read() as connection:
        found = heads.look_up(connection, [a, b, b"c" * 16])
        known = heads.known(connection, [a, b"c" * 16])
    assert {k: [(h.revision, h.operation) for h in v] for k, v in found.items()} == {a: [(3, "u")], b: [(2, "i")]}
    assert known == {a}


def test_a_head_that_somebody_else_made_or_moved_is_a_conflict(ledger: Ledger) -> None:
    a = b"a" * 16
    write_heads(ledger, moves((a, 0, 1)), Moves.empty())

    once(ledger, moves((a, 0, 1)), Moves.empty())
    once(ledger, Moves.empty(), moves((a, 5, 6)))

    with ledger.read() as connection:
        assert heads.look_up(connection, [a])[a][0].revision == 1


def test_two_owners_may_hold_one_key(ledger: Ledger) -> None:
    a = b"a" * 16

    write_heads(ledger, moves((a, 0, 1)), Moves.empty())
    write_heads(ledger, moves((a, 0, 1), owner="other"), Moves.empty())

    with ledger.read() as connection:
        assert sorted(h.owner for h in heads.look_up(connection, [a])[a]) == ["o", "other"]


# Parcels


def test_a_parcel_is_sent_by_one_and_taken_over_from_the_dead(ledger: Ledger) -> None:
    one = kept(ledger, a_submission())
    parcel = a_parcel(one.id)
    ledger.write(lambda c: parcels.add(c, [parcel]))

    mine = ledger.write(lambda c: parcels.claim(c, parcel.id, "a", NOW, LEASE))
    theirs = ledger.write(lambda c: parcels.claim(c, parcel.id, "b", NOW, LEASE))
    taken_over = ledger.write(lambda c: parcels.claim(c, parcel.id, "b", NOW, LEASE, dead=True))

    assert mine is not None
    assert not mine.uncertain
    assert theirs is None
    assert taken_over is not None
    assert taken_over.uncertain
    assert taken_over.parcel.attempts == 2


def test_a_parcel_is_not_sent_before_its_time_nor_after_its_end_nor_out_of_turn(ledger: Ledger) -> None:
    one = kept(ledger, a_submission())
    first = a_parcel(one.id)
    later = a_parcel(one.id, due_at=NOW + LEASE)
    behind = a_parcel(one.id, waits_for=first.id)
    ledger.write(lambda c: parcels.add(c, [first, later, behind]))

    def claim(parcel: StoredParcel) -> object:
        return ledger.write(lambda c: parcels.claim(c, parcel.id, "a", NOW, LEASE))

    assert claim(later) is None
    assert claim(behind) is None
    assert ledger.write(lambda c: parcels.end(c, first.id, ParcelState.ACCEPTED, NOW))
    assert not ledger.write(lambda c: parcels.end(c, first.id, ParcelState.REFUSED, NOW))
    assert claim(first) is None
    [free] = ledger.write(lambda c: parcels.freed_by(c, first.id))
    assert free.id == behind.id
    assert claim(behind) is not None


def test_what_is_due_is_found_once_its_message_is_lost_or_its_sender_silent(ledger: Ledger) -> None:
    one = kept(ledger, a_submission())
    fresh = a_parcel(one.id, published_at=NOW)
    lost = a_parcel(one.id, published_at=NOW - LEASE)
    silent = a_parcel(one.id, state=ParcelState.SENDING, lease_until=NOW, lease_owner="x")
    paused = a_parcel(one.id, destination="paused")
    ended = a_parcel(one.id, state=ParcelState.ACCEPTED, ended_at=NOW)
    ledger.write(lambda c: parcels.add(c, [fresh, lost, silent, paused, ended]))

    found = ledger.write(lambda c: parcels.due(c, NOW, NOW - LEASE / 2, 10, ["paused"]))

    assert {p.id for p in found} == {lost.id, silent.id}


def test_deliveries_on_the_way_are_found_with_what_they_wait_for(ledger: Ledger) -> None:
    one = kept(ledger, a_submission())
    waiting, gone = a_parcel(one.id, waits_for=uuid7()), a_parcel(one.id, ended_at=NOW, state=ParcelState.ACCEPTED)

    def work(connection: Connection) -> list[parcels.OnTheWay]:
        parcels.add(connection, [waiting, gone])
        parcels.add_deliveries(connection, one.id, [1, 2], "province", [waiting.id, gone.id], [None, None])
        return parcels.on_the_way(connection, [(one.id, 1), (one.id, 2), (one.id, 3)])

    [found] = ledger.write(work)

    assert (found.row_no, found.parcel_id, found.waits_for) == (1, waiting.id, waiting.waits_for)
    ledger.write(lambda c: parcels.mark_deliveries(c, [(one.id, 1)], "province", DeliveryState.SUPERSEDED))
    assert ledger.write(lambda c: parcels.on_the_way(c, [(one.id, 1)])) == []


def test_the_backlog_of_a_destination_adds_up(ledger: Ledger) -> None:
    one = kept(ledger, a_submission())
    some = [a_parcel(one.id, count=n) for n in (2, 3)]
    ledger.write(lambda c: parcels.add(c, [*some, a_parcel(one.id, state=ParcelState.AWAITING, count=7)]))

    with ledger.read() as connection:
        backlog = parcels.backlog(connection)

    assert backlog["province"]["waiting"][:2] == (2, 5)
    assert backlog["province"]["awaiting"][:2] == (1, 7)


# Cases


def an_opening(key: bytes | None, **changes: object) -> Opening:
    values: dict[str, object] = {
        "class_": CaseClass.WRONG,
        "party": "p",
        "code": "10001",
        "owner": "o",
        "key_hash": key,
    }
    return Opening(**{**values, **changes})  # type: ignore[arg-type]


def test_one_key_has_one_open_case_and_data_that_passes_closes_it(ledger: Ledger) -> None:
    key = b"k" * 16
    due = Due(NOW + timedelta(days=7))
    ledger.write(lambda c: cases.open_many(c, [an_opening(key), an_opening(None), an_opening(key)], due, NOW))
    ledger.write(lambda c: cases.open_many(c, [an_opening(key, code="10002")], due, NOW + LEASE))

    with ledger.read() as connection:
        rows = connection.execute(select(case_).order_by(case_.c.code)).all()
    assert [(r.code, r.times, r.state) for r in rows] == [("10001", 1, CaseState.OPEN), ("10002", 2, CaseState.OPEN)]

    closed = ledger.write(
        lambda c: cases.passed(c, [(key, "o", 5)], destination="", submission_id=uuid7(), now=NOW + LEASE)
    )
    again = ledger.write(lambda c: cases.open_many(c, [an_opening(key)], due, NOW + LEASE))
    assert (closed, again) == (1, 1)
    with ledger.read() as connection:
        assert cases.open_counts(connection) == {("p", CaseClass.WRONG): 2}


def test_a_case_without_a_known_calendar_has_no_due_time_and_says_why(ledger: Ledger) -> None:
    ledger.write(lambda c: cases.open_many(c, [an_opening(None)], Due(None, "calendar 2027 not loaded"), NOW))

    with ledger.read() as connection:
        row = connection.execute(select(case_)).one()
    assert (row.due_at, row.due_missing) == (None, "calendar 2027 not loaded")


# Small things


def test_a_lease_is_held_by_one_until_it_is_over_or_given_back(ledger: Ledger) -> None:
    def take(owner: str, at: datetime = NOW) -> bool:
        return ledger.write(lambda c: leases.take(c, "scheduler", owner, at, LEASE))

    assert take("a")
    assert take("a")
    assert not take("b")
    assert take("b", NOW + LEASE)
    ledger.write(lambda c: leases.give_back(c, "scheduler", "b"))
    assert take("c", NOW + LEASE)


def test_a_destination_that_is_down_gets_one_probe_at_a_time(ledger: Ledger) -> None:
    def probe(at: datetime) -> bool:
        return ledger.write(lambda c: destinations.take_probe(c, "province", at, LEASE))

    assert ledger.write(lambda c: destinations.failed(c, "province", "no", NOW + LEASE, NOW))
    assert not ledger.write(lambda c: destinations.failed(c, "province", "no", NOW + LEASE, NOW))
    assert not probe(NOW)
    assert probe(NOW + LEASE)
    assert not probe(NOW + LEASE)
    assert ledger.write(lambda c: destinations.succeeded(c, "province", NOW + LEASE))
    assert not probe(NOW + 5 * LEASE)


def test_a_paused_destination_stays_paused_whatever_happens(ledger: Ledger) -> None:
    ledger.write(lambda c: destinations.pause(c, "province", "me", "repair", NOW))
    ledger.write(lambda c: destinations.failed(c, "province", "no", NOW, NOW))
    ledger.write(lambda c: destinations.succeeded(c, "province", NOW))

    with ledger.read() as connection:
        standing = destinations.get(connection, "province")
    assert standing is not None
    assert (standing.state, standing.reason) == ("paused", "no")


def test_answers_to_codes_are_kept_and_changing_one_changes_the_stamp(ledger: Ledger) -> None:
    def answer(code: str, at: datetime) -> None:
        ledger.write(lambda c: crosswalks.answer(c, "m", "kinds", "罚没", code, "me", at))

    with ledger.read() as connection:
        before = crosswalks.stamp(connection, "m")
    answer("02", NOW)
    with ledger.read() as connection:
        first = crosswalks.stamp(connection, "m")
    answer("03", NOW + LEASE)
    with ledger.read() as connection:
        assert len({before, first, crosswalks.stamp(connection, "m")}) == 3
        assert crosswalks.answers(connection, "m") == {"kinds": {"罚没": "03"}}
    assert ledger.write(lambda c: crosswalks.forget(c, "m", "kinds", "罚没"))


def test_memory_is_kept_by_name(ledger: Ledger, clock: FrozenClock) -> None:
    memory, other = Memory(ledger, clock, "a"), Memory(ledger, clock, "b")

    memory.remember("file/x", "1")
    memory.remember("file/x", "2")
    other.remember("file/x", "3")

    assert memory.recall("file/x") == "2"
    assert memory.names("file/") == ["file/x"]
    memory.forget("file/x")
    assert memory.recall("file/x") is None
    assert other.recall("file/x") == "3"


def test_tallies_keep_their_sums_when_they_are_folded(ledger: Ledger) -> None:
    key = ("p", "d", "", "read")
    for n in (1, 2, 3):
        ledger.write(lambda c, n=n: tallies.add(c, {key: n, ("p", "d", "", "held"): 0}, NOW))
    ledger.write(tallies.fold)
    ledger.write(lambda c: tallies.add(c, {key: 10}, NOW))
    ledger.write(tallies.fold)

    with ledger.read() as connection:
        assert tallies.totals(connection, "2026-11-23") == {key: 16}
        assert tallies.totals(connection, "2026-11-22") == {}


def test_the_usual_of_a_weekday_is_the_median_of_the_same_weekdays_and_is_read_once_a_day(ledger: Ledger) -> None:
    key = ("p", "d", "", "read")
    for weeks, n in ((0, 7), (1, 10), (2, 30), (3, 20), (9, 999)):
        ledger.write(lambda c, weeks=weeks, n=n: tallies.add(c, {key: n}, NOW - timedelta(weeks=weeks)))
    ledger.write(lambda c: tallies.add(c, {("p", "d", "p", "delivered"): 4}, NOW))

    first = rates(ledger, NOW)
    ledger.write(lambda c: tallies.add(c, {key: 1}, NOW))
    asked = []

    def counted(*seen: Any) -> None:
        asked.append(seen[2])

    event.listen(ledger.engine, "before_cursor_execute", counted)
    second = rates(ledger, NOW)
    event.remove(ledger.engine, "before_cursor_execute", counted)

    assert (first.today["p", "read"], first.usual("p", "read")) == (7, 20)
    assert (second.today["p", "read"], second.usual("p", "read")) == (8, 20)
    assert second.today[">p", "delivered"] == 4
    assert len([one for one in asked if "tally" in one]) == 1
    assert rates(ledger, NOW + timedelta(weeks=1)).usual("p", "read") == 15


def test_causes_are_told_once_whatever_their_terms(ledger: Ledger) -> None:
    late, soon = Due(NOW - timedelta(days=1)), Due(NOW + timedelta(days=1))
    for party, due, count in (("a", late, 2), ("a", soon, 3), ("b", Due(None, "no calendar"), 1)):
        openings = [Opening(class_=CaseClass.WRONG, party=party, code="10005", dataset="d") for _ in range(count)]
        ledger.write(lambda c, openings=openings, due=due: cases.open_many(c, openings, due, NOW))

    with ledger.read() as connection:
        every = {one.party: one for one in cases.causes(connection, NOW)}
        only = cases.causes(connection, NOW, ["b", "c"])

    assert (every["a"].cases, every["a"].overdue, every["a"].due_at) == (5, 2, late.at)
    assert (every["b"].cases, every["b"].overdue, every["b"].due_at) == (1, 0, None)
    assert every["b"].due_missing == "no calendar"
    assert [one.party for one in only] == ["b"]


def test_journal_rows_carry_the_digest_of_what_they_say(ledger: Ledger) -> None:
    from hub.ledger.tables import journal as table

    entry = journal.Entry("received", "ecology", uuid7(), None, {"b": 1, "a": "中"})
    ledger.write(lambda c: journal.append(c, [entry], NOW))

    with ledger.read() as connection:
        row = connection.execute(select(table)).one()
    assert row.digest == journal.digest_of(NOW, "received", "ecology", entry.submission_id, None, row.detail)
    assert row.at == NOW


def test_a_record_is_found_by_its_place_in_the_submission(ledger: Ledger) -> None:
    one = kept(ledger, a_submission())
    rows = [1, 2, 3]
    columns = {
        "month": one.month,
        "submission_id": one.id,
        "row_no": rows,
        "chunk": 0,
        "idx": [0, None, 1],
        "place": ["L2", "L3", "L4"],
        "verdict": ["accepted", "rejected", "duplicate"],
        "key_hash": [b"k" * 16, None, b"j" * 16],
        "owner": "o",
        "cd_id": ["a", "", "c"],
        "revision": [1, 0, 2],
        "operation": ["i", "", "u"],
        "digest": [b"d" * 32, None, b"e" * 32],
        "event_date": "",
        "twin_id": [None, None, uuid7s(1)[0]],
        "twin_row": [None, None, 9],
    }

    ledger.write(lambda c: bulk.insert(c, record, columns, 3))

    with ledger.read() as connection:
        found = connection.execute(select(record).where(record.c.row_no == 3)).one()
    assert (found.cd_id, found.idx, found.twin_id, found.digest) == ("c", 1, columns["twin_id"][2], b"e" * 32)
