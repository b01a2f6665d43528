"""A simulated centre in this process: its HTTP service and its look into the tables run on threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from adapters.simulators.faults import Faults
from adapters.simulators.gateway import Gateway
from adapters.upper_platform.simulator.centre import Centre
from adapters.upper_platform.simulator.reports import Count, StoredRevision
from adapters.upper_platform.simulator.service import Service
from adapters.upper_platform.simulator.stores import Organisation
from standards.clock import Clock, SystemClock, local
from standards.registry import Standard, built_in


@dataclass(kw_only=True)
class Running:
    """A centre that works until `stop()`.  Also a context manager."""

    centre: Centre
    service: Service
    #: SQLAlchemy URL of the front-end database; with its password, where it has one.
    database_url: str
    every: float
    #: Report the day before, once a day, into dn_data_reconciliation.
    reconcile: bool = False
    _reported: date | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _folder: TemporaryDirectory[str] | None = None

    @property
    def url(self) -> str:
        """Where its HTTP service listens."""
        return self.service.url

    @property
    def parcels_url(self) -> str:
        """`http.url` of the adapter."""
        return f"{self.url}/parcels"

    @property
    def receipts_url(self) -> str:
        """`http.receipts_url` of the adapter."""
        return f"{self.url}/parcels/receipts"

    @property
    def secret_url(self) -> str:
        """`http.gateway.refresh_url` of the adapter, for the sharing platform."""
        return f"{self.url}/gateway/secret"

    def switch(self, **changes: Any) -> None:
        """Throw fault switches: see `Faults`."""
        self.service.switch(**changes)

    def stored(self, dataset: str = "") -> list[StoredRevision]:
        """Every (data set, cd_id, revision) that passed, once; `times` says how often it was stored."""
        return self.centre.stored(dataset)

    def arrivals(self) -> list[dict[str, Any]]:
        """Every arrival of every record, repeats too."""
        return self.centre.arrivals()

    def counts(self) -> list[Count]:
        """The four counts of each organisation and data set."""
        return self.centre.counts()

    def settings(self, mode: str, **more: Any) -> dict[str, Any]:
        """The adapter's settings for this centre, as they stand in hub.toml; `more` goes into the mode's part.

        A front-end database with a password needs `password = "env:…"` in `more`, as the adapter takes it by reference.
        """
        level = self.service.level
        if mode == "http":
            given: dict[str, Any] = {"url": self.parcels_url, "receipts_url": self.receipts_url}
        else:
            prefix = next((o.prefix for o in self.centre.organisations if o.prefix is not None), "")
            given = {"url": make_url(self.database_url)._replace(password=None).render_as_string(), "prefix": prefix}
        return {"mode": mode, "level": level, mode: {**given, **more}}

    def stop(self) -> None:
        """End the threads, close the database, and remove it where it was made for this run."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(30)
            self._thread = None
        self.service.stop()
        self.centre.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _look(self) -> None:
        while not self._stopped.is_set():
            moved = 0
            # The database may be away for a while; the next look tries again.
            with suppress(SQLAlchemyError):
                moved = self.centre.run_once()
                self._report()
            self._stopped.wait(0 if moved else self.every)

    def _report(self) -> None:
        today = local(self.centre.clock.now()).date()
        if self.reconcile and self._reported != today:
            self.centre.report(today - timedelta(days=1))
            self._reported = today


def start(
    database_url: str = "",
    *,
    organisations: Sequence[Organisation] = (Organisation("city"),),
    datasets: Sequence[str] = (),
    standard: Standard | None = None,
    faults: Faults | None = None,
    clock: Clock | None = None,
    seed: int = 1,
    tif: Mapping[str, str] | None = None,
    sharing: Mapping[tuple[str, str], str] | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    level: str = "province",
    name: str = "省级监管数据中心（模拟）",
    judge_later: bool = False,
    every: float | None = 1.0,
    reconcile: bool = False,
) -> Running:
    """Start a centre in this process.

    database_url   SQLAlchemy URL; empty: a SQLite file of its own, gone after `stop()`
    organisations  who delivers, and the prefix of their front-end tables
    datasets       data sets it takes; empty: all (a table is made for each, so name them where it must be quick)
    tif            x-tif callers: paasid -> token;  sharing: (rid, sid) -> app key.  Neither: nobody has to sign
    port           0 takes a free one
    judge_later    parcels over HTTP are judged by the next look, not with the answer
    every          seconds between two looks into tables and store; None: only when `centre.run_once()` is called
    reconcile      once a day report the day before into dn_data_reconciliation; else only by `centre.report(day)`
    """
    folder = None
    if not database_url:
        folder = TemporaryDirectory(prefix="centre-")
        database_url = f"sqlite:///{folder.name}/centre.db"
    held = clock or SystemClock()
    centre = Centre(
        database_url,
        standard or built_in(),
        organisations=organisations,
        datasets=datasets,
        faults=faults,
        clock=held,
        seed=seed,
    )
    centre.create()
    gateway = Gateway(held, tif=tif or {}, sharing=sharing or {})
    service = Service(centre, gateway, host=host, port=port, level=level, name=name, judge_later=judge_later)
    service.start()
    running = Running(
        centre=centre,
        service=service,
        database_url=database_url,
        every=every or 0.0,
        reconcile=reconcile,
        _folder=folder,
    )
    if every is not None:
        running._thread = threading.Thread(target=running._look, daemon=True, name="centre-look")
        running._thread.start()
    return running
