"""What reconciles by itself: hubs once a day, centres when their reports came, what did not agree again and again.

The scheduler calls `run`; a comparison of millions takes seconds, so it is done in a thread of its own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import structlog

from hub.dispatch.contents import Contents
from hub.generations import Generation
from hub.intake import Intake
from hub.ledger import reconciliations
from hub.ledger.memory import Memory
from hub.ledger.reconciliations import Outcome
from hub.reconciliation import centre, sender
from hub.reconciliation.desk import ReconciliationDesk
from hub.vault import Seal
from standards.clock import local
from standards.errors import HubError
from standards.ports import HandOver

log = structlog.get_logger()

#: Whose memory it is: no connection is called so.
_OWNER = "(reconciliation)"
_HEARD = "reports of centres"
#: Transactions end in another order than they began: reports are looked for from so long before the last one.
_OVERLAP = timedelta(minutes=1)
#: How often what did not agree is looked at again, and a hub that could not be asked is asked.
_PAUSE = timedelta(minutes=10)


@dataclass(slots=True)
class Daily:
    """Reconciles without being asked."""

    desk: ReconciliationDesk
    intake: Intake
    seal: Seal
    _thread: threading.Thread | None = field(default=None, init=False)
    _again_at: datetime | None = field(default=None, init=False)
    _ended: threading.Event = field(default_factory=threading.Event, init=False)

    def run(self) -> int:
        """Begin what is due, unless it is under way; called by the elected scheduler."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._quietly, name="reconciliation", daemon=True)
            self._thread.start()
        return 0

    def stop(self) -> None:
        """Begin nothing more, and wait for what is under way."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(30)

    def start(self) -> None:
        """Nothing to begin: the scheduler calls."""

    def _quietly(self) -> None:
        try:
            self.tick()
        except HubError as error:
            log.warning("reconciliation could not be done", action="reconciliation_failed", why=error.what)
        except Exception:
            log.exception("reconciliation stumbled", action="reconciliation_error")

    def tick(self) -> int:
        """Everything that is due now; how many comparisons were kept."""
        now = self.desk.clock.now()
        done = self.centres()
        if self._again_at is None or now >= self._again_at:
            self._again_at = now + _PAUSE
            done += self.again()
            done += self.hubs()
            self.report()
        return done

    # Hubs

    def hubs(self) -> int:
        """Compare with each hub, once a day after the hour that is set."""
        generation = self.desk.generations.current()
        settings = generation.settings
        names = settings.reconciliation.hubs or [n for n, d in settings.destinations.items() if d.adapter == "hub"]
        today = self._due(generation)
        done = 0
        for name in names if today else ():
            memory = self._memory()
            if self._ended.is_set() or memory.recall(f"hub {name}") == str(today):
                continue
            try:
                found = self.desk.with_hub(name)
            except HubError as error:
                log.warning("a hub could not be compared", action="reconciliation_failed", hub=name, why=error.what)
                continue
            memory.remember(f"hub {name}", str(today))
            done += len(found)
            for one in found:
                if not one["agrees"]:
                    words = {n: one[n] for n in ("dataset", "missing", "extra", "differs")}
                    log.warning("a hub does not hold what was delivered", action="reconciled", hub=name, **words)
        return done

    # Centres

    def centres(self) -> int:
        """Compare the reports that came down since with what was delivered."""
        generation = self.desk.generations.current()
        senders = _reporting(generation)
        if not senders:
            return 0
        memory = self._memory()
        heard: dict[str, Any] = json.loads(memory.recall(_HEARD) or "{}")
        since = datetime.fromisoformat(heard["at"]) - _OVERLAP if heard else self.desk.clock.now() - timedelta(days=7)
        contents = Contents(self.seal)
        with self.desk.ledger.read() as connection:
            found = list(centre.reports_since(connection, contents, list(senders), since))
        new = [one for one in found if str(one[0]) not in heard.get("ids", ())]
        done = 0
        for _, _, party, said in new:
            done += self._hear(generation, senders[party], said)
        if new:
            last = max(at for _, at, _, _ in found)
            ids = [str(identifier) for identifier, at, _, _ in found if at >= last - 2 * _OVERLAP]
            memory.remember(_HEARD, json.dumps({"at": last.isoformat(), "ids": ids}))
        return done

    def _hear(self, generation: Generation, destinations: Sequence[str], said: Sequence[centre.Said]) -> int:
        parties = {p.code: name for name, p in generation.settings.parties.items()}
        digests = generation.settings.reconciliation.digests
        done = 0
        for one in said:
            party = parties.get(one.org_code)
            if party is None:
                log.warning("a centre reports on somebody unknown", action="reconciliation_unknown", code=one.org_code)
                continue
            with self.desk.ledger.read() as connection:
                compared = [
                    centre.against_centre(connection, d, party, one.dataset, one.day, one.theirs, digests=digests)
                    for d in destinations
                ]
            # Several ways lead to the same centre: the one that agrees is the one it speaks of, else the first.
            kept = next((c for c in compared if c.agrees), compared[0])
            self.desk.keep(kept if kept.agrees else self.desk.narrowed(kept), "hub")
            done += 1
        return done

    def report(self) -> int:
        """Hand in our own reports of the day before, once a day after the hour that is set; how many records."""
        generation = self.desk.generations.current()
        settings = generation.settings.reconciliation
        today = self._due(generation)
        if not today or not settings.reports:
            return 0
        memory, count = self._memory(), 0
        for destination in settings.centres:
            if memory.recall(f"report {destination}") != str(today):
                count += self.report_of(destination, today - timedelta(days=1))
                memory.remember(f"report {destination}", str(today))
        return count

    def report_of(self, destination: str, day: date, by: str = "hub") -> int:
        """Hand in our report of one day for one centre; how many records.  Those of a day keep their number."""
        generation = self.desk.generations.current()
        settings = generation.settings
        codes = {name: p.code for name, p in settings.parties.items()}
        now = self.desk.clock.now()
        since = now - settings.reconciliation.again
        with self.desk.ledger.read() as connection:
            open_ones = reconciliations.newest(connection, ways=[centre.WAY], since=since, agrees=False)
            disagreeing = frozenset(
                (r.party, r.dataset) for r in open_ones if r.counterpart == destination and r.period_begin == day
            )
            rows = centre.our_reports(connection, destination, day, now, codes, disagreeing)
        if rows:
            name = f"对账报告-{destination}-{day}.json"
            hand_over = HandOver(connection=settings.reconciliation.reports, name=name, actor=by)
            self.intake.receive(hand_over, [json.dumps(rows, ensure_ascii=False).encode()])
        return len(rows)

    # What did not agree

    def again(self) -> int:
        """Compare anew what did not agree with a centre's report or a sender's statement; how many agree now."""
        generation = self.desk.generations.current()
        since = self.desk.clock.now() - generation.settings.reconciliation.again
        with self.desk.ledger.read() as connection:
            kept = reconciliations.newest(connection, ways=[centre.WAY, sender.WAY], since=since, agrees=False)
        agreeing = [one for row in kept if (one := self._anew(generation, row)).same]
        for one in agreeing:
            self.desk.keep(one, "hub")
        return len(agreeing)

    def _anew(self, generation: Generation, row: Any) -> Outcome:
        theirs, begin = json.loads(row.theirs), row.period_begin
        with self.desk.ledger.read() as connection:
            if row.way == centre.WAY:
                digests = generation.settings.reconciliation.digests
                return centre.against_centre(
                    connection, row.counterpart, row.party, row.dataset, begin, theirs, digests=digests
                )
            return sender.anew(connection, row, theirs)

    def _due(self, generation: Generation) -> date | None:
        """Today, once its hour has come."""
        at = generation.settings.reconciliation.at
        now = local(self.desk.clock.now())
        return now.date() if at and f"{now:%H:%M}" >= at else None

    def _memory(self) -> Memory:
        return Memory(self.desk.ledger, self.desk.clock, _OWNER)


def _reporting(generation: Generation) -> dict[str, list[str]]:
    """Parties that may hand in reports, and the destinations that are theirs."""
    destinations: dict[str, list[str]] = {}
    for name, to in generation.settings.destinations.items():
        destinations.setdefault(to.party, []).append(name)
    senders = {c.party for c in generation.settings.connections.values()}
    return {party: destinations[party] for party in sorted(senders & destinations.keys())}
