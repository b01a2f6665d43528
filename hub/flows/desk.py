"""The desk of flows: how a destination, a party or a connection stands, and what an operator may do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub import trying
from hub.casework import CaseDesk
from hub.facts import Facts
from hub.flows import pauses
from hub.flows.chart import Line, lines, waited
from hub.flows.parcels import errors_of, next_due, stopped_of
from hub.flows.rates import Rates, rates, total
from hub.flows.standing import age
from hub.generations import Generation, Generations
from hub.ledger import destinations, journal, lists, parcels
from hub.ledger.cases import Selection
from hub.ledger.engine import Ledger
from hub.onboarding import STAGES
from standards.clock import Clock, local_text
from standards.errors import HubError, UnknownName
from standards.ports import Transports
from standards.states import word

#: Hand-overs of a connection that its page shows.
_SHOWN = 15
_COUNTS = ("read", "accepted", "rejected", "held", "duplicate")


@dataclass(slots=True)
class Flows:
    """Reads how everything flows; a deed is written into the journal."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    cases: CaseDesk
    transports: Transports | None = None
    wake: Callable[[], None] = lambda: None

    # Looking

    def everything(self, language: str, scope: Callable[[str], bool] | None = None) -> dict[str, Any]:
        """Every line with its rate and how it stands, and the figures of the whole; `scope`: of these parties only."""
        now = self.clock.now()
        settings = self.generations.current().settings
        status = Facts(self.ledger, self.clock).status()
        causes = self.cases.causes(None if scope is None else [one for one in settings.parties if scope(one)])
        counted = rates(self.ledger, now)
        with self.ledger.read() as connection:
            stalled = lists.stalled(connection, settings.parties)
            paused = pauses.of_these(connection, settings.connections)
        found = lines(settings, counted, status, causes, stalled, now, paused)
        if scope is not None:
            # What the hub delivers, and what waits in it, is nobody's alone.
            found = [one for one in found if one.way == "in" and scope(one.name)]
            nothing = {"messages": 0, "oldest_at": ""}
            status = {**status, "destinations": {}, "submissions": {}, "outbox": nothing, "holds": 0}
        return {
            "lines": [asdict(one) for one in found],
            "figures": self._figures(counted, status, found, now, language),
            "status": status,
            "causes": causes,
        }

    def _figures(
        self, counted: Rates, status: dict[str, Any], found: Sequence[Line], now: datetime, language: str
    ) -> dict[str, Any]:
        senders = [one.name for one in found if one.way == "in"]
        receivers = [f">{one.name}" for one in found if one.way == "out"]
        open_work = list(status["submissions"].values())
        oldest = [one["oldest_at"] for one in (*open_work, status["outbox"]) if one["oldest_at"]]
        since = waited({"work": {"oldest_at": min(oldest)}}, now) if oldest else None
        return {
            "read": total(counted, senders, "read"),
            "rejected": total(counted, senders, "rejected"),
            "delivered": total(counted, receivers, "delivered"),
            "messages": status["outbox"]["messages"],
            "unfinished": sum(one["count"] for one in open_work),
            "oldest": age(since, language),
            "waiting": sum(one.waiting for one in found),
            "holds": status["holds"],
        }

    def destination(self, name: str, language: str) -> dict[str, Any]:
        """A destination: standing, rate, backlog by state, next attempt, what went wrong.  Raises UnknownName."""
        generation = self.generations.current()
        said = generation.settings.destinations.get(name)
        if said is None:
            raise UnknownName.of("destination", "投递目标", name, generation.settings.destinations)
        now = self.clock.now()
        known = Facts(self.ledger, self.clock).status()["destinations"].get(name, {})
        counted = rates(self.ledger, now)
        with self.ledger.read() as connection:
            due, waiting = next_due(connection, name), errors_of(connection, name)
            stopped = stopped_of(connection, name)
        state = "paused" if said.paused else str(known.get("state", "up"))
        return {
            "name": name,
            "title": said.title or generation.settings.parties[said.party].title,
            "party": said.party,
            "party_title": generation.settings.parties[said.party].title,
            "adapter": said.adapter,
            "direction": str(said.direction),
            "state": state,
            "state_word": word(state, language),
            "paused_by_settings": said.paused,
            "since": known.get("since", ""),
            "reason": known.get("reason", "") if state != "up" else "",
            "failures": known.get("failures", 0) if state != "up" else 0,
            "last_success": known.get("last_success", ""),
            "last_failure": known.get("last_failure", ""),
            "next": known.get("next_probe_at", "") if state == "down" else local_text(due),
            "backlog": [
                {"state": held, "word": word(held, language), **one} for held, one in known.get("backlog", {}).items()
            ],
            "today": {n: counted.today[f">{name}", n] for n in ("routed", "delivered", "refused")},
            "usual": counted.usual(f">{name}", "delivered"),
            "datasets": _by_dataset(generation, counted, f">{name}", ("routed", "delivered", "refused")),
            "errors": waiting,
            "stopped": stopped,
            "cases": self.cases.groups(Selection(destination=name)),
        }

    def party(self, name: str) -> dict[str, Any]:
        """A party: its connections, its destinations, what it reported today, its open cases.  Raises UnknownName."""
        generation = self.generations.current()
        said = generation.settings.parties.get(name)
        if said is None:
            raise UnknownName.of("party", "接入方", name, generation.settings.parties)
        now = self.clock.now()
        counted = rates(self.ledger, now)
        with self.ledger.read() as connection:
            last = lists.newest(connection, name)
            bad = lists.last_failure(connection, party=name)
        return {
            "name": name,
            "title": said.title,
            "code": said.code,
            "kind": said.kind,
            "contacts": said.contacts,
            "last_at": local_text(last),
            "last_failure": local_text(bad.received_at) if bad is not None else "",
            "failed_receipt": bad.receipt_no if bad is not None else "",
            "today": {n: counted.today[name, n] for n in _COUNTS},
            "usual": counted.usual(name, "read"),
            "datasets": _by_dataset(generation, counted, name, _COUNTS),
            "connections": [
                {"name": n, "title": c.title or n, "adapter": c.adapter, "stage": c.stage, "stage_zh": STAGES[c.stage]}
                for n, c in generation.settings.connections.items()
                if c.party == name
            ],
            "destinations": [
                {"name": n, "title": d.title or n, "adapter": d.adapter}
                for n, d in generation.settings.destinations.items()
                if d.party == name
            ],
            "cases": self.cases.groups(Selection(party=name)),
        }

    def connection(self, name: str, language: str) -> dict[str, Any]:
        """A connection: how it is set up, its newest hand-overs, the last that went well and the last that did not.

        Raises UnknownName.
        """
        generation = self.generations.current()
        said = generation.connection(name)
        with self.ledger.read() as connection:
            wanted = lists.Wanted(party=said.party, connection=name)
            found = lists.page(connection, wanted, self.clock.now(), limit=_SHOWN).rows
            stopped = pauses.of_these(connection, [name]).get(name)
            bad = lists.last_failure(connection, of=name)
            good = next((one.judged_at for one in found if one.judged_at is not None and not one.problem), None)
            good = good or lists.last_success(connection, name)
        problem = bad.problem_words() if bad is not None else {}
        dataset = generation.dataset_of(name)
        return {
            "name": name,
            "title": said.title or name,
            "party": said.party,
            "party_title": generation.settings.parties[said.party].title,
            "adapter": said.adapter,
            "mapping": said.mapping,
            "dataset": dataset,
            "dataset_title": generation.standard.dataset(dataset).title if dataset else "",
            "stage": said.stage,
            "stage_zh": STAGES[said.stage],
            "test": said.is_test,
            "paused": said.paused,
            "stopped": stopped,
            "last_at": local_text(found[0].received_at) if found else "",
            "last_success": local_text(good),
            "last_failure": local_text(bad.received_at) if bad is not None else "",
            "why": problem.get("what" if language == "en" else "what_zh", "") if bad is not None else "",
            "rows": found,
        }

    # Doing

    def pause(self, name: str, by: str, reason: str) -> None:
        """A destination's parcels wait; nothing is skipped.  Raises UnknownName."""
        self._known(name)
        now = self.clock.now()

        def work(connection: Connection) -> None:
            destinations.pause(connection, name, by, reason, now)
            detail = {"destination": name, "reason": reason}
            journal.append(connection, [journal.Entry("destination_paused", by, detail=detail)], now)

        self.ledger.write(work)

    def resume(self, name: str, by: str) -> int:
        """Everything that waits for it is due now; how many parcels.  Raises UnknownName."""
        self._known(name)
        now = self.clock.now()

        def work(connection: Connection) -> int:
            destinations.resume(connection, name, by, now)
            journal.append(connection, [journal.Entry("destination_resumed", by, detail={"destination": name})], now)
            return parcels.hasten(connection, name, now)

        hastened = self.ledger.write(work)
        self.wake()
        return hastened

    def hasten(self, name: str, by: str) -> int:
        """What waits for its next attempt is tried now; one that is down is probed now.  How many parcels.

        Raises UnknownName.
        """
        self._known(name)
        now = self.clock.now()

        def work(connection: Connection) -> int:
            destinations.probe_now(connection, name, now)
            hastened = parcels.hasten(connection, name, now)
            detail = {"destination": name, "parcels": hastened}
            journal.append(connection, [journal.Entry("destination_hastened", by, detail=detail)], now)
            return hastened

        hastened = self.ledger.write(work)
        self.wake()
        return hastened

    def tried(self, kind: str, name: str, by: str) -> tuple[bool, str, str]:
        """Open the other side's door and ask: whether it answers, and what it said in both languages.

        Raises UnknownName.
        """
        generation = self.generations.current()
        if kind == "destination":
            self._known(name)
            attempt = trying.of_destination(generation, name, self.transports)
        else:
            generation.connection(name)
            attempt = trying.of_source(generation, name, self.transports)
        try:
            answer = attempt() or "ok"
            found = (True, answer, answer)
        except HubError as error:
            found = (
                False,
                f"{error.what_zh} {error.hint_zh or ''}".strip(),
                f"{error.what} {error.hint or ''}".strip(),
            )
        now = self.clock.now()
        detail = {kind: name, "answered": found[0], "said": found[2][:300]}
        entry = journal.Entry(f"{kind}_tried", by, detail=detail)
        self.ledger.write(lambda c: journal.append(c, [entry], now))
        return found

    def pause_connection(self, name: str, by: str, reason: str) -> None:
        """Nothing is taken in through it for now; who hands over is told so.  Raises UnknownName."""
        self.generations.current().connection(name)
        pauses.pause(self.ledger, self.clock, name, by, reason)

    def resume_connection(self, name: str, by: str) -> None:
        """It takes in again.  Raises UnknownName."""
        self.generations.current().connection(name)
        pauses.resume(self.ledger, self.clock, name, by)

    def _known(self, name: str) -> None:
        if name not in self.generations.current().settings.destinations:
            raise UnknownName.of("destination", "投递目标", name, self.generations.current().settings.destinations)


def _by_dataset(generation: Generation, counted: Rates, whose: str, names: Sequence[str]) -> list[dict[str, Any]]:
    ids = sorted({dataset for who, dataset, _ in counted.datasets if who == whose})
    known = set(generation.standard.ids())
    return [
        {
            "dataset": one,
            "title": generation.standard.dataset(one).title if one in known else one,
            "counts": [counted.datasets[whose, one, name] for name in names],
        }
        for one in ids
    ]
