"""Facts about the exchange as it stands, read from the ledger: for metrics, the status command and the overview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select

from hub.ledger import cases, destinations, outbox, parcels, submissions, tallies
from hub.ledger.engine import Ledger
from hub.ledger.tables import hold, submission
from standards.clock import SHANGHAI, Clock, local_text
from standards.states import DestinationState

_COUNTS = ("read", "accepted", "rejected", "held", "duplicate")


@dataclass(slots=True)
class Facts:
    """Implements standards.ports.FactsPort."""

    ledger: Ledger
    clock: Clock

    def status(self) -> dict[str, Any]:
        """Everything at a glance; `at`: as of when."""
        return self.ledger.remembered.get("status", self._status)

    def _status(self) -> dict[str, Any]:
        with self.ledger.read() as connection:
            waiting, oldest = outbox.pending(connection)
            return {
                "at": local_text(self.clock.now()),
                "submissions": self._unfinished(connection),
                "outbox": {"messages": waiting, "oldest_at": local_text(oldest)},
                "destinations": self._destinations(connection),
                "cases": [
                    {"party": party, "class": class_, "open": n}
                    for (party, class_), n in sorted(cases.open_counts(connection).items())
                ],
                "holds": connection.execute(
                    select(func.count()).select_from(hold).where(hold.c.ended_at.is_(None))
                ).scalar_one(),
                "today": self._today(connection),
            }

    @staticmethod
    def _unfinished(connection: Connection) -> dict[str, dict[str, Any]]:
        rows = connection.execute(
            select(submission.c.state, func.count(), func.min(submission.c.received_at))
            .where(submissions.UNFINISHED)
            .group_by(submission.c.state)
        )
        return {state: {"count": n, "oldest_at": local_text(oldest)} for state, n, oldest in rows}

    @staticmethod
    def _destinations(connection: Connection) -> dict[str, dict[str, Any]]:
        backlog = parcels.backlog(connection)
        standings = destinations.every(connection)
        result: dict[str, dict[str, Any]] = {}
        for name in sorted({*backlog, *standings}):
            standing = standings.get(name)
            states = {
                state: {"parcels": count, "records": records, "oldest_at": local_text(oldest)}
                for state, (count, records, oldest) in backlog.get(name, {}).items()
            }
            result[name] = {
                "state": standing.state if standing else DestinationState.UP,
                "since": local_text(standing.since) if standing else "",
                "reason": standing.reason if standing else "",
                "failures": standing.failures if standing else 0,
                "next_probe_at": local_text(standing.probe_at) if standing else "",
                "last_success": local_text(standing.last_success) if standing else "",
                "last_failure": local_text(standing.last_failure) if standing else "",
                "backlog": states,
            }
        return result

    def _today(self, connection: Connection) -> list[dict[str, Any]]:
        day = self.clock.now().astimezone(SHANGHAI).date().isoformat()
        by_feed: dict[tuple[str, str], dict[str, int]] = {}
        for (party, dataset, _destination, name), n in tallies.totals(connection, day).items():
            if party and not name.startswith("finding."):
                sums = by_feed.setdefault((party, dataset), {})
                sums[name] = sums.get(name, 0) + n
        return [{"party": p, "dataset": d, **counts} for (p, d), counts in sorted(by_feed.items())]

    def connections(self) -> list[dict[str, Any]]:
        """By connection: what came in, what became of it, and what was delivered and receipted.

        Test traffic is no data: only how often it came is told.
        """
        return self.ledger.remembered.get("connections", self._connections)

    def _connections(self) -> list[dict[str, Any]]:
        with self.ledger.read() as connection:
            data = submission.c.test.is_(False)
            columns = [func.sum(case((data, submission.c[name]), else_=0)) for name in _COUNTS]
            rows = connection.execute(
                select(
                    submission.c.connection,
                    func.sum(case((data, 1), else_=0)),
                    func.max(submission.c.received_at),
                    func.sum(submission.c.open_parcels),
                    func.sum(case((data, 0), else_=1)),
                    *columns,
                )
                .group_by(submission.c.connection)
                .order_by(submission.c.connection)
            ).all()
            delivered = {r[0]: (int(r[1]), int(r[2])) for r in parcels.delivered_by_connection(connection)}
        return [
            {
                "connection": r[0],
                "submissions": int(r[1]),
                "test_submissions": int(r[4]),
                "last_at": local_text(r[2]),
                "open_parcels": int(r[3] or 0),
                **{name: int(r[5 + i]) for i, name in enumerate(_COUNTS)},
                "delivered": delivered.get(r[0], (0, 0))[0],
                "receipted": sum(delivered.get(r[0], (0, 0))),
            }
            for r in rows
        ]
