"""What must be looked after by one process only: the elected scheduler, a thread with a lease.

It never does the work itself: it finds what should be under way and is not, and puts a message into the outbox.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, select, update

from hub.broker import topology
from hub.broker.base import Broker
from hub.dispatch.settle import publish
from hub.generations import Generations
from hub.ledger import destinations, leases, migrate, outbox, parcels, submissions, tallies
from hub.ledger.engine import Ledger
from hub.ledger.outbox import Outgoing
from hub.ledger.tables import parcel, submission
from hub.owners import is_dead
from standards.clock import Clock
from standards.errors import HubError, LedgerBusy
from standards.states import DestinationState, ParcelState, SubmissionState

log = structlog.get_logger()

_LEASE = timedelta(seconds=15)
_BATCH = 500


@dataclass(slots=True)
class Job:
    """Something to look after, and how often."""

    name: str
    every: timedelta
    run: Callable[[], int]
    due_at: datetime | None = None


@dataclass(slots=True)
class Scheduler:
    """Runs jobs while it holds the lease."""

    ledger: Ledger
    broker: Broker
    generations: Generations
    clock: Clock
    owner: str
    extra: list[Job] = field(default_factory=list)
    _jobs: list[Job] = field(default_factory=list, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin; other processes may run one too, only the elected acts."""
        self._jobs = [
            Job("free the dead", timedelta(seconds=2), self.free_the_dead),
            Job("submissions", timedelta(seconds=1), self.publish_submissions),
            Job("parcels", timedelta(seconds=0.5), self.publish_parcels),
            Job("probes", timedelta(seconds=0.5), self.publish_probes),
            Job("tallies", timedelta(minutes=1), self.fold_tallies),
            Job("partitions", timedelta(hours=6), self.make_partitions),
            *self.extra,
        ]
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and let another process be elected at once."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(30)
            try:
                self.ledger.write(lambda c: leases.give_back(c, "scheduler", self.owner))
            except LedgerBusy:
                log.debug("the lease runs out by itself", action="lease_runs_out")

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._elected():
                    self.tick()
            except LedgerBusy as error:
                log.warning("the ledger does not answer", action="scheduler_waits", why=error.what)
                self._stop.wait(1)
            self._stop.wait(0.25)

    def _elected(self) -> bool:
        now = self.clock.now()
        return self.ledger.write(lambda c: leases.take(c, "scheduler", self.owner, now, _LEASE))

    def tick(self) -> int:
        """Run every job that is due; how many things were done."""
        done = 0
        for job in self._jobs:
            now = self.clock.now()
            if job.due_at is not None and now < job.due_at:
                continue
            job.due_at = now + job.every
            try:
                count = job.run()
            except LedgerBusy:
                raise
            except HubError as error:
                log.warning("a job could not be done", action="job_failed", job=job.name, why=error.what)
                continue
            except Exception:
                log.exception("a job stumbled", action="job_error", job=job.name)
                continue
            done += count
            if count:
                self.broker.wake()
        return done

    # Jobs

    def free_the_dead(self) -> int:
        """Leases of processes of this host that are no more end at once."""
        now = self.clock.now()
        freed = 0
        with self.ledger.read() as connection:
            holders = set(
                connection.execute(
                    select(parcel.c.lease_owner)
                    .where(parcel.c.state == ParcelState.SENDING, parcel.c.ended_at.is_(None))
                    .distinct()
                ).scalars()
            ) | set(
                connection.execute(
                    select(submission.c.lease_owner)
                    .where(submissions.UNFINISHED, submission.c.state == SubmissionState.TRANSLATING)
                    .distinct()
                ).scalars()
            )
            messages = [holder for holder in outbox.holders(connection, now) if is_dead(holder)]
        dead = [holder for holder in holders if is_dead(holder)]
        for holder in dead:
            log.warning("taking over from a dead worker", action="take_over", owner=holder)

            def work(connection: Connection, holder: str | None = holder) -> int:
                count = connection.execute(
                    update(parcel)
                    .where(
                        parcel.c.state == ParcelState.SENDING,
                        parcel.c.ended_at.is_(None),
                        parcel.c.lease_owner == holder,
                    )
                    .values(lease_until=now)
                ).rowcount
                return (
                    count
                    + connection.execute(
                        update(submission)
                        .where(
                            submissions.UNFINISHED,
                            submission.c.state == SubmissionState.TRANSLATING,
                            submission.c.lease_owner == holder,
                        )
                        .values(lease_until=now, due_at=now)
                    ).rowcount
                )

            freed += self.ledger.write(work)
        if messages:
            freed += self.ledger.write(lambda c: outbox.free(c, messages, now))
        return freed

    def publish_submissions(self) -> int:
        """Submissions nobody is at get a new message, unless theirs is still in the outbox or a queue."""
        now = self.clock.now()
        current = self.generations.current()
        wait = timedelta(seconds=current.settings.republish)
        with self.ledger.read() as connection:
            late = submissions.overdue(connection, now, _BATCH, current.number)
            there = outbox.message_ids(connection, [identifier for identifier, _ in late]) if late else set()
        if not late:
            return 0
        empty = {lane: self.broker.depth(topology.translate(lane).queue) == 0 for lane in {lane for _, lane in late}}
        again = [(i, lane) for i, lane in late if str(i) not in there and empty[lane]]

        def work(connection: Connection) -> None:
            messages = [Outgoing(topology.translate(lane), str(i), str(i).encode("ascii")) for i, lane in again]
            outbox.put(connection, messages, now)
            submissions.postpone(connection, [i for i, _ in late], now + wait)

        self.ledger.write(work)
        return len(again)

    def publish_parcels(self) -> int:
        """Parcels that are due and that nobody has a message of."""
        now = self.clock.now()
        settings = self.generations.current().settings
        unheard = now - timedelta(seconds=settings.republish)

        def work(connection: Connection) -> int:
            blocked = self._blocked(connection)
            found = parcels.due(connection, now, unheard, _BATCH, blocked)
            lost = [p for p in found if p.published_at is not None and p.state == ParcelState.WAITING]
            if lost:
                there = outbox.message_ids(connection, [p.id for p in lost])
                still = {p.id for p in lost if str(p.id) in there or not self._drained(p.destination, p.lane)}
                parcels.published(connection, list(still), now)
                found = [p for p in found if p.id not in still]
            publish(connection, found, now)
            return len(found)

        return self.ledger.write(work)

    def _drained(self, destination: str, lane: str) -> bool:
        """True when a destination's queue is empty: what it should hold was lost."""
        return self.broker.depth(f"deliver.{destination}.{lane}") == 0

    def _blocked(self, connection: Connection) -> list[str]:
        down = [
            name for name, standing in destinations.every(connection).items() if standing.state != DestinationState.UP
        ]
        configured = self.generations.current().settings.destinations
        return [*down, *(name for name, d in configured.items() if d.paused and name not in down)]

    def publish_probes(self) -> int:
        """One parcel, the oldest, to each destination that is down and may be tried again."""
        now = self.clock.now()
        with self.ledger.read() as connection:
            probes = [
                name
                for name, standing in destinations.every(connection).items()
                if standing.state == DestinationState.DOWN
                and standing.probe_at is not None
                and standing.probe_at <= now
            ]
        configured = self.generations.current().settings.destinations
        probes = [name for name in probes if name not in configured or not configured[name].paused]

        def work(connection: Connection) -> int:
            count = 0
            for name in probes:
                oldest = parcels.oldest_waiting(connection, name)
                if oldest is None:  # nothing to deliver: the next parcel is the probe
                    destinations.succeeded(connection, name, now)
                elif not outbox.message_ids(connection, [oldest.id]):
                    parcels.change(connection, oldest.id, due_at=now)
                    publish(connection, [oldest], now)
                    count += 1
            return count

        return self.ledger.write(work) if probes else 0

    def fold_tallies(self) -> int:
        """Put the day's counters together."""
        self.ledger.write(tallies.fold, bulk=True)
        return 0

    def make_partitions(self) -> int:
        """Room for the next months."""
        self.ledger.write(lambda c: migrate.make_partitions(c, migrate.months_from(self.clock.now(), 3)))
        return 0
