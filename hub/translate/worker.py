"""Translating one submission: claim, read on behind the last stored chunk, map and judge, store, finish.

Mapping runs in this thread while the chunk before is written in another; chunks are written in their order.
A crash at any point leaves whole chunks: the next worker reads on behind them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, func, select

from adapters.formats import open_records
from adapters.formats.base import LegacyChunk, Note, Reading
from hub.broker.base import Message
from hub.canary.runner import canary_of
from hub.courtesy import MANY, courtesy
from hub.deadlines import Deadlines
from hub.events import Events
from hub.field_notes import field_notes
from hub.generations import Generation, Generations
from hub.ledger import bulk, cases, journal, receipts, replays, submissions, tallies, timings
from hub.ledger.cases import Opening
from hub.ledger.engine import Ledger
from hub.ledger.replays import Stage
from hub.ledger.submissions import Submission
from hub.ledger.tables import chunk as chunk_table
from hub.ledger.tables import finding
from hub.lookups import Desk
from hub.payload import LedgerPayload
from hub.plan import Plan
from hub.plans import Plans
from hub.repair import Repair
from hub.translate.chosen import chosen, mended
from hub.translate.consult import Ask
from hub.translate.mapped import as_mapped, chunks_of
from hub.translate.prepare import Prepared, prepare
from hub.translate.store import LostLease, Stored, Storing, store
from hub.vault import Seal
from standards import tracing
from standards.clock import Clock, local
from standards.errors import BadSetup, HubError, PayloadTooLarge, UnreadablePayload
from standards.masks_in_text import mask_text
from standards.states import CaseClass, SubmissionState

log = structlog.get_logger()

#: A stalled submission is tried again after so long; under a new generation at once.
_STALLED = timedelta(minutes=5)


@dataclass(slots=True)
class Translator:
    """Does the work of `work.translate.*`.  One for each thread."""

    ledger: Ledger
    generations: Generations
    plans: Plans
    clock: Clock
    seal: Seal
    events: Events
    owner: str
    due: Deadlines
    desk: Desk
    wake: Callable[[], None] = lambda: None
    #: Judges a canary (hub.canary).
    canary: Callable[[UUID], None] = lambda _identifier: None
    _writer: ThreadPoolExecutor | None = field(default=None, init=False)

    def handle(self, message: Message) -> None:
        """A message of the broker: the id of a submission, or a canary."""
        canary = canary_of(message.body)
        if canary is not None:
            self.canary(canary)
            return
        self.translate(UUID(message.body.decode("ascii")), message.traceparent)

    def close(self) -> None:
        """End the writing thread."""
        if self._writer is not None:
            self._writer.shutdown()

    def translate(self, submission_id: UUID, traceparent: str = "") -> None:
        """Bring a submission from received to judged.  Does nothing when it is judged or somebody is at it."""
        current = self.generations.current()
        lease = current.settings.workers.lease
        submission = self.ledger.write(
            lambda c: submissions.claim(c, submission_id, self.owner, self.clock.now(), lease, current.number)
        )
        if submission is None:
            return
        parent = traceparent or submission.traceparent
        words = {"receipt_no": submission.receipt_no, "connection": submission.connection}
        with tracing.span("translate", parent, kind=tracing.Kind.CONSUMER, **words):
            self._translate(submission, current, lease)

    def _translate(self, submission: Submission, current: Generation, lease: timedelta) -> None:
        try:
            # A submission is translated under one generation, from its first chunk to its last.
            generation = current if submission.generation == current.number else self._generation_of(submission)
            plan = self.plans.plan(generation, submission.connection, submission.dataset)
            _Run(self, submission, generation, plan, lease).run()
        except LostLease:
            log.info("submission taken over", action="lost_lease", receipt_no=submission.receipt_no)
        except BadSetup as error:
            self._stall(submission, error)

    def _generation_of(self, submission: Submission) -> Generation:
        assert submission.generation is not None, "given when it was claimed"
        return self.generations.get(submission.generation)

    def _stall(self, submission: Submission, error: HubError) -> None:
        """The operator must mend something; a new generation brings it back at once, time as well."""
        log.warning(
            "submission stalled", action="stalled", receipt_no=submission.receipt_no, code=error.code, why=error.what
        )
        now = self.clock.now()

        def work(connection: Connection) -> None:
            changed = submissions.change(
                connection,
                submission.id,
                self.owner,
                state=SubmissionState.STALLED,
                problem=error.code,
                problem_detail=json.dumps(words_of(error), ensure_ascii=False),
                lease_owner=None,
                lease_until=None,
                due_at=now + _STALLED,
            )
            if changed and not cases.setup_is_open(connection, submission_id=submission.id):
                opening = Opening(
                    class_=CaseClass.SETUP,
                    party="",
                    code=error.code,
                    dataset=submission.dataset,
                    submission_id=submission.id,
                    note=error.what[:500],
                )
                cases.open_many(connection, [opening], self.due(now), now)

        self.ledger.write(work)

    def writer(self) -> ThreadPoolExecutor:
        """The thread that writes a chunk while the next one is mapped."""
        if self._writer is None:
            self._writer = ThreadPoolExecutor(1, f"{self.owner}-writer")
        return self._writer


def words_of(error: HubError) -> dict[str, str]:
    """An error in both languages, for the ledger."""
    return {
        "code": error.code,
        "what": error.what,
        "what_zh": error.what_zh,
        "hint": error.hint or "",
        "hint_zh": error.hint_zh or "",
    }


class _Run:
    """One submission under way."""

    def __init__(
        self, translator: Translator, submission: Submission, generation: Generation, plan: Plan, lease: timedelta
    ) -> None:
        self.t = translator
        self.submission = submission
        self.plan = plan
        self.generation = generation
        self.reading = Reading()
        self.undo = False
        self.ask: Ask = partial(translator.desk.find, generation)
        settings = generation.settings
        self.storing = Storing(
            submission=submission,
            plan=plan,
            owner=translator.owner,
            lease=lease,
            due=translator.due,
            hold_for=settings.cases.hold,
            findings_kept=settings.limits.findings,
        )
        self.first_row = submission.read + 1
        self.seq = submission.chunks
        self.unknown_fields: dict[str, None] = {}
        self.seen_fields: dict[str, None] = {}
        self._pending: Future[Stored] | None = None
        self._last: Callable[[Connection], Stored] | None = None
        self._last_count = 0

    def run(self) -> None:
        if self.seq:
            self._look_back()
        problem: HubError | None = None
        try:
            self._chunks()
        except (UnreadablePayload, PayloadTooLarge) as error:
            problem = error
        finally:
            self._wait()
        self._finish(problem)

    def _look_back(self) -> None:
        """What the chunks before a crash had told: which zip members they came from, how many findings are kept."""
        with self.t.ledger.read() as connection:
            month, identifier = self.submission.month, self.submission.id
            rows = connection.execute(
                select(chunk_table.c.first_row, chunk_table.c.member)
                .where(chunk_table.c.month == month, chunk_table.c.submission_id == identifier)
                .order_by(chunk_table.c.seq)
            ).all()
            self.storing.members = [(r[0], r[1]) for r in rows]
            self.storing.findings_so_far = connection.execute(
                select(func.count()).where(finding.c.month == month, finding.c.submission_id == identifier)
            ).scalar_one()

    def _chunks(self) -> None:
        if self.submission.origin_id is not None:
            chunks = self._replayed(self.submission.origin_id)
        else:
            payload = LedgerPayload(self.t.ledger, self.submission, self.t.seal)
            resume = json.loads(self.submission.bookmark) if self.submission.bookmark else None
            self.reading, chunks = open_records(payload, self.plan.read, resume)
        today = local(self.t.clock.now()).date().isoformat()
        for chunk, last in _with_last(chunks):
            self._note_fields(chunk)
            if chunk.count > MANY:
                courtesy.give_way()
            with tracing.span("translate chunk", chunk=self.seq, records=chunk.count):
                prepared = prepare(self.plan, chunk, self.first_row, today, self.ask, undo=self.undo)
                write = self._writing(prepared)
            self.unknown_fields.update(dict.fromkeys(prepared.unknown_fields))
            self._wait()
            if last:
                self._last, self._last_count = write, chunk.count
            else:
                self._pending = self.t.writer().submit(self.t.ledger.write, write, bulk=True)

    def _replayed(self, origin: UUID) -> Iterator[LegacyChunk]:
        """The chosen records of the hand-over that is replayed, without the chunks that were stored before a crash."""
        with self.t.ledger.read() as connection:
            taken = replays.taken_by(connection, self.submission.id)
        repair = Repair.read(taken.repair)
        self.undo = repair.undo
        if taken.stage is Stage.MAPPED:
            self.plan = self.storing.plan = as_mapped(self.generation, self.plan)
            self.storing.mapped_from = taken.source_id
            found = chunks_of(self.t.ledger, self.t.seal, taken.source_id, taken.rows)
            return mended(found, Repair(), self.plan, self.ask, self.seq)
        payload = LedgerPayload(self.t.ledger, replace(self.submission, id=origin), self.t.seal)
        self.reading, chunks = open_records(payload, self.plan.read, None)
        return mended(chosen(chunks, taken.rows), repair, self.plan, self.ask, self.seq)

    def _note_fields(self, chunk: LegacyChunk) -> None:
        self.seen_fields.update(dict.fromkeys(chunk.fields))
        members = self.storing.members
        if not members or members[-1][1] != chunk.member:
            members.append((self.first_row, chunk.member))

    def _writing(self, prepared: Prepared) -> Callable[[Connection], Stored]:
        """What stores a chunk.

        It runs behind our back while the next chunk is mapped; the last one is stored as the submission is finished.
        """
        seq, first_row, here = self.seq, self.first_row, tracing.current()
        self.seq += 1
        self.first_row += prepared.chunk.count

        def write(connection: Connection) -> Stored:
            with tracing.span("store chunk", here, chunk=seq, records=prepared.chunk.count):
                return store(connection, self.storing, prepared, seq, first_row, self.t.clock.now())

        return write

    def _wait(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            self._settle_stored(pending.result())

    def _settle_stored(self, stored: Stored) -> None:
        self.storing.findings_so_far += stored.findings
        self.storing.uses |= stored.uses
        if stored.parcels:
            self.t.wake()

    def _finish(self, problem: HubError | None) -> None:
        """Every record has a verdict: judged."""
        now = self.t.clock.now()
        submission, plan = self.submission, self.plan
        notes = [*self.reading.notes, *(self._field_notes() if problem is None else ())]

        def work(connection: Connection) -> Submission:
            if self._last is not None:
                self._last(connection)
            values: dict[str, Any] = {
                "state": SubmissionState.JUDGED,
                "judged_at": now,
                "version": submission.version + 1,
                "format": self.reading.format,
                "encoding": self.reading.encoding,
                "decoded_by": self.reading.decoded_by,
                "lease_owner": None,
                "lease_until": None,
                "due_at": None,
            }
            if problem is not None:
                values |= {"problem": problem.code, "problem_detail": json.dumps(words_of(problem), ensure_ascii=False)}
            if not submissions.change(connection, submission.id, self.t.owner, **values):
                raise LostLease
            self._write_notes(connection, notes)
            if problem is not None:
                self._open_problem_case(connection, problem)
            cases.mended(connection, submission_id=submission.id, by=self.t.owner, now=now)
            submissions.settle(connection, submission.id, now)
            judged = submissions.get(connection, submission.id)
            assert judged is not None
            receipts.add_own(connection, judged, self.t.generations.current().settings.hub, now)
            if not submission.test and submission.origin_id is None:
                took = timings.took(timings.JUDGED, now - submission.received_at, dataset=submission.dataset)
                tallies.add(connection, took, now)
            counts = {n: getattr(judged, n) for n in ("read", "accepted", "rejected", "held", "duplicate")}
            journal.append(
                connection, [journal.Entry("judged", self.t.owner, submission.id, None, {"counts": counts})], now
            )
            self.t.events.judged(connection, judged, now)
            return judged

        judged = self.t.ledger.write(work, bulk=self._last_count > MANY)
        log.info(
            "submission judged",
            action="judged",
            receipt_no=judged.receipt_no,
            connection=judged.connection,
            read=judged.read,
            accepted=judged.accepted,
            rejected=judged.rejected,
            held=judged.held,
            duplicate=judged.duplicate,
            mapping=plan.mapping,
        )
        self.t.wake()

    def _field_notes(self) -> list[Note]:
        """Columns nobody knows, and columns the mapping wants that are not there."""
        records = self.first_row - 1
        if not records and (self.reading.notes or self.submission.origin_id is not None):
            return []
        return field_notes(self.plan, tuple(self.seen_fields), tuple(self.unknown_fields), self.reading.format, records)

    def _write_notes(self, connection: Connection, notes: list[Note]) -> None:
        submission, plan = self.submission, self.plan
        bulk.insert(
            connection,
            finding,
            {
                "month": submission.month,
                "submission_id": submission.id,
                "row_no": 0,
                "no": list(range(1, len(notes) + 1)),
                "party": plan.party,
                "dataset": plan.dataset.id,
                "element": [n.params.get("element", "") for n in notes],
                "field": [n.value[:255] for n in notes],
                "place": [n.place for n in notes],
                "code": [n.code for n in notes],
                "severity": [str(plan.severity(n.code, "")) for n in notes],
                "value": [mask_text(n.value)[:200] for n in notes],
                "params": [
                    json.dumps({k: mask_text(v) for k, v in n.params.items()}, ensure_ascii=False) for n in notes
                ],
            },
            len(notes),
        )

    def _open_problem_case(self, connection: Connection, problem: HubError) -> None:
        """A hand-over that cannot be read is 报送错误 of its sender, without a record to hang it on."""
        if self.submission.test:
            return
        now = self.t.clock.now()
        opening = Opening(
            class_=CaseClass.WRONG,
            party=self.plan.party,
            code="10009.unreadable" if problem.code == UnreadablePayload.code else "10003",
            dataset=self.plan.dataset.id,
            owner=self.plan.owner,
            submission_id=self.submission.id,
            note=problem.what_zh[:500],
        )
        cases.open_many(connection, [opening], self.t.due(now), now)


def _with_last(chunks: Iterator[LegacyChunk]) -> Iterator[tuple[LegacyChunk, bool]]:
    """Each chunk with True beside the last one; an error behind a chunk is raised when that chunk is done."""
    held = next(chunks, None)
    while held is not None:
        following, problem = None, None
        try:
            following = next(chunks, None)
        except HubError as error:
            problem = error
        yield held, following is None
        if problem is not None:
            raise problem
        held = following
