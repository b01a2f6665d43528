"""Writing down what a receiver said: one transaction, and only what differs from its parcel gets a row of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from hub.broker import topology
from hub.dispatch.build import Line
from hub.events import Events
from hub.ledger import bulk, cases, heads, journal, outbox, parcels, receipts, submissions, tallies, timings
from hub.ledger.cases import Due, Opening
from hub.ledger.holds import recount
from hub.ledger.outbox import Outgoing
from hub.ledger.parcels import StoredParcel
from hub.ledger.submissions import Submission
from hub.ledger.tables import case_, finding
from standards.masks_in_text import mask_text
from standards.parcel import Answer, AnswerLine
from standards.ports import Later
from standards.states import CaseClass, DeliveryState, ParcelState


@dataclass(frozen=True, slots=True)
class Outcome:
    """A parcel's verdict, and whose records it concerns."""

    state: ParcelState
    accepted: int
    refused: tuple[tuple[Line, AnswerLine], ...] = ()


def judge(lines: Sequence[Line], answer: Answer) -> Outcome:
    """What an answer means for the records that were sent.  Pure."""
    by_id = {line.cd_id: line for line in lines}
    refused = tuple((by_id[said.cd_id], said) for said in answer.refused() if said.cd_id in by_id)
    accepted = len(lines) - len(refused)
    if not refused:
        return Outcome(ParcelState.ACCEPTED, accepted)
    return Outcome(ParcelState.PARTLY if accepted else ParcelState.REFUSED, accepted, refused)


@dataclass(slots=True)
class Settling:
    """What settling needs besides the answer."""

    events: Events
    due: Callable[..., Due]
    actor: str
    #: Who owns the case of a refused record, and in which data set's words its key is.
    party_of: Callable[[Submission], str]


def settle(
    connection: Connection,
    s: Settling,
    parcel: StoredParcel,
    submission: Submission,
    lines: Sequence[Line],
    answer: Answer,
    now: datetime,
) -> ParcelState:
    """Write down a verdict.  A verdict on a parcel that has ended (a higher level refused later) opens it again."""
    outcome = judge(lines, answer)
    # Of a parcel that is sent again, records that are left out by now were accepted before.
    accepted = max(outcome.accepted, parcel.accepted - len(outcome.refused))
    refused = len(outcome.refused)
    first_time = parcels.end(connection, parcel.id, outcome.state, now, accepted=accepted, refused=refused)
    if not first_time and not outcome.refused:
        return outcome.state
    receipts.add_answer(
        connection,
        submission.id,
        parcel.id,
        answer,
        result=str(outcome.state),
        accepted=outcome.accepted,
        refused=len(outcome.refused),
        now=now,
    )
    _mark_refused(connection, parcel, submission, outcome)
    if first_time:
        cases.close(connection, parcel_id=parcel.id, by="delivered", now=now)
    if outcome.refused:
        _refusals(connection, s, parcel, submission, outcome, answer, now)
    if first_time:
        _close_cases(connection, parcel, submission, lines, outcome, now)
        ended(connection, s, parcel, outcome.state, now)
    else:
        parcels.change(connection, parcel.id, state=outcome.state, refused=len(outcome.refused))
        recount(connection, submission.id, {})
    party = s.party_of(submission)
    counts = {
        (party, parcel.dataset, parcel.destination, "delivered"): max(0, outcome.accepted - parcel.accepted)
        if first_time
        else 0,
        (party, parcel.dataset, parcel.destination, "refused"): len(outcome.refused),
    }
    if first_time:
        counts |= timings.took(timings.RECEIPTED, now - parcel.created_at, destination=parcel.destination)
    tallies.add(connection, counts, now)
    return outcome.state


def settle_later(
    connection: Connection,
    s: Settling,
    parcel: StoredParcel,
    submission: Submission,
    lines: Sequence[Line],
    later: Later,
    now: datetime,
) -> bool:
    """A level above the receiver spoke: what it refused is reopened.  False when this news had been heard before."""
    answer = later.answer
    new = receipts.add_later(connection, submission.id, parcel.id, later, now)
    if not new:
        return False
    outcome = judge(lines, answer)
    if outcome.refused:
        _mark_refused(connection, parcel, submission, outcome)
        _refusals(connection, s, parcel, submission, outcome, answer, now)
        refused = parcel.refused + len(outcome.refused)
        accepted = max(0, parcel.accepted - len(outcome.refused))
        state = ParcelState.PARTLY if accepted else ParcelState.REFUSED
        parcels.change(connection, parcel.id, state=state, refused=refused, accepted=accepted)
        counts = {(s.party_of(submission), parcel.dataset, parcel.destination, "refused"): len(outcome.refused)}
        tallies.add(connection, counts, now)
    recount(connection, submission.id, {})
    s.events.delivered(connection, parcel, later.result, now)
    return True


def _mark_refused(connection: Connection, parcel: StoredParcel, submission: Submission, outcome: Outcome) -> None:
    for line, said in outcome.refused:
        parcels.mark_deliveries(
            connection,
            [(submission.id, line.row_no)],
            parcel.destination,
            DeliveryState.REFUSED,
            said.code[:40],
            mask_text(said.message)[:500],
        )


def ended(
    connection: Connection, s: Settling, parcel: StoredParcel, state: ParcelState, now: datetime, added: int = 0
) -> None:
    """A parcel has ended: what waited for it may go, its submission may be settled."""
    free = parcels.freed_by(connection, parcel.id)
    publish(connection, free, now)
    settled = submissions.end_parcels(connection, parcel.submission_id, 1, added, now)
    detail: dict[str, Any] = {"destination": parcel.destination, "state": str(state), "count": parcel.count}
    entries = [journal.Entry("parcel_ended", s.actor, parcel.submission_id, parcel.id, detail)]
    if settled:
        entries.append(journal.Entry("settled", s.actor, parcel.submission_id))
    journal.append(connection, entries, now)
    s.events.delivered(connection, parcel, str(state), now)


def publish(connection: Connection, ready: Sequence[StoredParcel], now: datetime) -> None:
    """Put a message for each parcel into the outbox."""
    if not ready:
        return
    messages = [
        Outgoing(
            topology.deliver(p.direction, p.destination, p.dataset, p.lane),
            str(p.id),
            str(p.id).encode("ascii"),
            traceparent=p.traceparent,
        )
        for p in ready
    ]
    outbox.put(connection, messages, now)
    parcels.published(connection, [p.id for p in ready], now)


def _refusals(
    connection: Connection,
    s: Settling,
    parcel: StoredParcel,
    submission: Submission,
    outcome: Outcome,
    answer: Answer,
    now: datetime,
) -> None:
    """A refusal is a finding of the record, told to the sender as one of ours, and a case of its owner."""
    party = s.party_of(submission)
    openings = [
        Opening(
            class_=CaseClass.WRONG,
            party=party,
            code=said.code[:40] or "90002",
            dataset=parcel.dataset,
            owner=line.owner,
            key_hash=line.key_hash,
            submission_id=submission.id,
            row_no=line.row_no,
            destination=parcel.destination,
            parcel_id=parcel.id,
        )
        for line, said in outcome.refused
    ]
    cases.open_many(connection, openings, s.due(now), now)
    heads.refuse(connection, [(line.key_hash, line.owner, line.revision) for line, _ in outcome.refused])
    rows = [line.row_no for line, _ in outcome.refused]
    taken = dict(
        connection.execute(
            select(finding.c.row_no, finding.c.no).where(
                finding.c.month == submission.month,
                finding.c.submission_id == submission.id,
                finding.c.row_no.in_(rows),
            )
        )
        .tuples()
        .all()
    )
    numbers = []
    for row in rows:
        taken[row] = max(1000, taken.get(row, 0)) + 1
        numbers.append(taken[row])
    bulk.insert(
        connection,
        finding,
        {
            "month": submission.month,
            "submission_id": submission.id,
            "row_no": rows,
            "no": numbers,
            "party": party,
            "dataset": parcel.dataset,
            "element": [said.element[:64] for _, said in outcome.refused],
            "field": "",
            "place": [line.place for line, _ in outcome.refused],
            "code": [said.code[:40] or "90002" for _, said in outcome.refused],
            "severity": "error",
            "value": "",
            "params": [
                json.dumps({"message": mask_text(said.message)[:500]}, ensure_ascii=False)
                for _, said in outcome.refused
            ],
            "level": answer.level,
        },
        len(rows),
    )


def _close_cases(
    connection: Connection,
    parcel: StoredParcel,
    submission: Submission,
    lines: Sequence[Line],
    outcome: Outcome,
    now: datetime,
) -> None:
    """Data that passed closes what was wrong with it at this destination."""
    some = connection.execute(
        select(case_.c.id).where(case_.c.destination == parcel.destination, case_.c.closed_at.is_(None)).limit(1)
    ).first()
    if some is None:
        return
    refused = {line.row_no for line, _ in outcome.refused}
    keys = [(line.key_hash, line.owner, line.row_no) for line in lines if line.row_no not in refused]
    cases.passed(connection, keys, destination=parcel.destination, submission_id=submission.id, now=now)


def open_setup_case(
    connection: Connection, s: Settling, destination: str, party: str, code: str, note: str, now: datetime
) -> None:
    """The operator must mend something about a destination; one open case is enough."""
    if not cases.setup_is_open(connection, destination=destination):
        opening = Opening(class_=CaseClass.SETUP, party=party, code=code, destination=destination, note=note[:500])
        cases.open_many(connection, [opening], s.due(now), now)


def open_parcel_case(
    connection: Connection,
    s: Settling,
    parcel: StoredParcel,
    party: str,
    class_: CaseClass,
    code: str,
    note: str,
    now: datetime,
) -> None:
    """A parcel that a person must decide about."""
    opening = Opening(
        class_=class_,
        party=party,
        code=code,
        dataset=parcel.dataset,
        submission_id=parcel.submission_id,
        destination=parcel.destination,
        parcel_id=parcel.id,
        note=note[:500],
    )
    cases.open_many(connection, [opening], s.due(now), now)
