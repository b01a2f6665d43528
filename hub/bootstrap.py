"""The one place where the parts are put together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hub import config
from hub.alarms.desk import AlarmDesk
from hub.alarms.expiry import Expiries
from hub.alarms.gather import Gatherer
from hub.alarms.postman import Postman, by_settings
from hub.audit import Sealer
from hub.auditing import AuditDesk
from hub.broker import topology
from hub.broker.base import Broker, Consumer
from hub.broker.embedded import EmbeddedBroker
from hub.broker.rabbitmq import RabbitBroker, transports
from hub.canary.runner import Canaries
from hub.casework import CaseDesk
from hub.checks import check
from hub.collect import Collector
from hub.config import mistakes, secret
from hub.deadlines import Deadlines
from hub.dispatch.doors import Doors, open_door
from hub.dispatch.settle import Settling
from hub.dispatch.worker import Dispatcher
from hub.editing import EditDesk
from hub.events import Events
from hub.failures import FailureDesk
from hub.generations import Body, Generations, collect, lay_out
from hub.history import History
from hub.holds import Holds
from hub.intake import Intake
from hub.ledger import migrate
from hub.ledger.engine import Ledger
from hub.ledger.numbers import ReceiptNumbers
from hub.ledger.submissions import Submission
from hub.lookup_holds import LookupHolds, NotAnswered, NotKnown
from hub.lookups import Desk
from hub.marked import Marked
from hub.neighbours import Neighbours
from hub.onboarding import admit
from hub.owners import this_process
from hub.parties import bindings_of
from hub.people.desk import PeopleDesk
from hub.people.login import Login
from hub.plans import Plans
from hub.receipts import Receipts
from hub.reconciliation.daily import Daily
from hub.reconciliation.desk import ReconciliationDesk
from hub.reconciliation.resend import ResendDesk
from hub.replay import ReplayDesk
from hub.reports.desk import ReportDesk
from hub.retention import Pruner
from hub.scheduler import Job, Scheduler
from hub.settings import Settings
from hub.sharing.desk import Sharing
from hub.sight import Sight
from hub.sources import Sources
from hub.standing import Standing
from hub.tasks import Tasks
from hub.translate.worker import Translator
from hub.urging import Urging
from hub.vault import Seal, seal_of
from monitor import metrics, report
from monitor.console import render, texts
from standards.clock import Clock, SystemClock
from standards.ports import Transports
from standards.states import Lane

#: What a process can do.  `carry` moves the outbox, `look` is the scheduler, the collector and the sources.
ROLES = ("api", "translate", "dispatch", "carry", "look")


@dataclass(slots=True)
class Hub:
    """One process's share of a hub."""

    settings: Settings
    ledger: Ledger
    broker: Broker
    clock: Clock
    seal: Seal
    generations: Generations
    intake: Intake
    receipts: Receipts
    deadlines: Deadlines
    settling: Settling
    doors: Doors
    #: Connections to RabbitMQ for adapters; None when the ledger carries the messages.
    transports: Transports | None
    desk: Desk
    state: Path
    owner: str
    sight: Sight = field(init=False)
    standing: Standing = field(init=False)
    _expiries: Expiries = field(default_factory=Expiries)
    _running: list[object] = field(default_factory=list)
    _consumers: list[Consumer] = field(default_factory=list)
    _translators: list[Translator] = field(default_factory=list)
    _keeper: threading.Thread | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.sight = Sight(
            self.ledger,
            self.generations,
            self.clock,
            self.deadlines,
            self.state,
            _version(),
            self.broker,
            canaries=self.canaries().seconds,
        )
        self.standing = Standing(lambda: self.reports().report("month"), self.clock)

    def translator(self, name: str) -> Translator:
        """A translator for one thread."""
        made = Translator(
            ledger=self.ledger,
            generations=self.generations,
            plans=Plans(self.ledger),
            clock=self.clock,
            seal=self.seal,
            events=self.settling.events,
            owner=f"{self.owner}/{name}",
            due=self.deadlines,
            desk=self.desk,
            wake=self.broker.wake,
            canary=self.canaries().judge,
        )
        self._translators.append(made)
        return made

    def dispatcher(self) -> Dispatcher:
        """What the threads of this process send parcels with."""
        return Dispatcher(
            ledger=self.ledger,
            generations=self.generations,
            doors=self.doors,
            clock=self.clock,
            seal=self.seal,
            settling=self.settling,
            owner=self.owner,
            wake=self.broker.wake,
            canary=self.canaries().send,
        )

    def neighbours(self) -> Neighbours:
        """The hub's face to other hubs."""
        return Neighbours(
            self.ledger, self.generations, self.intake, self.receipts, self.clock, self.seal, self.canaries()
        )

    def canaries(self) -> Canaries:
        """Test records on every way."""
        return Canaries(self.ledger, self.generations, self.doors, self.clock, self.broker.wake)

    def alarms(self) -> AlarmDesk:
        """The desk of alarms."""
        gatherer = Gatherer(self.deadlines, self.state, self._expiries)
        return AlarmDesk(self.ledger, self.generations, self.clock, gatherer, by_settings(secret))

    def postman(self) -> Postman:
        """What takes messages about alarms to contacts."""

        def look() -> None:
            self._expiries.look(self.generations.current().settings, self.clock.now())

        return Postman(self.ledger, self.generations, self.clock, self.owner, by_settings(secret), look)

    def states_of(self, receipt_nos: Sequence[str]) -> dict[str, str]:
        """Only the states of receipts and canaries, for those who wait."""
        return {**self.receipts.states(receipt_nos), **self.canaries().states(receipt_nos)}

    def sharing(self, *, plain: bool = True) -> Sharing:
        """The desk of sharing: grants, queries, looks; `plain`: personal values are not masked."""
        return Sharing(self.ledger, self.generations, self.clock, self.seal, self.deadlines, plain)

    def auditing(self) -> AuditDesk:
        """The auditor's desk."""
        return AuditDesk(self.ledger, self.generations, self.clock)

    def people(self) -> PeopleDesk:
        """The desk of accounts."""
        return PeopleDesk(self.ledger, self.generations, self.clock)

    def login(self) -> Login:
        """The way in for people."""
        return Login(self.ledger, self.clock, self.seal, self.generations.current().settings.people)

    def cases(self) -> CaseDesk:
        """The desk of cases."""
        return CaseDesk(self.ledger, self.generations, self.clock, self.deadlines, self.settling.events)

    def failures(self) -> FailureDesk:
        """The desk of failure groups."""
        return FailureDesk(self.ledger, self.generations, self.clock)

    def reports(self) -> ReportDesk:
        """The desk of reports."""
        return ReportDesk(self.ledger, self.generations, self.clock, self.seal, self.cases())

    def report_sheet(self, found: Mapping[str, Any], language: str) -> bytes:
        """A report as an Excel workbook."""
        return report.workbook(found, language)

    def report_tables(self, found: Mapping[str, Any], language: str) -> tuple[str, list[dict[str, Any]]]:
        """Heading and tables of a report as a page shows them."""
        return report.heading(found, language), report.tables(found, language)

    def history(self) -> History:
        """Time travel of records."""
        return History(self.ledger, self.generations, self.clock, self.seal)

    def reconciliations(self) -> ReconciliationDesk:
        """The desk of reconciliations."""
        return ReconciliationDesk(self.ledger, self.generations, self.clock, self.deadlines, self.transports)

    def resending(self) -> ResendDesk:
        """What sends what a comparison found lacking."""
        return ResendDesk(self.ledger, self.generations, self.clock, self.broker.wake, self.transports)

    def reconciling(self) -> Daily:
        """What reconciles by itself."""
        return Daily(self.reconciliations(), self.intake, self.seal)

    def replays(self) -> ReplayDesk:
        """The desk of replays."""
        return ReplayDesk(
            self.ledger, self.generations, self.clock, self.seal, self.intake.numbers, self.desk, self.broker.wake
        )

    def edits(self) -> EditDesk:
        """The desk of single records that are mended by hand."""
        return EditDesk(self.ledger, self.generations, self.clock, self.seal, self.replays())

    def page(self, name: str, language: str, **values: Any) -> str:
        """A page of the console."""
        return render.page(name, language, **values)

    def text(self, key: str, language: str) -> str:
        """A word of the console."""
        return texts.text(key, language)

    def page_file(self, name: str) -> str:
        """A file beside the pages of the console."""
        return render.static(name)

    @property
    def page_policy(self) -> str:
        """What a browser may load for a page."""
        return render.POLICY

    def metrics(self) -> bytes:
        """What Prometheus scrapes."""
        facts, spreads = self.sight.facts()
        return metrics.render((metrics.Fact(*fact) for fact in facts), (metrics.Spread(*spread) for spread in spreads))

    def tasks(self, judge: Callable[[str, bytes], Sequence[Mapping[str, Any]]]) -> Tasks:
        """What must be answered; `judge` says what is wrong with an answer before it counts."""
        return Tasks(self.ledger, self.generations, self.clock, self.seal, self.deadlines, self.intake, judge)

    def scheduler(self, daily: Daily | None = None) -> Scheduler:
        """What looks after things while it is elected."""
        holds = Holds(self.ledger, self.generations, self.clock, self.seal, self.deadlines, self.owner)
        again = LookupHolds(holds, Plans(self.ledger), self.desk)
        desk = self.tasks(lambda _connection, _body: ())
        casework = self.cases()
        urging = Urging(self.ledger, self.generations, self.clock, self.deadlines, self.settling.events, desk.urge)
        pruner = Pruner(self.ledger, self.generations, self.clock, self.owner)
        canaries, watch = self.canaries(), self.alarms()
        # A hub that has just started has other things to do; its canaries have time to come back before alarms look.
        first_look = timedelta(seconds=30)
        first = self.clock.now() + min(first_look, self.settings.canary.every)
        return Scheduler(
            self.ledger,
            self.broker,
            self.generations,
            self.clock,
            self.owner,
            extra=[
                Job("holds that may go", timedelta(seconds=2), holds.release_ready),
                Job("bases that did not answer", timedelta(seconds=2), NotAnswered(again).run),
                Job("bases that did not know", timedelta(seconds=2), NotKnown(again).run),
                Job("holds that are late", timedelta(seconds=30), holds.overdue),
                Job("answers of tasks", timedelta(seconds=10), desk.send_answers),
                Job("terms of tasks", timedelta(seconds=10), urging.run),
                Job("tasks without due time", timedelta(minutes=5), urging.fill_in),
                Job("seals", timedelta(minutes=1), Sealer(self.ledger, self.clock).run),
                Job("replays", timedelta(seconds=1), self.replays().run),
                Job("terms of cases", timedelta(seconds=30), casework.urge),
                Job("cases without due time", timedelta(minutes=5), casework.fill_in),
                Job("what should have been reported", timedelta(minutes=10), casework.expect),
                Job("silent feeds", timedelta(minutes=1), casework.listen),
                Job("reconciliation", timedelta(minutes=1), (daily or self.reconciling()).run),
                Job("canaries", timedelta(seconds=1), canaries.start_due, first),
                Job("alarms", timedelta(seconds=1), watch.run, first + min(first_look, self.settings.alarms.every)),
                Job("retention", timedelta(hours=1), pruner.run),
            ],
        )

    def start(self, roles: Sequence[str] = ROLES) -> None:
        """Begin to work in these roles (`api` is served by the caller)."""
        workers = self.settings.workers
        if "carry" in roles or self.broker.name == "embedded":
            self.broker.start()
        if "translate" in roles:
            threads = workers.translate if self.ledger.name == "sqlite" else 1
            for lane in Lane:
                for n in range(threads if lane is Lane.BULK else 1):
                    translator = self.translator(f"{lane}{n}")
                    queue = topology.translate(lane).queue
                    self._consumers.append(self.broker.consume([queue], translator.handle))
        if "dispatch" in roles:
            self._dispatch(workers.threads)
        if "look" in roles:
            collector = Collector(
                self.ledger,
                self.generations,
                self.doors,
                self.clock,
                self.settling,
                self.owner,
                canaries=self.canaries(),
            )
            sources = Sources(
                self.ledger,
                self.generations,
                self.intake,
                self.receipts,
                self.clock,
                self.owner,
                transports=self.transports,
                parcels=self.neighbours(),
                marked=Marked(self.ledger, self.generations, self.receipts, self.seal),
            )
            daily = self.reconciling()
            for part in (daily, self.scheduler(daily), collector, sources, self.postman()):
                part.start()
                self._running.append(part)

    def _dispatch(self, threads: int) -> None:
        dispatcher = self.dispatcher()
        names = list(self.generations.current().settings.destinations)
        queues = [f"deliver.{name}.{lane}" for name in names for lane in Lane]
        if queues:
            self._consumers.append(self.broker.consume(queues, dispatcher.handle, threads=threads))

        def keep() -> None:
            while not self._ended.wait(self.settings.workers.lease.total_seconds() / 4):
                dispatcher.extend_leases()

        self._keeper = threading.Thread(target=keep, name="leases", daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        """Finish what is in hand and let go of everything."""
        self._ended.set()
        self.standing.stop()
        for part in reversed(self._running):
            part.stop()  # type: ignore[attr-defined]
        for consumer in self._consumers:
            consumer.stop()
        for translator in self._translators:
            translator.close()
        self.broker.stop()
        self.doors.close()
        self.desk.close()
        self.ledger.close()


def ledger_url(settings: Settings, state: Path) -> str:
    """Where the ledger is."""
    if settings.ledger.url_secret:
        return secret(settings.ledger.url_secret)
    return settings.ledger.url or f"sqlite:///{(state / 'ledger.db').absolute()}"


def broker_url(settings: Settings) -> str:
    """Where RabbitMQ is; empty for the embedded broker."""
    return secret(settings.broker.url_secret) if settings.broker.url_secret else settings.broker.url


def prepare(path: Path, clock: Clock | None = None) -> tuple[Settings, Body]:
    """Read and check a settings file whole.  Raises BadConfiguration with every mistake."""
    settings = config.load(path)
    base = path.resolve().parent
    settings = _rooted(settings, base)
    site = Path(settings.hub.site) if settings.hub.site else None
    body = collect(settings, site)
    laid = Path(settings.hub.state) / "generations" / f"check-{body.digest[:12]}"
    lay_out(laid, body.files)
    problems = check(settings, body, laid, path.read_text("utf-8"), path.name)
    if problems:
        raise mistakes(problems, path.name)
    return settings, body


def _rooted(settings: Settings, base: Path) -> Settings:
    """Folders of the settings are below the settings file, unless they are absolute."""
    hub = settings.hub
    state = str((base / hub.state).resolve())
    site = str((base / hub.site).resolve()) if hub.site else ""
    return settings.model_copy(update={"hub": hub.model_copy(update={"state": state, "site": site})})


def build(settings: Settings, clock: Clock | None = None, *, owner: str | None = None) -> Hub:
    """Put a hub together; nothing runs yet.  The ledger is brought to the newest form."""
    clock = clock or SystemClock()
    owner = owner or this_process()
    state = Path(settings.hub.state)
    state.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(ledger_url(settings, state), pool=settings.ledger.pool)
    if not migrate.is_current(ledger):
        migrate.upgrade(ledger, clock.now())
    seal = seal_of(secret(settings.ledger.key) if settings.ledger.key else None)
    generations = Generations(ledger, clock, state, seal)
    broker = _broker(settings, ledger, clock, owner)
    deadlines = Deadlines(settings.cases.working_days, _calendars(settings))
    events = Events(settings.hub.name, carried=broker.name == "rabbitmq")
    url = broker_url(settings)
    to_rabbitmq = transports(url, settings.broker.prefix) if url else None
    return Hub(
        settings=settings,
        ledger=ledger,
        broker=broker,
        clock=clock,
        seal=seal,
        generations=generations,
        intake=Intake(ledger, generations, clock, seal, ReceiptNumbers(ledger), broker.wake),
        receipts=Receipts(ledger, generations),
        deadlines=deadlines,
        settling=Settling(events, deadlines, owner, _party_of),
        doors=Doors(partial(open_door, transports=to_rabbitmq)),
        transports=to_rabbitmq,
        desk=Desk(clock),
        state=state,
        owner=owner,
    )


def _version() -> str:
    try:
        return version("supervision-exchange-hub")
    except PackageNotFoundError:
        return "0.1.0"


def put_into_force(hub: Hub, body: Body) -> int:
    """Make checked settings the newest generation; its number.  Raises BadConfiguration, and the old ones stay."""
    admit(Settings.model_validate(body.settings), hub.ledger)
    return hub.generations.publish(body, hub.owner)


def _party_of(submission: Submission) -> str:
    return submission.party


def _calendars(settings: Settings) -> Path | None:
    return Path(settings.hub.site) / "calendars" if settings.hub.site else None


def _broker(settings: Settings, ledger: Ledger, clock: Clock, owner: str) -> Broker:
    url = broker_url(settings)
    if not url:
        return EmbeddedBroker(ledger, clock, owner)
    bindings = [(topology.WORK, route.key, route.queue) for route in map(topology.translate, Lane)]
    bindings += [
        (topology.PARCELS, topology.deliver_binding(name, lane), f"deliver.{name}.{lane}")
        for name in settings.destinations
        for lane in Lane
    ]
    return RabbitBroker(
        url,
        ledger,
        clock,
        owner,
        bindings=bindings,
        parties=bindings_of(settings),
        prefix=settings.broker.prefix,
        window=settings.broker.confirm_window,
    )
