"""Running sources: folders, tables and services that are looked at again and again, each by one process at a time."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from adapters import registry
from hub.dispatch.doors import surroundings
from hub.flows.pauses import Pauses
from hub.generations import Generation, Generations
from hub.ledger import leases
from hub.ledger.engine import Ledger
from hub.ledger.memory import Memory
from standards.clock import Clock
from standards.errors import BadSetup, HubError, LedgerBusy
from standards.ports import IntakePort, MarkedPort, ParcelPort, ReceiptPort, Source, SourceContext, Transports

log = structlog.get_logger()

_LEASE = timedelta(seconds=60)
_PATIENCE = timedelta(minutes=5)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
#: Sources that work at the same time, in one process.
_AT_ONCE = 4


def open_source(generation: Generation, name: str, transports: Transports | None = None) -> Source | None:
    """Make the source of a connection; None when its data comes by itself.  Raises BadSetup."""
    settings = generation.connection(name)
    manifest = registry.load(settings.adapter)
    if manifest.make_source is None or manifest.source_settings is None:
        return None
    parsed = manifest.source_settings.model_validate(settings.settings)
    return manifest.make_source(parsed, surroundings(generation, name, settings.party, transports))


@dataclass(slots=True)
class _Runner:
    """One source at work."""

    source: Source
    generation: int
    next_at: datetime
    failures: int = 0
    turn: Future[int] | None = None
    leased_at: datetime = _LONG_AGO


@dataclass(slots=True)
class Sources:
    """Runs every source when it is due, a few at the same time: a slow one delays nobody, a failing one rests."""

    ledger: Ledger
    generations: Generations
    intake: IntakePort
    receipts: ReceiptPort
    clock: Clock
    owner: str
    transports: Transports | None = None
    parcels: ParcelPort | None = None
    marked: MarkedPort | None = None
    pauses: Pauses = field(init=False)
    _runners: dict[str, _Runner] = field(default_factory=dict, init=False)
    _broken: dict[str, int] = field(default_factory=dict, init=False)
    _hands: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="source"), init=False
    )
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.pauses = Pauses(self.ledger, self.clock)

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="sources", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(60)
        self._hands.shutdown(wait=True, cancel_futures=True)
        for runner in self._runners.values():
            runner.source.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                done = self.tick()
            except LedgerBusy as error:
                log.warning("the ledger does not answer", action="sources_wait", why=error.what)
                done = 0
            except HubError as error:
                log.error("the settings cannot be used", action="sources_wait", why=error.what)
                done = 0
            self._stop.wait(0.05 if done else 0.25)

    def tick(self) -> int:
        """Let each source that is due begin its turn; how many things were done in turns that have ended."""
        generation = self.generations.current()
        self._renew(generation)
        done = 0
        for name, runner in self._runners.items():
            if runner.turn is not None:
                if not runner.turn.done():
                    self._keep(name, runner)
                    continue
                turn, runner.turn = runner.turn, None
                done += turn.result()
                continue
            now = self.clock.now()
            if now < runner.next_at or generation.connection(name).paused or self.pauses.paused(name):
                continue
            if self._mine(name, now):
                runner.leased_at = now
                runner.turn = self._hands.submit(self._turn, name, runner)
        return done

    def _keep(self, name: str, runner: _Runner) -> None:
        """A long turn keeps its lease, or another process would begin beside it."""
        now = self.clock.now()
        if now - runner.leased_at > _LEASE / 4 and self._mine(name, now):
            runner.leased_at = now

    def _mine(self, name: str, now: datetime) -> bool:
        return self.ledger.write(lambda c: leases.take(c, f"source:{name}", self.owner, now, _LEASE))

    def _renew(self, generation: Generation) -> None:
        """Sources of a new generation take the place of the old ones."""
        for name in [n for n, r in self._runners.items() if r.generation != generation.number]:
            if (turn := self._runners[name].turn) is not None and not turn.done():
                continue  # first it ends what it has begun
            self._runners.pop(name).source.close()
        for name in generation.settings.connections:
            if name in self._runners or self._broken.get(name) == generation.number:
                continue
            try:
                source = open_source(generation, name, self.transports)
            except (HubError, ValueError) as error:
                log.error("a source cannot be opened", action="source_broken", connection=name, why=str(error)[:300])
                self._broken[name] = generation.number
                continue
            if source is None:
                self._broken[name] = generation.number
            else:
                self._runners[name] = _Runner(source, generation.number, self.clock.now())

    def _turn(self, name: str, runner: _Runner) -> int:
        context = SourceContext(
            connection=name,
            intake=self.intake,
            receipts=self.receipts,
            memory=Memory(self.ledger, self.clock, name),
            parcels=self.parcels,
            marked=self.marked,
        )
        try:
            done = runner.source.run_once(context)
        except LedgerBusy:
            raise
        except HubError as error:
            self._failed(name, runner, error.what, error.code, setup=isinstance(error, BadSetup))
            return 0
        except Exception as error:
            log.exception("a source stumbled", action="source_error", connection=name)
            self._failed(name, runner, str(error), "source-error", setup=True)
            return 0
        if runner.failures:
            log.info("a source works again", action="source_up", connection=name)
        runner.failures = 0
        runner.next_at = self.clock.now() + (timedelta(0) if done else runner.source.pause)
        return done

    def _failed(self, name: str, runner: _Runner, why: str, code: str, *, setup: bool) -> None:
        runner.failures += 1
        wait = min(_PATIENCE, timedelta(seconds=2**runner.failures))
        runner.next_at = self.clock.now() + wait
        level = log.error if setup else log.warning
        level(
            "a source failed", action="source_failed", connection=name, code=code, why=why[:300], again_in=wait.seconds
        )
