"""A simulated supervision data centre: merges rows, judges them, counts them, and writes down every arrival.

Rows come from front-end tables (`run_once` merges what has no cd_hb_time yet) or in parcels (`take`).  A later revision
takes the place of an earlier one in the merge store; an earlier one that comes late changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, MetaData, Table, bindparam, create_engine, event, select, update
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.pool import StaticPool

from adapters.simulators.faults import Dice, Faults
from adapters.upper_platform.simulator import reconciling, reports
from adapters.upper_platform.simulator.arriving import Incoming, Origin, arrive
from adapters.upper_platform.simulator.judge import Judge
from adapters.upper_platform.simulator.judging import judge_rows
from adapters.upper_platform.simulator.reports import Count, StoredRevision
from adapters.upper_platform.simulator.stores import Organisation, Stores, as_text, books, stores
from standards.clock import SHANGHAI, Clock, SystemClock
from standards.parcel import AnswerLine, Parcel
from standards.registry import Standard

T = TypeVar("T")

_BATCH = 1000
_EVERYTHING = 10_000_000


class Centre:
    """One centre on one database.  Safe to use from several threads: one works at a time."""

    def __init__(
        self,
        url: str,
        standard: Standard,
        *,
        organisations: Sequence[Organisation] = (Organisation("city"),),
        datasets: Sequence[str] = (),
        faults: Faults | None = None,
        clock: Clock | None = None,
        seed: int = 1,
    ) -> None:
        self.faults = faults or Faults()
        self.dice = Dice(seed)
        self.organisations = list(organisations)
        self.clock = clock or SystemClock()
        self._engine = _engine(url)
        self._metadata = MetaData()
        self._books = books(self._metadata)
        self.stores = {
            name: stores(standard.dataset(name), standard, self._metadata, self.organisations)
            for name in (datasets or standard.ids())
        }
        self._down = (
            {
                org.name: reconciling.down_table(standard.dataset(reconciling.REPORT), self._metadata, org.prefix)
                for org in self.organisations
                if org.prefix is not None
            }
            if reconciling.REPORT in standard.ids()
            else {}
        )
        self._judges = {name: Judge(one.dataset, standard) for name, one in self.stores.items()}
        self._lock = threading.RLock()

    def create(self) -> None:
        """Make the tables that are not there."""
        self._metadata.create_all(self._engine)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # Rows out of front-end tables

    def run_once(self) -> int:
        """Merge what is new in the front-end tables and judge what is not judged; how many rows were moved."""
        if self.faults.closed or self.dice.falls(self.faults.failing):
            return 0
        return self.merge() + self.judge()

    def merge(self) -> int:
        """Take over new and replaced rows of every front-end table."""
        fronts = [(one, org, front) for one in self.stores.values() for org, front in one.front.items()]
        return sum(self._merge_front(one, org, front) for one, org, front in fronts)

    def _merge_front(self, one: Stores, org: str, front: Table) -> int:
        return self._write(lambda connection: self._merge(connection, one, org, front))

    def _merge(self, connection: Connection, one: Stores, org: str, front: Table) -> int:
        c = front.c
        asked = select(front).where(c.cd_hb_time.is_(None)).order_by(c.data_up_time, c.cd_id).limit(_BATCH)
        if self.faults.slow:
            asked = asked.where(c.data_up_time <= self._now() - timedelta(seconds=self.faults.slow))
        rows = [{k: as_text(v) for k, v in row.items()} for row in connection.execute(asked).mappings()]
        # A front-end row has no revision; its batch says which one it is.
        incoming = [
            Incoming(cd_id=row["cd_id"], revision=row["cd_batch"], parcel=row["cd_batch"], values=row) for row in rows
        ]
        if not incoming:
            return 0
        origin = Origin(org, "table", self._now())
        if self.dice.falls(self.faults.duplicate):
            arrive(connection, one, self._books, origin, incoming)
        arrived = arrive(connection, one, self._books, origin, incoming)
        told = [i for i in arrived if not self.dice.falls(self.faults.lost_answer)]
        if told:
            self._mark_front(connection, front, org, told)
        return len(told)

    def _mark_front(self, connection: Connection, front: Table, org: str, arrived: Sequence[Incoming]) -> None:
        """Write serial, source and time into the front-end rows that have not been replaced meanwhile."""
        c = front.c
        mark = (
            update(front)
            .where(c.cd_id == bindparam("k_id"), c.cd_batch == bindparam("k_batch"))
            .values(cd_lsh=bindparam("v_lsh"), cd_hb_source=org, cd_hb_time=self._now())
        )
        connection.execute(mark, [{"k_id": i.cd_id, "k_batch": i.revision, "v_lsh": i.lsh} for i in arrived])

    # Rows in parcels

    def take(self, parcel: Parcel, organisation: str, *, judge: bool = True) -> list[AnswerLine] | None:
        """A parcel over HTTP: what is said of it, or None when it is judged later."""
        one = self.stores[parcel.dataset]
        incoming = [
            Incoming(cd_id=r.cd_id, revision=str(r.revision), parcel=str(parcel.id), values=r.values())
            for r in sorted(parcel.records, key=lambda r: r.revision)
        ]
        twice = self.dice.falls(self.faults.duplicate)

        def work(connection: Connection) -> list[AnswerLine] | None:
            origin = Origin(organisation, "http", self._now())
            if twice:
                arrive(connection, one, self._books, origin, incoming)
            arrived = arrive(connection, one, self._books, origin, incoming)
            if not judge:
                return None
            self._judge(connection, one, [i.cd_id for i in arrived])
            return reports.verdict(connection, one, {i.cd_id: i.kind for i in arrived})

        return self._write(work)

    def verdict_on(self, parcel_id: str) -> tuple[str, list[AnswerLine]]:
        """`unknown`, `awaiting` or `judged`, and the lines about a parcel's records."""

        def work(connection: Connection) -> tuple[str, list[AnswerLine]]:
            dataset, kinds = reports.kinds_of(connection, self._books, parcel_id)
            if not kinds:
                return "unknown", []
            lines = reports.verdict(connection, self.stores[dataset], kinds)
            return ("awaiting", []) if lines is None else ("judged", lines)

        return self._read(work)

    # Judging

    def judge(self) -> int:
        """Judge what is merged and has no verdict."""
        return sum(self._judge_store(one) for one in self.stores.values())

    def _judge_store(self, one: Stores) -> int:
        done = 0
        while count := self._write(lambda connection: self._judge(connection, one, None)):
            done += count
        return done

    def _judge(self, connection: Connection, one: Stores, keys: Sequence[str] | None) -> int:
        judge = self._judges[one.dataset.id]
        return judge_rows(connection, one, self._books, judge, self.faults, self._now(), keys)

    # Reconciling

    def report(self, day: date) -> int:
        """Write what it holds of a day into every organisation's dn_data_reconciliation; how many reports."""
        now = self._now()
        return sum(
            self._write(lambda c, org=org, down=down: reconciling.write(c, down, self.stores, org, day, now))  # type: ignore[misc]
            for org, down in self._down.items()
        )

    def lose(self, dataset: str, cd_ids: Sequence[str]) -> int:
        """Have records no more that it had taken; how many."""
        return self._write(lambda c: reconciling.lose(c, self.stores[dataset], self._books, cd_ids))

    # What it knows

    def counts(self) -> list[Count]:
        """The four counts of every organisation and table that has rows."""
        names = [o.name for o in self.organisations]
        return self._read(lambda c: [n for one in self.stores.values() for n in reports.counts(c, one, names)])

    def stored(
        self, dataset: str = "", after: Sequence[str] = ("", "", ""), limit: int = _EVERYTHING
    ) -> list[StoredRevision]:
        """Every revision that passed, in the order of data set, key and revision."""
        return self._read(lambda c: reports.stored(c, self._books, dataset, after, limit))

    def arrivals(self, after: int = 0, limit: int = _EVERYTHING) -> list[dict[str, Any]]:
        """Every arrival, repeats too, in their order; `id` is the number to go on after."""
        return self._read(lambda c: reports.arrivals(c, self._books, after, limit))

    def _now(self) -> datetime:
        return self.clock.now().astimezone(SHANGHAI).replace(tzinfo=None, microsecond=0)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._lock, self._engine.connect() as connection:
            return work(connection)

    def _write(self, work: Callable[[Connection], T]) -> T:
        with self._lock, self._engine.begin() as connection:
            return work(connection)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=1, hide_parameters=True)
    if parsed.database in (None, "", ":memory:"):
        return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        # A simulator may lose what a power cut takes; killing its process takes nothing.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")

    return engine
