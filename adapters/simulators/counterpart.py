"""A whole simulated system: every feed of its definition, running beside a hub."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import structlog

from adapters.simulators import guard
from adapters.simulators.faults import Dice, Faults
from adapters.simulators.hands import Door, FrontTable, HandOver, drop, fetch, push
from adapters.simulators.receiving import Receiving
from adapters.simulators.records import Made, record, written
from adapters.simulators.service import HangUp, Refused, Service
from adapters.systems.definition import Feed, System
from adapters.systems.recipe import name_of
from standards import xml
from standards.clock import SHANGHAI
from standards.errors import HubError

log = structlog.get_logger()

#: Where the other side is asked, and where it acts by itself.
ASKED = frozenset({"rest_pull", "soap_pull"})
PUSHING = frozenset({"rest", "soap"})
#: Records of one hand-over.
_PIECE = 25
_PAGE = 100


@dataclass(slots=True)
class Sending:
    """One in-feed at its sender."""

    feed: Feed
    made: list[Made] = field(default_factory=list)
    waiting: list[HandOver] = field(default_factory=list)
    table: FrontTable | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Counterpart:
    """Implements service.Answers."""

    def __init__(self, system: System, folder: Path, *, seed: int = 1, port: int = 0, start: int = 0) -> None:
        self.system = system
        self.folder = folder
        self.faults = Faults()
        self._dice = Dice(seed)
        self._start = start
        self._service = Service(self, port)
        self.guard = guard.Guard(system, folder)
        self._door: Door | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._down = False
        self.sending = {name: Sending(feed) for name, feed in system.feeds.items() if feed.direction == "in"}
        self.receiving = {name: Receiving(feed) for name, feed in system.feeds.items() if feed.direction == "out"}

    # --- life

    def start(self) -> Counterpart:
        """Listen, and begin to act."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, feed in self.system.feeds.items():
            if feed.channel == "file":
                (self.folder / name).mkdir(exist_ok=True)
        self._service.start()
        for one in self.sending.values():
            if one.feed.channel == "table":
                one.table = FrontTable(self.words()["database"], one.feed)
        self._thread = threading.Thread(target=self._act, daemon=True, name=f"sim-{self.system.system}")
        self._thread.start()
        return self

    def attach(self, url: str, key: str) -> None:
        """Tell it where the hub is, for what it hands over or fetches by itself."""
        self._door = Door(url, key)

    def stop(self) -> None:
        """End."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(20)
        if not self._down:
            self._service.stop()
        for one in self.sending.values():
            if one.table is not None:
                one.table.close()
        if self._door is not None:
            self._door.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._service.url

    def words(self) -> dict[str, str]:
        """What fills the braces of its settings."""
        return {
            "url": self.url,
            "folder": str(self.folder),
            "database": f"sqlite:///{self.folder}/front.db",
            "wsdl": str(Path(__file__).parent.parent / "systems" / "wsdl"),
            "day": datetime.now(SHANGHAI).date().isoformat(),
            **self.guard.words(),
        }

    # --- what a test or an integrator tells it

    def switch(self, **changes: Any) -> None:
        """Throw switches."""
        before, self.faults = self.faults, replace(self.faults, **changes)
        if self.faults.closed != before.closed:
            self._close(self.faults.closed)

    def _close(self, closed: bool) -> None:
        if closed and not self._down:
            self._service.stop()
        elif not closed and self._down:
            self._service.start()
        self._down = closed
        for one in self.sending.values():
            if one.table is not None:
                one.table.hide(closed)

    def announce(self, feed: str, count: int) -> list[Made]:
        """So many new records of an in-feed."""
        one = self.sending[feed]
        with one.lock:
            first = self._start + len(one.made)
            now = datetime.now(SHANGHAI)
            made = [record(one.feed, first + n, self.faults, now) for n in range(count)]
            one.made += made
            if one.feed.channel not in ASKED:
                one.waiting += [HandOver(made[n : n + _PIECE]) for n in range(0, count, _PIECE)]
        return made

    def idle(self) -> bool:
        """Nothing waits to be handed over."""
        return not any(one.waiting for one in self.sending.values())

    # --- acting

    def _act(self) -> None:
        while not self._ended.wait(0.1):
            try:
                self._turn()
            except httpx2.HTTPError as error:
                log.info("the hub does not answer", action="simulator_waits", why=type(error).__name__)
            except Exception:
                log.exception("the simulator stumbled", action="simulator_error", system=self.system.system)
                self._ended.wait(0.5)

    def _turn(self) -> None:
        if self.faults.closed or self._dice.falls(self.faults.failing):
            return
        for name, one in self.sending.items():
            with one.lock:
                waiting = list(one.waiting)
            if self.faults.out_of_order:
                waiting.reverse()
            for what in waiting:
                if self._hand_over(name, one, what):
                    with one.lock:
                        one.waiting.remove(what)
        for name, taking in self.receiving.items():
            feed = taking.feed
            if feed.channel == "mailbox" and self._door is not None:
                fetch(self._door, taking, feed.datasets, self.faults, self._dice)
            elif feed.channel == "file":
                self._read_folder(name, taking)

    def _hand_over(self, name: str, one: Sending, what: HandOver) -> bool:
        feed = one.feed
        if feed.channel in PUSHING:
            if self._door is None:
                return False
            return push(self._door, name_of(self.system, name), feed, what, self.faults, self._dice)
        if one.table is not None:
            one.table.write(what, self.faults, self._dice)
            return True
        drop(self.folder / name, feed, name, what, self.faults, self._dice)
        return True

    def _read_folder(self, name: str, taking: Receiving) -> None:
        folder = self.folder / name
        for path in sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")):
            dataset = next((d for d in taking.feed.datasets if path.name.startswith(d)), taking.feed.datasets[0])
            taking.file(path.read_bytes(), dataset, Faults())
            done = folder / "read"
            done.mkdir(exist_ok=True)
            path.rename(done / path.name)

    # --- answering

    def answer(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> tuple[bytes, str]:
        """Pages of an in-feed, or what is handed to an out-feed."""
        name = path.strip("/").partition("/")[0]
        if self.faults.slow:
            time.sleep(self.faults.slow)
        if self._dice.falls(self.faults.failing):
            raise Refused(503)
        if name == guard.PATH:
            return self.guard.gateway.refresh(body), "application/json"
        if refused := self.guard.refusal(self.system.feeds[name], headers):
            return refused, "application/json"
        if name in self.sending:
            return self._pages(self.sending[name], query, body)
        taking = self.receiving[name]
        if method == "GET":
            return b"{}", "application/json"
        said = taking.take(body, headers, path, self.faults)
        if self._dice.falls(self.faults.duplicate):
            taking.take(body, headers, path, self.faults)
        if self._dice.falls(self.faults.lost_answer):
            taking.store.lost += 1
            raise HangUp
        return said

    def _pages(self, one: Sending, query: Mapping[str, str], body: bytes) -> tuple[bytes, str]:
        asked = {**query, **_asked_in(body)}
        with one.lock:
            made = list(one.made)
        if since := asked.get("since", ""):
            after = _moment(since)
            made = [m for m in made if after is None or m.at >= after - timedelta(seconds=1)]
        if day := asked.get("day") or asked.get("submitted_date") or "":
            made = [m for m in made if m.at.date() == _day(day)]
        if self.faults.out_of_order:
            made.reverse()
        # Whoever does not ask for pages gets everything at once.
        size = int(asked.get("size") or (_PAGE if "{page}" in str(one.feed.settings) else len(made) or 1))
        page = int(asked.get("page") or 1)
        pages = max(1, -(-len(made) // size))
        shown = made[(page - 1) * size : page * size]
        if self._dice.falls(self.faults.duplicate):
            shown = shown + shown[:1]
        if self._dice.falls(self.faults.lost_answer):
            raise HangUp
        feed = one.feed
        if not shown and (nothing := feed.settings.get("nothing")):
            return str(nothing).encode(), "text/plain; charset=utf-8"
        said = written(feed, shown, moment=datetime.now(SHANGHAI), page=page, pages=pages, total=len(made))
        if feed.channel != "soap_pull":
            return said, _kind(feed)
        # An old service has an empty string where there is nothing.
        return said if shown else feed.wire.envelope.replace("{body}", "").encode(), "text/xml; charset=utf-8"

    def control(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """The door for whoever tests."""
        match method, path:
            case "GET", "counts":
                return self.counts()
            case "GET", "faults":
                return self.faults.as_dict()
            case "POST", "faults":
                with suppress(TypeError):
                    self.switch(**body)
                return self.faults.as_dict()
            case "POST", "announce":
                return {"announced": len(self.announce(str(body["feed"]), int(body.get("count", 1))))}
        raise KeyError(path)

    def counts(self) -> dict[str, dict[str, int]]:
        """What each feed announced, still holds, received."""
        told: dict[str, dict[str, int]] = {}
        for name, one in self.sending.items():
            wrong = sum(m.wrong for m in one.made)
            told[name] = {
                "announced": len(one.made),
                "wrong": wrong,
                "waiting": sum(len(w.records) for w in one.waiting),
            }
        for name, taking in self.receiving.items():
            held = taking.store
            told[name] = {"stored": len(held), "repeats": held.repeats, "lost_answers": held.lost}
        return told


def _kind(feed: Feed) -> str:
    return {"xml": "application/xml", "csv": "text/csv"}.get(feed.wire.rows, "application/json") + "; charset=utf-8"


def _asked_in(body: bytes) -> dict[str, str]:
    """Paging words inside a POST body: JSON, or the arguments of a SOAP call."""
    if body.lstrip()[:1] == b"{":
        with suppress(ValueError):
            return {name: str(value) for name, value in json.loads(body).items()}
    if body.lstrip()[:1] == b"<":
        with suppress(HubError):
            root = xml.parse(body)
            return {xml.local(str(e.tag)): e.text or "" for e in root.iter() if isinstance(e.tag, str) and not len(e)}
    return {}


def _moment(text: str) -> datetime | None:
    for form in ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"):
        with suppress(ValueError):
            return datetime.strptime(text, form).replace(tzinfo=SHANGHAI)
    return None


def _day(text: str) -> date | None:
    found = _moment(text) or _moment(f"{text[:4]}-{text[4:6]}-{text[6:8]}")
    return found.date() if found else None
