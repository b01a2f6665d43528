"""Storing one prepared chunk: one transaction, one bulk write a table.

heads read → decided → record, chunk, finding, case_, hold, task, record_head, parcel, delivery, tally,
item_use, journal, outbox
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Connection

from hub import evaluated
from hub.attachments import ELEMENTS, names_of
from hub.deadlines import Deadlines
from hub.evaluated import Use
from hub.ledger import (
    attachments,
    bulk,
    cases,
    filled,
    grants,
    heads,
    holds,
    journal,
    origins,
    submissions,
    tallies,
    tasks,
    uses,
)
from hub.ledger.cases import Opening
from hub.ledger.heads import Head
from hub.ledger.parcels import StoredParcel
from hub.ledger.submissions import Submission
from hub.ledger.tables import chunk as chunk_table
from hub.ledger.tables import finding, hold, record
from hub.openings import Opened, openings
from hub.plan import Plan, RouteTo, with_tasks
from hub.sharing.zone import subscribed_rows
from hub.translate.answering import Answers, ways
from hub.translate.consult import WAITS_FOR_BASE
from hub.translate.decide import Candidates, Decision, decide
from hub.translate.encode import cd_id_of
from hub.translate.prepare import FindingRow, Prepared, Spots
from hub.translate.route import Load, route_records
from standards import tracing
from standards.clock import local
from standards.digest import sm3
from standards.masks_in_text import mask_text
from standards.model import Severity
from standards.shapes import shape
from standards.states import CaseClass, Verdict

log = structlog.get_logger()

#: What the hub does not take at all is not wrong: there is nothing to report again.
_NOT_TAKEN = "50001"
#: Verdicts of records whose content is kept.
_KEPT = (Verdict.ACCEPTED, Verdict.HELD)
_SEVERITY = {Verdict.HELD: Severity.HOLD, Verdict.REJECTED: Severity.ERROR, Verdict.ACCEPTED: Severity.WARNING}
#: Findings that an answer in the crosswalk settles, or a code list: the value itself is the question.
_ASKED = ("10005.crosswalk", "10005.list", "10005")
#: Held because somebody else has the key: what others hold of it does not give way.
_KEY_OF_OTHERS = "20002"
#: The finding of a revision that came after a newer one.
OLDER = "20002.older"


#: Kinds of hand-overs that bring something for the first time.
ARRIVE = ("submission", "parcel")


class LostLease(Exception):
    """Somebody else is at this submission, or the chunk was stored before: stop without a word."""


@dataclass(slots=True)
class Stored:
    """What storing a chunk came to."""

    counts: dict[str, int]
    parcels: int = 0
    findings: int = 0
    #: Items whose use it wrote down.
    uses: frozenset[Use] = frozenset()


@dataclass(slots=True)
class Storing:
    """What does not change between the chunks of one submission."""

    submission: Submission
    plan: Plan
    owner: str
    lease: timedelta
    due: Deadlines
    hold_for: timedelta
    findings_kept: int
    #: Turns a bookmark into text; the first row of each zip member, for rows whose order cannot be told.
    members: list[tuple[int, str]] = field(default_factory=list)
    known_references: set[bytes] = field(default_factory=set)
    findings_so_far: int = 0
    #: Whose mapped content is judged again; None where records are mapped.
    mapped_from: UUID | None = None
    #: Items whose use is committed.
    uses: set[Use] = field(default_factory=set)


def store(connection: Connection, s: Storing, prepared: Prepared, seq: int, first_row: int, now: datetime) -> Stored:
    """Decide and store one chunk.  Raises LostLease, or Conflict when it must be decided again."""
    chunk, submission = prepared.chunk, s.submission
    findings = list(prepared.findings)
    worst = list(prepared.worst)
    waits: dict[int, bytes] = {}
    _check_references(connection, s, prepared, findings, worst, waits)
    _check_attachments(connection, s, prepared, findings)
    answers = None
    if s.plan.answers and not submission.test:
        answers = Answers(s.plan, submission, s.due.calendar, first_row)
    decisions = _decide(connection, s, prepared, findings, worst, answers, now)
    verdicts = _verdicts(chunk.count, prepared, worst, decisions)
    counts = {v.value: n for v, n in Counter(verdicts).items()}
    counts["read"] = chunk.count
    stored = Stored(counts)
    accepted = [i for i, v in enumerate(verdicts) if v is Verdict.ACCEPTED]
    opened = _opened(s, prepared, accepted, first_row, now) if s.plan.tasks and not submission.test else []
    further = ways(s.plan, opened, answers, accepted)
    if s.plan.shares and accepted and not submission.test:
        _subscribed(connection, s, prepared, accepted, further, now)
    routes = with_tasks(s.plan.routes, further, s.plan.to_tasks)
    made = _deliveries(connection, s, prepared, decisions, accepted, routes, first_row, seq, now)
    stored.parcels = sum(1 for p in made if p.ended_at is None)
    _records(connection, s, prepared, decisions, verdicts, seq, first_row, now)
    stored.findings = _findings(connection, s, findings, first_row)
    if not submission.test:
        if prepared.fills:
            kept = {first_row + i: f for i, f in prepared.fills.items() if f and verdicts[i] in _KEPT}
            filled.add(connection, s.plan.seal, submission.id, kept)
        _cases(connection, s, prepared, findings, verdicts, decisions, first_row, now)
        _holds(connection, s, prepared, findings, verdicts, waits, first_row, now)
        if opened:
            _tasks(connection, s, opened, now)
        if answers is not None:
            answers.write(connection, accepted, now)
        told = [i for i in accepted if decisions[i].operation != "d"]
        _tally(connection, s, counts, findings, made, _timely(s, prepared, told), now)
        stored.uses = _uses(connection, s, prepared, told)
    _journal(connection, s, prepared, decisions, counts, seq, first_row, now)
    # Last, so that the row is locked for a moment only: those who settle parcels of this submission want it too.
    ok = submissions.advance(
        connection,
        submission.id,
        s.owner,
        chunk=seq,
        lease_until=now + s.lease,
        bookmark=json.dumps(dict(chunk.bookmark), ensure_ascii=False),
        counts=counts,
        parcels=stored.parcels,
    )
    if not ok:
        raise LostLease
    return stored


def _check_references(
    connection: Connection,
    s: Storing,
    prepared: Prepared,
    findings: list[FindingRow],
    worst: list[Severity | None],
    waits: dict[int, bytes],
) -> None:
    """References to records nobody has seen become findings; those that only wait hold their record."""
    if not prepared.wanted:
        return
    asked = {key for wanted in prepared.wanted for key in wanted.keys} - s.known_references
    if asked:
        s.known_references |= heads.known(connection, list(asked))
    here = set(prepared.candidates.key_hash)
    spots = Spots(s.plan, prepared.chunk)
    for wanted in prepared.wanted:
        check = wanted.check
        for row, key, value in zip(wanted.rows, wanted.keys, wanted.values, strict=True):
            if key in s.known_references or key in here:
                continue
            label, place = spots.of(check.element.id, row)
            params = {"dataset": check.dataset}
            findings.append(FindingRow(row, check.element.id, label, place, check.code, check.severity, value, params))
            if worst[row] is not Severity.ERROR and check.severity is not Severity.WARNING:
                worst[row] = check.severity
            if check.severity is Severity.HOLD:
                waits.setdefault(row, key)


def _check_attachments(connection: Connection, s: Storing, prepared: Prepared, findings: list[FindingRow]) -> None:
    """Attachments that records name and that their party has not handed over are told; another hub keeps its own."""
    elements = ELEMENTS & s.plan.dataset.by_id.keys() if s.submission.kind != "parcel" else frozenset()
    wanted = names_of(prepared.columns, elements, list(prepared.position)) if elements else {}
    if not wanted:
        return
    there = attachments.find(connection, sorted({one for named in wanted.values() for one in named}))
    spots = Spots(s.plan, prepared.chunk)
    element = sorted(elements)[0]
    for row, named in wanted.items():
        for one in named:
            if one not in there or there[one].party != s.plan.party:
                label, place = spots.of(element, row)
                value = f"attachment:{one}"
                findings.append(FindingRow(row, element, label, place, "30004.attachment", Severity.WARNING, value, {}))


def _decide(
    connection: Connection,
    s: Storing,
    prepared: Prepared,
    findings: list[FindingRow],
    worst: list[Severity | None],
    answers: Answers | None,
    now: datetime,
) -> dict[int, Decision]:
    """The decision of each record that passed the checker and waits for nothing, by its index in the chunk."""
    candidates = prepared.candidates
    passing = [i for i in prepared.position if worst[i] not in (Severity.ERROR, Severity.HOLD)]
    stale = _stale(connection, s, prepared, findings, passing)
    passing = [i for i in passing if i not in stale]
    if not passing:
        return stale
    if len(passing) < len(candidates):
        candidates = candidates.only([prepared.position[i] for i in passing])
    known = heads.look_up(connection, list(dict.fromkeys(candidates.key_hash)))
    if answers is not None:
        passing = _take_answers(connection, s, prepared, findings, worst, answers, passing, known, now)
        candidates = prepared.candidates.only([prepared.position[i] for i in passing])
        if not passing:
            return stale
    foreign = {"hold": Verdict.HELD, "reject": Verdict.REJECTED}.get(s.plan.foreign)
    decided = decide(candidates, known, s.submission.id, foreign=foreign, clashes=_clash(s), authority=s.plan.authority)
    decisions = dict(zip(passing, decided.decisions, strict=True))
    spots = Spots(s.plan, prepared.chunk)
    for i, decision in decisions.items():
        if decision.code:
            severity = _SEVERITY[decision.verdict]
            element = s.plan.dataset.natural_key[0]
            value = prepared.columns.get(element, [""] * prepared.chunk.count)[i]
            label, place = spots.of(element, i)
            findings.append(FindingRow(i, element, label, place, decision.code, severity, value, decision.params))
            if decision.verdict is not Verdict.ACCEPTED:
                worst[i] = severity
    if not s.submission.test:
        heads.write(
            connection,
            decided.new,
            decided.revised,
            dataset=s.plan.dataset.id,
            party=s.plan.party,
            submission_id=s.submission.id,
            now=now,
        )
    return decisions | stale


def _stale(
    connection: Connection, s: Storing, prepared: Prepared, findings: list[FindingRow], passing: Sequence[int]
) -> dict[int, Decision]:
    """Records of another hub whose revision is older than one that came before (promise 7): known, and not taken."""
    if s.submission.origin_id is not None:
        return _overtaken(connection, s, prepared, findings, passing, s.mapped_from or s.submission.origin_id)
    revisions = prepared.chunk.columns.get("cd_revision") if s.submission.kind == "parcel" else None
    if not passing or revisions is None:
        return {}
    candidates, position = prepared.candidates, prepared.position
    places = {i: (candidates.key_hash[position[i]], candidates.owner[position[i]]) for i in passing}
    newest = origins.look_up(connection, list(dict.fromkeys(key for key, _ in places.values())))
    held: dict[bytes, list[Head]] = {}
    result: dict[int, Decision] = {}
    for i, place in places.items():
        given = int(revisions[i]) if revisions[i].isdigit() else 0
        before = newest.get(place, 0)
        if given >= before:
            newest[place] = given
            continue
        held = held or heads.look_up(connection, list({key for key, _ in places.values()}))
        head = next((h for h in held.get(place[0], ()) if h.owner == place[1]), None)
        if head is None:
            continue
        twin = (head.submission_id, head.row_no)
        result[i] = Decision(Verdict.DUPLICATE, head.revision, head.operation, twin)
        params = {"found": str(given), "expected": str(before)}
        findings.append(FindingRow(i, "", "", prepared.chunk.places[i], OLDER, Severity.WARNING, "", params))
    if not s.submission.test:
        origins.write(connection, {place: newest[place] for i, place in places.items() if i not in result})
    return result


def _overtaken(
    connection: Connection,
    s: Storing,
    prepared: Prepared,
    findings: list[FindingRow],
    passing: Sequence[int],
    origin: UUID,
) -> dict[int, Decision]:
    """Records of a replay whose key was reported anew since they were handed over: the newer one stays.

    What an earlier replay of the same hand-over made, or an undoing took back, is not newer than its raw bytes, which
    are mapped as of today; but it is newer than what they were mapped to before.
    """
    candidates, position = prepared.candidates, prepared.position
    held = heads.look_up(connection, list({candidates.key_hash[position[i]] for i in passing})) if passing else {}
    newer = {head.submission_id for some in held.values() for head in some if head.submission_id.int > origin.int}
    told_by = submissions.origins_of(connection, newer) if s.mapped_from is None else {}
    result: dict[int, Decision] = {}
    for i in passing:
        owner, digest = candidates.owner[position[i]], candidates.digest[position[i]]
        head = next((h for h in held.get(candidates.key_hash[position[i]], ()) if h.owner == owner), None)
        if head is None or head.digest == digest:
            continue
        if told_by.get(head.submission_id, head.submission_id).int <= origin.int:
            continue
        result[i] = Decision(Verdict.DUPLICATE, head.revision, head.operation, (head.submission_id, head.row_no))
        params = {"found": "0", "expected": str(head.revision)}
        findings.append(FindingRow(i, "", "", prepared.chunk.places[i], OLDER, Severity.WARNING, "", params))
    return result


def _clash(s: Storing) -> Callable[[UUID, int, int], bool]:
    """Two rows of different files of one zip have no order between them."""
    members = s.members

    def member(row: int) -> str:
        found = ""
        for first, name in members:
            if first > row:
                break
            found = name
        return found

    def clash(_submission: UUID, row: int, own: int) -> bool:
        return len(members) > 1 and member(row) != member(own)

    return clash


def _verdicts(
    count: int, prepared: Prepared, worst: Sequence[Severity | None], decisions: Mapping[int, Decision]
) -> list[Verdict]:
    result = []
    for i in range(count):
        if worst[i] is Severity.ERROR:
            result.append(Verdict.REJECTED)
        elif worst[i] is Severity.HOLD:
            result.append(Verdict.HELD)
        else:
            result.append(decisions[i].verdict)
    return result


def _records(
    connection: Connection,
    s: Storing,
    prepared: Prepared,
    decisions: Mapping[int, Decision],
    verdicts: Sequence[Verdict],
    seq: int,
    first_row: int,
    now: datetime,
) -> None:
    chunk, candidates = prepared.chunk, prepared.candidates
    kept = any(v in _KEPT for v in verdicts)
    position = prepared.position
    nothing = Decision(Verdict.REJECTED, 0, "")
    chosen = [decisions.get(i, nothing) for i in range(chunk.count)]
    places = [position.get(i) for i in range(chunk.count)]
    sub = s.submission
    bulk.insert(
        connection,
        record,
        {
            "month": sub.month,
            "submission_id": sub.id,
            "row_no": list(range(first_row, first_row + chunk.count)),
            "chunk": seq,
            "idx": [p if kept else None for p in places],
            "place": chunk.places,
            "verdict": [str(v) for v in verdicts],
            "key_hash": [prepared.key_of(i)[0] for i in range(chunk.count)],
            "owner": [candidates.owner[p] if p is not None else "" for p in places],
            "cd_id": [candidates.cd_id[p] if p is not None else "" for p in places],
            "revision": [d.revision for d in chosen],
            "operation": [d.operation for d in chosen],
            "digest": [candidates.digest[p] if p is not None else None for p in places],
            "event_date": [candidates.event_date[p] if p is not None else "" for p in places],
            "twin_id": [d.twin[0] if d.twin else None for d in chosen],
            "twin_row": [d.twin[1] if d.twin else None for d in chosen],
        },
        chunk.count,
    )
    seal = s.plan.seal
    connection.execute(
        chunk_table.insert().values(
            month=sub.month,
            submission_id=sub.id,
            seq=seq,
            dataset=s.plan.dataset.id,
            dataset_version=s.plan.dataset.version,
            mapping=s.plan.mapping,
            first_row=first_row,
            count=chunk.count,
            member=chunk.member[:255],
            raw_offset=chunk.raw_offset,
            resume_from=sub.bookmark if seq == 0 else "",
            stored_at=now,
            key_ref=seal.key_ref,
            content=seal.close(prepared.content) if kept and prepared.content else None,
            common=seal.close(prepared.common) if kept and prepared.common else None,
        )
    )


def _findings(connection: Connection, s: Storing, findings: Sequence[FindingRow], first_row: int) -> int:
    room = max(0, s.findings_kept - s.findings_so_far)
    kept = sorted(findings, key=lambda f: f.row)[:room]
    numbers: Counter[int] = Counter()
    nos = []
    for f in kept:
        numbers[f.row] += 1
        nos.append(numbers[f.row])
    bulk.insert(
        connection,
        finding,
        {
            "month": s.submission.month,
            "submission_id": s.submission.id,
            "row_no": [first_row + f.row for f in kept],
            "no": nos,
            "party": s.plan.party,
            "dataset": s.plan.dataset.id,
            "element": [f.element for f in kept],
            "field": [f.field[:255] for f in kept],
            "place": [f.place for f in kept],
            "code": [f.code for f in kept],
            "severity": [str(f.severity) for f in kept],
            "value": [mask_text(f.value) for f in kept],
            "params": [_params(f.params) if f.params else "{}" for f in kept],
        },
        len(kept),
    )
    return len(findings)


def _cases(
    connection: Connection,
    s: Storing,
    prepared: Prepared,
    findings: Sequence[FindingRow],
    verdicts: Sequence[Verdict],
    decisions: Mapping[int, Decision],
    first_row: int,
    now: datetime,
) -> None:
    """What was rejected opens a case; what passed closes the one its key had."""
    first: dict[int, FindingRow] = {}
    for f in findings:
        if f.severity is Severity.ERROR:
            first.setdefault(f.row, f)
    openings = []
    for i, verdict in enumerate(verdicts):
        if verdict is not Verdict.REJECTED or _code(first.get(i)).startswith(_NOT_TAKEN):
            continue
        key, owner = prepared.key_of(i)
        why = first.get(i)
        openings.append(
            Opening(
                class_=CaseClass.WRONG,
                party=s.plan.party,
                code=_code(why),
                dataset=s.plan.dataset.id,
                owner=owner,
                key_hash=key,
                submission_id=s.submission.id,
                row_no=first_row + i,
                element=why.element if why else "",
                rule=why.params.get("rule", "") if why else "",
                pattern=pattern_of(why) if why else "",
            )
        )
    if openings:
        cases.open_many(connection, openings, s.due(now), now)
    good = [i for i, v in enumerate(verdicts) if v in (Verdict.ACCEPTED, Verdict.DUPLICATE)]
    if good:
        keys = []
        for i in good:
            key, owner = prepared.key_of(i)
            if key is not None:
                keys.append((key, owner, first_row + i))
        cases.passed(connection, keys, destination="", submission_id=s.submission.id, now=now)
        if any(verdicts[i] is Verdict.ACCEPTED and decisions[i].revision > 1 for i in good):
            cases.rereported(connection, [key for key, _owner, _row in keys])


def _params(params: Mapping[str, str]) -> str:
    """What a finding says beside its value, without numbers of persons."""
    return json.dumps({name: mask_text(value) for name, value in params.items()}, ensure_ascii=False)


def _code(why: FindingRow | None) -> str:
    return why.code if why is not None else ""


def pattern_of(why: FindingRow) -> str:
    """What a wrong value looks like; a code that nobody knows is asked about as it is."""
    if why.code in _ASKED:
        return mask_text(why.params.get("item") or why.value)[:80]
    return shape(why.value)


def _holds(
    connection: Connection,
    s: Storing,
    prepared: Prepared,
    findings: Sequence[FindingRow],
    verdicts: Sequence[Verdict],
    waits: Mapping[int, bytes],
    first_row: int,
    now: datetime,
) -> None:
    """What is held waits with a due time; an older hold of the same key gives way."""
    held = [i for i, v in enumerate(verdicts) if v is Verdict.HELD]
    codes = {f.row: f.code for f in reversed(findings) if f.severity is Severity.HOLD}
    # Who waits for a base is asked about first: only then is looked for the record it names.
    codes |= {f.row: f.code for f in findings if f.severity is Severity.HOLD and f.code in WAITS_FOR_BASE}
    touched = [
        i
        for i, v in enumerate(verdicts)
        if v is Verdict.ACCEPTED or (v is Verdict.HELD and not codes.get(i, "").startswith(_KEY_OF_OTHERS))
    ]
    keys = [key for i in touched if (key := prepared.key_of(i)[0]) is not None]
    if keys:
        holds.supersede(connection, keys, s.submission.id, now)
    if not held:
        return
    identities = [prepared.key_of(i) for i in held]
    bulk.insert(
        connection,
        hold,
        {
            "submission_id": s.submission.id,
            "row_no": [first_row + i for i in held],
            "key_hash": [key for key, _ in identities],
            "owner": [owner for _, owner in identities],
            "party": s.plan.party,
            "dataset": s.plan.dataset.id,
            "code": [codes.get(i, "") for i in held],
            "wait_for": [waits.get(i) for i in held],
            "opened_at": now,
            "due_at": now + s.hold_for,
        },
        len(held),
    )


def _take_answers(
    connection: Connection,
    s: Storing,
    prepared: Prepared,
    findings: list[FindingRow],
    worst: list[Severity | None],
    answers: Answers,
    passing: list[int],
    known: Mapping[bytes, list[Head]],
    now: datetime,
) -> list[int]:
    """Judge what is new among the answers to tasks; the indexes that still pass.  What is known already is no step."""
    answers.look_up(connection, prepared.columns, passing)
    of, position = prepared.candidates, prepared.position
    for i in passing:
        owners = [h.owner for h in known.get(of.key_hash[position[i]], ())]
        if owners and of.owner[position[i]] not in owners and answers.adopts(i):
            of.adopt(position[i], owners[0], cd_id_of(s.plan, prepared.columns, i, owners[0]))
    new = [i for i in passing if not _is_known(of, position[i], known)]
    refused = answers.judge(connection, prepared.columns, new, now)
    spots = Spots(s.plan, prepared.chunk)
    for row, value, why in refused:
        label, place = spots.of(why.element, row)
        findings.append(
            FindingRow(row, why.element, label, place, why.code, Severity.ERROR, mask_text(value)[:200], why.params)
        )
        worst[row] = Severity.ERROR
    gone = {one.row for one in refused}
    return [i for i in passing if i not in gone]


def _is_known(of: Candidates, position: int, known: Mapping[bytes, list[Head]]) -> bool:
    """True when the owner's newest revision says the same."""
    heads_ = known.get(of.key_hash[position], ())
    return any(h.owner == of.owner[position] and h.digest == of.digest[position] for h in heads_)


def _opened(s: Storing, prepared: Prepared, accepted: Sequence[int], first_row: int, now: datetime) -> list[Opened]:
    """What came from above or from a neighbour and must be answered."""
    found = openings(
        s.plan.tasks,
        prepared.columns,
        accepted,
        submission_id=s.submission.id,
        first_row=first_row,
        dataset=s.plan.dataset.id,
        party=s.plan.party,
        calendar=s.due.calendar,
        now=now,
    )
    return list(found)


def _subscribed(
    connection: Connection,
    s: Storing,
    prepared: Prepared,
    accepted: Sequence[int],
    further: dict[str, list[int]],
    now: datetime,
) -> None:
    """What subscriptions want goes to their destinations too."""
    found = grants.subscribed(connection, s.plan.dataset.id, now)
    wanted = subscribed_rows(
        found, s.plan.codes, s.plan.dataset, prepared.columns, accepted, lambda i: prepared.key_of(i)[1]
    )
    for way, rows in wanted.items():
        further[way] = sorted({*further.get(way, ()), *rows})


def _tasks(connection: Connection, s: Storing, opened: Sequence[Opened], now: datetime) -> None:
    """Write them; what nobody is responsible for is told loudly."""
    tasks.open_many(connection, [one.task for one in opened])
    tasks.open_steps(connection, [one.step for one in opened if one.step is not None])
    if pool := sum(1 for one in opened if not one.task.assignee):
        detail = {"tasks": len(opened), "nobody_responsible": pool}
        journal.append(connection, [journal.Entry("task_pool", s.owner, s.submission.id, None, detail)], now)
        log.warning("nobody is responsible for tasks", action="task_pool", receipt_no=s.submission.receipt_no, **detail)


def _deliveries(
    connection: Connection,
    s: Storing,
    prepared: Prepared,
    decisions: Mapping[int, Decision],
    accepted: Sequence[int],
    routes: Sequence[RouteTo],
    first_row: int,
    seq: int,
    now: datetime,
) -> list[StoredParcel]:
    """One delivery for each accepted record and destination; parcels of records that may go together."""
    if not accepted or not routes or s.submission.test:
        return []
    last_of_key: dict[tuple[bytes, str], int] = {}
    for i in accepted:
        p = prepared.position[i]
        last_of_key[(prepared.candidates.key_hash[p], prepared.candidates.owner[p])] = i
    newest = set(last_of_key.values())
    # An older revision of the same chunk is not in the ledger yet: its delivery is born superseded.
    twins = {twin: i for i in accepted if i in newest and (twin := decisions[i].twin) is not None}
    load = Load(
        submission_id=s.submission.id,
        lane=s.submission.lane,
        traceparent=tracing.current() or s.submission.traceparent,
        hops=s.submission.hops,
        dataset=s.plan.dataset.id,
        version=s.plan.dataset.version,
        chunk=seq,
        first_row=first_row,
        columns=prepared.columns,
        identity=lambda i: (prepared.key_of(i)[1], decisions[i].operation),
    )
    return route_records(connection, routes, load, accepted, newest, twins, now)


def _tally(
    connection: Connection,
    s: Storing,
    counts: Mapping[str, int],
    findings: Sequence[FindingRow],
    made: Sequence[StoredParcel],
    timely: Mapping[str, int],
    now: datetime,
) -> None:
    party, dataset = s.plan.party, s.plan.dataset.id
    sums: Counter[tallies.Key] = Counter({(party, dataset, "", name): n for name, n in {**counts, **timely}.items()})
    for f in findings:
        sums[(party, dataset, "", f"finding.{f.code}"[:40])] += 1
    for p in made:
        sums[(party, dataset, p.destination, "routed")] += p.count
    tallies.add(connection, sums, now)


def _timely(s: Storing, prepared: Prepared, told: Sequence[int]) -> dict[str, int]:
    """How soon accepted records came; what is repaired or replayed came when it came first."""
    if s.submission.kind not in ARRIVE:
        return {}
    days, position = prepared.candidates.event_date, prepared.position
    arrived = local(s.submission.received_at).date()
    return evaluated.counters((days[position[i]] for i in told), arrived, s.plan.dataset, s.due.calendar)


def _uses(connection: Connection, s: Storing, prepared: Prepared, told: Sequence[int]) -> frozenset[Use]:
    """Write down which items accepted behaviours use, those of this hand-over once."""
    candidates, position = prepared.candidates, prepared.position
    named = [column for name in evaluated.item_elements(s.plan.dataset) if (column := prepared.columns.get(name))]
    found = evaluated.uses(
        (candidates.owner[position[i]], candidates.event_date[position[i]], column[i]) for column in named for i in told
    )
    new = frozenset(found - s.uses)
    uses.add(connection, new)
    return new


def _journal(
    connection: Connection,
    s: Storing,
    prepared: Prepared,
    decisions: Mapping[int, Decision],
    counts: Mapping[str, int],
    seq: int,
    first_row: int,
    now: datetime,
) -> None:
    digests = b"".join(prepared.candidates.digest)
    entry = journal.Entry(
        "chunk_judged",
        s.owner,
        s.submission.id,
        None,
        {"chunk": seq, "first_row": first_row, "counts": dict(counts), "digest": sm3(digests).hex()},
    )
    journal.append(connection, [entry], now)
