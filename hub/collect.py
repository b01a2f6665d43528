"""Late verdicts: destinations that take parcels now and judge later are asked again and again."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Connection

from adapters import registry
from hub.canary.runner import Canaries
from hub.dispatch import settle as settling
from hub.dispatch.build import Line, lines_of
from hub.dispatch.doors import Doors
from hub.dispatch.settle import Settling
from hub.generations import Generation, Generations
from hub.ledger import destinations, leases, parcels, submissions
from hub.ledger.engine import Ledger
from hub.ledger.memory import Memory
from hub.ledger.parcels import StoredParcel
from hub.settings import Destination as DestinationSettings
from standards import tracing
from standards.clock import Clock
from standards.errors import HubError, LedgerBusy
from standards.parcel import Answer
from standards.ports import Awaited, Follows, Later
from standards.states import ENDED, CaseClass, ParcelState

log = structlog.get_logger()

_BATCH = 200
_LEASE = timedelta(seconds=60)
#: Between two questions for what higher levels said, and after a question that was not answered.
_FOLLOW = timedelta(seconds=2)
_FOLLOW_LATER = timedelta(seconds=20)


@dataclass(slots=True)
class Collector:
    """One thread that asks every destination with awaited parcels for their verdicts."""

    ledger: Ledger
    generations: Generations
    doors: Doors
    clock: Clock
    settling: Settling
    owner: str
    every: timedelta = timedelta(seconds=1)
    canaries: Canaries | None = None
    _asked: dict[str, datetime] = field(default_factory=dict, init=False)
    _following: tuple[int, list[str]] | None = field(default=None, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(60)

    def _run(self) -> None:
        while not self._stop.is_set():
            done = 0
            try:
                done = self.tick()
            except LedgerBusy as error:
                log.warning("the ledger does not answer", action="collector_waits", why=error.what)
            self._stop.wait(0.05 if done else self.every.total_seconds())

    def tick(self) -> int:
        """Ask each destination once; how many verdicts came."""
        generation = self.generations.current()
        done = 0
        for name in generation.settings.destinations:
            with self.ledger.read() as connection:
                waiting = parcels.awaiting(connection, name, _BATCH)
                tests = self.canaries.awaited(connection, name) if self.canaries is not None else []
            if not waiting and not tests:
                continue
            if self._mine(name):
                done += self._collect(generation, name, waiting, tests)
        return done + self._follow_all(generation)

    def _follow_all(self, generation: Generation) -> int:
        """Ask the destinations through which higher levels speak what those said."""
        now = self.clock.now()
        done = 0
        for name in self._followers(generation):
            if now < self._asked.get(name, now) or not self._mine(name):
                continue
            self._asked[name] = now + _FOLLOW
            try:
                done += self._follow(generation, name)
            except LedgerBusy:
                raise
            except HubError as error:
                self._asked[name] = now + _FOLLOW_LATER
                log.warning("no news", action="follow_failed", destination=name, code=error.code, why=error.what)
            except Exception:
                self._asked[name] = now + _FOLLOW_LATER
                log.exception("the adapter stumbled", action="adapter_error", destination=name)
        return done

    def _followers(self, generation: Generation) -> list[str]:
        if self._following is None or self._following[0] != generation.number:
            names = [
                name
                for name, settings in generation.settings.destinations.items()
                if registry.load(settings.adapter).follows
            ]
            self._following = (generation.number, names)
        return self._following[1]

    def _follow(self, generation: Generation, name: str) -> int:
        door = self.doors.door(generation, name)
        if door is None or not isinstance(door[1], Follows):
            return 0
        memory = Memory(self.ledger, self.clock, f"news:{name}")
        before = memory.recall("cursor") or ""
        found, cursor = door[1].follow(before)
        done = 0
        for start in range(0, len(found), _BATCH):
            part = found[start : start + _BATCH]
            done += self.ledger.write(lambda c, part=part: self._heard(c, name, part))  # type: ignore[misc]
        if cursor != before:
            memory.remember("cursor", cursor)
        return done

    def _heard(self, connection: Connection, name: str, news: list[Later]) -> int:
        now = self.clock.now()
        done = 0
        for one in news:
            stored = parcels.get(connection, one.parcel_id)
            submission = submissions.get(connection, stored.submission_id) if stored is not None else None
            if stored is None or submission is None or stored.destination != name:
                continue
            lines = lines_of(connection, stored)
            with tracing.span("later receipt", stored.traceparent, level=one.answer.level):
                done += settling.settle_later(connection, self.settling, stored, submission, lines, one, now)
        return done

    def _mine(self, name: str) -> bool:
        now = self.clock.now()
        return self.ledger.write(lambda c: leases.take(c, f"collect:{name}", self.owner, now, _LEASE))

    def _collect(self, generation: Generation, name: str, waiting: list[StoredParcel], tests: list[Awaited]) -> int:
        held: dict[object, tuple[StoredParcel, list[Line]]] = {}
        with self.ledger.read() as connection:
            for stored in waiting:
                held[stored.id] = (stored, lines_of(connection, stored))
        awaited = [
            Awaited(
                parcel_id=stored.id,
                dataset=stored.dataset,
                batch=stored.batch,
                sent_at=stored.sent_at or stored.created_at,
                cd_ids=[line.cd_id for line in lines],
            )
            for stored, lines in held.values()
        ]
        awaited += tests
        of_tests = {one.parcel_id for one in tests}
        done: set[object] = set()
        try:
            door = self.doors.door(generation, name)
            if door is None:
                return 0
            settings, adapter = door
            for parcel_id, answer in adapter.collect(awaited):
                if answer.awaiting or parcel_id in done:
                    continue
                if parcel_id in of_tests and self.canaries is not None:
                    self.canaries.answered(parcel_id, answer)
                elif parcel_id in held:
                    done.add(parcel_id)
                    self._settle(*held[parcel_id], answer)
                elif self._settle_unasked(name, parcel_id, answer):
                    done.add(parcel_id)
            self._overdue([p for p, _ in held.values() if p.id not in done], settings)
        except LedgerBusy:
            raise
        except HubError as error:
            log.warning("no verdicts", action="collect_failed", destination=name, code=error.code, why=error.what)
            if waiting:  # a canary alone changes nothing for data
                self._note_failure(name, error)
        except Exception:
            log.exception("the adapter stumbled", action="adapter_error", destination=name)
        return len(done)

    def _note_failure(self, name: str, error: HubError) -> None:
        now = self.clock.now()
        probe_at = now + self.generations.current().settings.destinations[name].retry.probe
        self.ledger.write(lambda c: destinations.failed(c, name, error.what_zh, probe_at, now))

    def _settle(self, stored: StoredParcel, lines: list[Line], answer: Answer) -> None:
        now = self.clock.now()

        def work(connection: Connection) -> None:
            submission = submissions.get(connection, stored.submission_id)
            if submission is not None:
                settling.settle(connection, self.settling, stored, submission, lines, answer, now)

        with tracing.span("receipt", stored.traceparent, records=len(lines), refused=len(list(answer.refused()))):
            self.ledger.write(work)

    def _settle_unasked(self, name: str, parcel_id: UUID, answer: Answer) -> bool:
        """An answer that came by itself: not among the oldest, or faster than the sending could be written down."""
        with self.ledger.read() as connection:
            stored = parcels.get(connection, parcel_id)
            if stored is None or stored.destination != name or ParcelState(stored.state) in ENDED:
                log.info("an answer nobody waits for", action="answer_odd", destination=name, parcel=str(parcel_id))
                return False
            lines = lines_of(connection, stored)
        self._settle(stored, lines, answer)
        return True

    def _overdue(self, waiting: list[StoredParcel], settings: DestinationSettings) -> None:
        """A receipt that does not come: sent again where a repeat cannot double, else a person decides."""
        now = self.clock.now()
        late = [p for p in waiting if p.due_at is not None and p.due_at <= now]

        def work(connection: Connection) -> None:
            for stored in late:
                what = "超过期限未收到回执"
                settling.open_parcel_case(
                    connection, self.settling, stored, settings.party, CaseClass.INCONSISTENT, "90003", what, now
                )
                if settings.idempotent in ("none", "query"):
                    if parcels.end(connection, stored.id, ParcelState.IN_DOUBT, now, error_code="90003"):
                        submissions.end_parcels(connection, stored.submission_id, 1, 0, now)
                else:
                    parcels.change(
                        connection,
                        stored.id,
                        state=ParcelState.WAITING,
                        due_at=now,
                        published_at=None,
                        error_code="90003",
                        error_text=what,
                    )

        if late:
            self.ledger.write(work)
