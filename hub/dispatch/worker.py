"""Sending one parcel: claim, build, deliver, settle; and what happens when that fails.

The message only says "look at this parcel"; the ledger decides whether it is to be sent.  Whatever fails is written
down with its next time, so that the message is always done with.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Connection

from hub.broker.base import Message
from hub.canary.runner import canary_of
from hub.courtesy import MANY, courtesy
from hub.dispatch import settle as settling
from hub.dispatch.build import Line, build, lines_of
from hub.dispatch.contents import Contents
from hub.dispatch.doors import Doors
from hub.dispatch.enclosed import enclose
from hub.dispatch.fill import fill, looked_up
from hub.dispatch.retry import Decision, Next, after_failure
from hub.dispatch.settle import Settling
from hub.dispatch.withhold import going, withhold
from hub.generations import Generation, Generations
from hub.ledger import cases, destinations, numbers, parcels, submissions, tallies, timings
from hub.ledger.engine import Ledger
from hub.ledger.parcels import ANSWER_LOST, Claimed, StoredParcel
from hub.ledger.submissions import Submission
from hub.logs import kind_and_place
from hub.owners import is_dead
from hub.settings import Destination as DestinationSettings
from hub.sharing.zone import zone_for
from hub.vault import Seal
from standards import tracing
from standards.clock import SHANGHAI, Clock
from standards.digest import uuid7s
from standards.errors import BadConfiguration, BadSetup, HubError, LedgerBusy, SystemUnreachable
from standards.masks_in_text import mask_text
from standards.parcel import Answer, AnswerLine, Parcel, Result
from standards.ports import Destination
from standards.states import CaseClass, DestinationState, ParcelState

log = structlog.get_logger()

#: How often a success of a destination that was up anyway is written down.
_NOTE_SUCCESS = timedelta(seconds=5)


@dataclass(slots=True)
class Dispatcher:
    """Does the work of `deliver.*`.  Shared by the threads of a process."""

    ledger: Ledger
    generations: Generations
    doors: Doors
    clock: Clock
    seal: Seal
    settling: Settling
    owner: str
    wake: Callable[[], None] = lambda: None
    chance: Callable[[], float] = random.random
    #: Sends a canary (hub.canary).
    canary: Callable[[UUID], None] = lambda _identifier: None
    _noted: dict[str, datetime] = field(default_factory=dict)
    _in_hand: dict[UUID, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _contents: Contents = field(init=False)

    def __post_init__(self) -> None:
        self._contents = Contents(self.seal)

    def handle(self, message: Message) -> None:
        """A message of the broker: a parcel's id, or a canary."""
        canary = canary_of(message.body)
        if canary is not None:
            self.canary(canary)
            return
        self.dispatch(UUID(message.body.decode("ascii")), message.traceparent)

    def dispatch(self, parcel_id: UUID, traceparent: str = "") -> None:
        """Send a parcel if it is to be sent now.  Raises LedgerBusy only."""
        generation = self.generations.current()
        with self.ledger.read() as connection:
            stored = parcels.get(connection, parcel_id)
            if stored is None or not parcels.is_open(stored.state):
                return
            standing = destinations.get(connection, stored.destination)
            submission = submissions.get(connection, stored.submission_id)
        if submission is None:
            log.error("a parcel without its submission", action="orphan", parcel=str(parcel_id))
            return
        if not self._may_send(generation, stored, standing):
            self.ledger.write(lambda c: parcels.change(c, parcel_id, published_at=None))
            return
        try:
            door = self.doors.door(generation, stored.destination)
        except (HubError, ValueError) as error:
            problem = error if isinstance(error, HubError) else BadConfiguration(str(error)[:300])
            self._destination_failed(stored, problem, self.clock.now())
            return
        if door is None:
            problem = BadConfiguration(
                f"no destination {stored.destination} in the settings",
                what_zh=f"配置中没有投递目标 {stored.destination}",
            )
            self._destination_failed(stored, problem, self.clock.now())
            return
        provider = _provider(generation, submission)
        claimed = self._claim(generation, stored, provider)
        if claimed is not None:
            with self._lock:
                self._in_hand[parcel_id] = self.clock.now()
            words = {"parcel": str(parcel_id), "destination": stored.destination}
            parent = traceparent or stored.traceparent
            try:
                with tracing.span("dispatch parcel", parent, kind=tracing.Kind.CONSUMER, **words):
                    self._send(generation, claimed, submission, provider, *door)
            finally:
                with self._lock:
                    self._in_hand.pop(parcel_id, None)
                self.wake()

    def extend_leases(self) -> None:
        """Keep what is in hand; called now and then by the process."""
        with self._lock:
            held = list(self._in_hand)
        if held:
            until = self.clock.now() + self.generations.current().settings.workers.lease

            def work(connection: Connection) -> None:
                for identifier in held:
                    parcels.change(connection, identifier, self.owner, lease_until=until)

            self.ledger.write(work)

    # Whether

    def _may_send(self, generation: Generation, stored: StoredParcel, standing: destinations.Standing | None) -> bool:
        settings = generation.settings.destinations.get(stored.destination)
        if settings is not None and settings.paused:
            return False
        if standing is None or standing.state == DestinationState.UP:
            return True
        if standing.state == DestinationState.PAUSED:
            return False
        lease = generation.settings.workers.lease
        return self.ledger.write(lambda c: destinations.take_probe(c, stored.destination, self.clock.now(), lease))

    def _claim(self, generation: Generation, stored: StoredParcel, provider: str) -> Claimed | None:
        now = self.clock.now()
        dead = is_dead(stored.lease_owner)
        parcel_id = stored.id

        def work(connection: Connection) -> Claimed | None:
            claimed = parcels.claim(
                connection, parcel_id, self.owner, now, generation.settings.workers.lease, dead=dead
            )
            if claimed is None or claimed.parcel.batch:
                return claimed
            day = now.astimezone(SHANGHAI).strftime("%Y%m%d")
            running = numbers.take(connection, numbers.batches_of(provider), day, 1)
            batch = f"{day}{running:05}"
            parcels.change(connection, parcel_id, batch=batch)
            return replace(claimed, parcel=replace(claimed.parcel, batch=batch))

        return self.ledger.write(work)

    # Sending

    def _send(
        self,
        generation: Generation,
        claimed: Claimed,
        submission: Submission,
        provider: str,
        settings: DestinationSettings,
        door: Destination,
    ) -> None:
        stored = claimed.parcel
        started = self.clock.now()
        lines: list[Line] = []
        if stored.count > MANY:
            courtesy.give_way()
        try:
            dataset = generation.standard.dataset(stored.dataset, stored.dataset_version)
            with self.ledger.read() as connection:
                zone = zone_for(connection, generation, stored.destination, dataset, started)
                held = lines_of(connection, stored)
                kept = self._contents.of(connection, stored.submission_id, stored.chunk).lines
                lines = going(zone, held, kept.__getitem__)
                parcel = (
                    build(
                        connection,
                        stored,
                        lines,
                        submission,
                        origin=generation.settings.hub.name,
                        provider=provider,
                        contents=self._contents,
                        filled=fill(dataset, submission, self.settling.due),
                        fills=looked_up(connection, generation, stored, self.seal),
                        zone=zone,
                    )
                    if lines
                    else None
                )
            withhold(self.ledger, stored, held, lines)
            if parcel is None:
                self._superseded(stored, started)
                return
            parcel = enclose(self.ledger, generation, submission, dataset, parcel, self.clock.now())
            if stored.count > MANY:
                courtesy.give_way()
            answer = self._deliver(claimed, settings, door, parcel)
        except LedgerBusy:
            raise
        except HubError as error:
            self._failed(stored, settings, lines, error, started)
            return
        except Exception as error:
            log.exception("the adapter stumbled", action="adapter_error", destination=stored.destination)
            problem = BadSetup(
                f"the adapter {settings.adapter} stumbled: {kind_and_place(error)}",
                what_zh=f"适配器 {settings.adapter} 运行出错",
            )
            self._failed(stored, settings, lines, problem, started)
            return
        self._answered(stored, settings, submission, lines, answer, started)

    def _deliver(self, claimed: Claimed, settings: DestinationSettings, door: Destination, parcel: Parcel) -> Answer:
        """Hand it over, unless an earlier attempt may have arrived and a repeat could double."""
        if claimed.uncertain and settings.idempotent in ("none", "query"):
            there = door.stored(parcel) if settings.idempotent == "query" else None
            if there:
                return Answer(speaker=settings.party)
            if there is None:
                raise SystemUnreachable(
                    "an earlier attempt may have arrived", what_zh="上次投递可能已到达", answer_lost=True
                )
        here = tracing.current() or parcel.traceparent
        with tracing.span("deliver", here, kind=tracing.Kind.CLIENT, attempt=claimed.parcel.attempts):
            return door.deliver(parcel)

    def _superseded(self, stored: StoredParcel, started: datetime) -> None:
        """Nothing of it is to be sent any more."""
        now = self.clock.now()

        def work(connection: Connection) -> None:
            if parcels.end(connection, stored.id, ParcelState.SUPERSEDED, now):
                parcels.add_attempt(
                    connection, stored.id, stored.attempts, started=started, ended=now, outcome="superseded"
                )
                settling.ended(connection, self.settling, stored, ParcelState.SUPERSEDED, now)

        self.ledger.write(work)

    def _answered(
        self,
        stored: StoredParcel,
        settings: DestinationSettings,
        submission: Submission,
        lines: Sequence[Line],
        answer: Answer,
        started: datetime,
    ) -> None:
        now = self.clock.now()
        note_success = (
            now - self._noted.get(stored.destination, datetime.min.replace(tzinfo=now.tzinfo)) > _NOTE_SUCCESS
        )

        def work(connection: Connection) -> bool:
            recovered = destinations.succeeded(connection, stored.destination, now) if note_success else False
            if note_success:
                cases.mended(connection, destination=stored.destination, by=self.owner, now=now)
            outcome = "awaiting" if answer.awaiting else "answered"
            parcels.add_attempt(connection, stored.id, stored.attempts, started=started, ended=now, outcome=outcome)
            values = {"sent_at": stored.sent_at or now, "error_code": "", "error_text": ""}
            if answer.awaiting:
                parcels.change(
                    connection,
                    stored.id,
                    self.owner,
                    state=ParcelState.AWAITING,
                    due_at=now + settings.receipt_due,
                    lease_owner=None,
                    lease_until=None,
                    **values,
                )
            else:
                parcels.change(connection, stored.id, self.owner, **values)
                settling.settle(connection, self.settling, stored, submission, lines, answer, now)
            if recovered:
                self.settling.events.destination(connection, stored.destination, "up", "", now)
            return recovered

        with tracing.span("receipt", records=len(lines), refused=len(list(answer.refused()))):
            recovered = self.ledger.write(work, bulk=len(lines) > MANY)
        if note_success:
            self._noted[stored.destination] = now
        if recovered:
            log.info("destination answers again", action="destination_up", destination=stored.destination)

    # When it fails

    def _failed(
        self,
        stored: StoredParcel,
        settings: DestinationSettings,
        lines: Sequence[Line],
        error: HubError,
        started: datetime,
    ) -> None:
        now = self.clock.now()
        decision = after_failure(
            error,
            attempt=stored.attempts,
            count=len(lines),
            since=stored.resent_at or stored.created_at,
            now=now,
            retry=settings.retry,
            idempotent=settings.idempotent,
            chance=self.chance,
        )
        log.warning(
            "delivery failed",
            action=f"delivery_{decision.next}",
            destination=stored.destination,
            parcel=str(stored.id),
            attempt=stored.attempts,
            code=error.code,
            why=error.what,
        )
        if decision.probe_at is not None:
            self._noted.pop(stored.destination, None)

        def work(connection: Connection) -> None:
            lost = isinstance(error, SystemUnreachable) and error.answer_lost
            code = ANSWER_LOST if lost else error.code
            values = {"error_code": code, "error_text": mask_text(error.what_zh)[:500]}
            parcels.add_attempt(
                connection,
                stored.id,
                stored.attempts,
                started=started,
                ended=now,
                outcome=str(decision.next),
                code=code,
                detail=mask_text(error.what),
                next_at=decision.due_at,
            )
            tallies.add(connection, timings.failed(stored.destination, code), now)
            if decision.probe_at is not None:
                self._down(connection, stored, settings.party, error, decision, now)
            self._turn(connection, stored, settings, lines, error, decision, values, now)

        self.ledger.write(work)

    def _down(
        self,
        connection: Connection,
        stored: StoredParcel,
        party: str,
        error: HubError,
        decision: Decision,
        now: datetime,
    ) -> None:
        assert decision.probe_at is not None
        if destinations.failed(connection, stored.destination, error.what_zh, decision.probe_at, now):
            self.settling.events.destination(connection, stored.destination, "down", error.what, now)
        if decision.setup:
            settling.open_setup_case(
                connection, self.settling, stored.destination, party, error.code, error.what_zh, now
            )

    def _turn(
        self,
        connection: Connection,
        stored: StoredParcel,
        settings: DestinationSettings,
        lines: Sequence[Line],
        error: HubError,
        decision: Decision,
        values: dict[str, str],
        now: datetime,
    ) -> None:
        """The parcel's own fate."""
        match decision.next:
            case Next.AGAIN | Next.WITH_DESTINATION:
                parcels.change(
                    connection,
                    stored.id,
                    self.owner,
                    state=ParcelState.WAITING,
                    due_at=decision.due_at,
                    published_at=None,
                    lease_owner=None,
                    lease_until=None,
                    **values,
                )
            case Next.PARK | Next.IN_DOUBT:
                state = ParcelState.PARKED if decision.next is Next.PARK else ParcelState.IN_DOUBT
                class_ = CaseClass.SETUP if decision.next is Next.PARK else CaseClass.IN_DOUBT
                if parcels.end(connection, stored.id, state, now, **values):
                    settling.open_parcel_case(
                        connection, self.settling, stored, settings.party, class_, "90002", error.what_zh, now
                    )
                    self._leave(connection, stored, state, now)
            case Next.SPLIT:
                self._split(connection, stored, lines, values, now)
            case Next.REFUSED:
                submission = submissions.get(connection, stored.submission_id)
                assert submission is not None
                said = tuple(
                    AnswerLine(
                        cd_id=line.cd_id,
                        result=Result.REFUSED,
                        code=error.params.get("code", "90002"),
                        element=error.params.get("element", ""),
                        message=error.what_zh,
                    )
                    for line in lines
                )
                level = error.params.get("level", "")
                answer = Answer(lines=said, speaker=settings.party, level=level)
                settling.settle(connection, self.settling, stored, submission, lines, answer, now)

    def _leave(self, connection: Connection, stored: StoredParcel, state: ParcelState, now: datetime) -> None:
        """A parcel that waits for a person: an in-doubt one still stands in front of newer revisions."""
        if state is ParcelState.IN_DOUBT:
            submissions.end_parcels(connection, stored.submission_id, 1, 0, now)
            self.settling.events.delivered(connection, stored, str(state), now)
        else:
            settling.ended(connection, self.settling, stored, state, now)

    def _split(
        self,
        connection: Connection,
        stored: StoredParcel,
        lines: Sequence[Line],
        values: dict[str, str],
        now: datetime,
    ) -> None:
        """The receiver refused all of it without saying which: its halves are sent on their own.

        Where newer revisions wait behind it, the halves go one after the other and those behind the last.
        """
        if not parcels.end(connection, stored.id, ParcelState.SPLIT, now, **values):
            return
        middle = (len(lines) + 1) // 2
        halves = [part for part in (lines[:middle], lines[middle:]) if part]
        identifiers = uuid7s(len(halves))
        in_line = parcels.repoint(connection, stored.id, identifiers[-1]) > 0
        made = []
        for n, part in enumerate(halves):
            half = StoredParcel(
                id=identifiers[n],
                destination=stored.destination,
                direction=stored.direction,
                lane=stored.lane,
                dataset=stored.dataset,
                dataset_version=stored.dataset_version,
                submission_id=stored.submission_id,
                chunk=stored.chunk,
                first_row=part[0].row_no,
                last_row=part[-1].row_no,
                count=len(part),
                due_at=now,
                waits_for=identifiers[n - 1] if n and in_line else None,
                created_at=stored.created_at,
                hops=stored.hops,
                traceparent=stored.traceparent,
            )
            made.append(half)
        parcels.add(connection, made)
        for half, part in zip(made, halves, strict=True):
            parcels.move_deliveries(connection, stored, [line.row_no for line in part], half.id)
        settling.publish(connection, [half for half in made if half.waits_for is None], now)
        settling.ended(connection, self.settling, stored, ParcelState.SPLIT, now, added=len(made))

    def _destination_failed(self, stored: StoredParcel, error: HubError, now: datetime) -> None:
        """The destination cannot even be opened: the operator must act, its parcels wait."""

        def work(connection: Connection) -> None:
            probe_at = now + timedelta(seconds=30)
            if destinations.failed(connection, stored.destination, error.what_zh, probe_at, now):
                self.settling.events.destination(connection, stored.destination, "down", error.what, now)
            settling.open_setup_case(connection, self.settling, stored.destination, "", error.code, error.what_zh, now)
            parcels.change(connection, stored.id, published_at=None)

        self.ledger.write(work)


def _provider(generation: Generation, submission: Submission) -> str:
    """Credit code of the party whose records a parcel holds."""
    party = generation.settings.parties.get(submission.party)
    return party.code if party is not None else generation.settings.hub.code
