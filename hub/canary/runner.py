"""Canaries on their way: through the queues, the checker and the dispatcher like data, and into no table of data.

scheduler ─▶ work.translate.now ─▶ judged ─▶ deliver.<destination>.now ─▶ the other hub ─▶ its verdict ─▶ back
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection

from hub.broker import topology
from hub.canary.sample import CD_ID, faults_of, parcel_of
from hub.canary.ways import dataset_for, reach_of, watched
from hub.dispatch.doors import Doors
from hub.generations import Generation, Generations
from hub.ledger import canaries, outbox
from hub.ledger.canaries import Canary
from hub.ledger.engine import Ledger
from hub.ledger.outbox import Outgoing
from standards.clock import Clock, local_text
from standards.digest import uuid7
from standards.errors import BadRecord, HubError, LedgerBusy, UnknownName
from standards.parcel import Answer, Parcel, Result, from_event, to_event
from standards.ports import Awaited
from standards.states import Lane

log = structlog.get_logger()

#: Begins the body of a message, and the number of a receipt, that is about a canary.
MARK = "canary-"
_KEPT = timedelta(days=1)
_MOST_BYTES = 256 * 1024
_REACHES = {
    "through": ("往返", "there and back"),
    "connection": ("仅连接", "connection only"),
    "no": ("无", "none"),
}


def canary_of(body: bytes) -> UUID | None:
    """The canary that a message of the broker is about; None when it is about data."""
    head = MARK.encode("ascii")
    return UUID(body[len(head) :].decode("ascii")) if body.startswith(head) else None


@dataclass(slots=True)
class Canaries:
    """Every process has one; what it knows is in the ledger."""

    ledger: Ledger
    generations: Generations
    doors: Doors
    clock: Clock
    wake: Callable[[], None] = lambda: None

    # The scheduler

    def start_due(self) -> int:
        """Start one on each way whose last was started long enough ago; end those that stay away."""
        generation = self.generations.current()
        settings, now = generation.settings.canary, self.clock.now()
        with self.ledger.read() as connection:
            last = canaries.last_started(connection)
            under_way = canaries.on_the_way(connection)
            ways = watched(connection, generation.settings)
        late = [one for one in under_way if now - one.started_at >= settings.late]
        busy = {one.way for one in under_way} - {one.way for one in late}
        new = [
            self._new(generation, way, reach, now)
            for way, reach in ways.items()
            if way not in busy and (way not in last or now - last[way] >= settings.every)
        ]
        if not new and not late:
            return 0

        def work(connection: Connection) -> None:
            for one in late:
                canaries.end(connection, one.id, now, "没有在规定时间内返回 (did not come back in time)")
            for one in new:
                canaries.add(connection, one)
            outbox.put(connection, [_message(topology.translate(Lane.NOW), one.id) for one in new], now)
            canaries.prune(connection, now - max(_KEPT, settings.late))

        self.ledger.write(work)
        return len(new)

    @staticmethod
    def _new(generation: Generation, way: str, reach: str, now: datetime) -> Canary:
        standard = generation.standard
        dataset = dataset_for(generation.settings, way, [standard.dataset(name) for name in standard.ids()])
        return Canary(id=uuid7(), way=way, inward=False, reach=reach, dataset=dataset, started_at=now)

    # Workers

    def judge(self, identifier: UUID) -> None:
        """The work of `work.translate.*`: the record meets the checker."""
        generation, now = self.generations.current(), self.clock.now()
        with self.ledger.read() as connection:
            one = canaries.get(connection, identifier)
        if one is None or one.judged_at is not None or one.ended_at is not None:
            return
        try:
            parcel = self._parcel(generation, one)
            problem = "；".join(faults_of(generation, parcel, now)[:10])
        except (HubError, KeyError) as error:
            problem = error.what_zh if isinstance(error, HubError) else f"没有投递目标 {one.way} (no such destination)"

        def work(connection: Connection) -> None:
            if not canaries.mark(connection, identifier, "judged_at", now):
                return
            if problem or one.inward:
                canaries.end(connection, identifier, now, problem)
                return
            route = topology.deliver(parcel.direction, one.way, one.dataset, Lane.NOW)
            outbox.put(connection, [_message(route, identifier)], now)

        self.ledger.write(work)
        self.wake()

    @staticmethod
    def _parcel(generation: Generation, one: Canary) -> Parcel:
        if one.content is not None:
            return from_event(one.content, "")
        return parcel_of(generation, one.id, one.way, one.dataset, one.started_at)

    def send(self, identifier: UUID) -> None:
        """The work of `deliver.*`: to the destination, or to its connection only."""
        generation, now = self.generations.current(), self.clock.now()
        with self.ledger.read() as connection:
            one = canaries.get(connection, identifier)
        if one is None or not self.ledger.write(lambda c: canaries.mark(c, identifier, "sent_at", now)):
            return
        try:
            door = self.doors.door(generation, one.way)
            if door is None:
                self._end(one, f"没有投递目标 {one.way} (no such destination)")
            elif one.reach == "connection":
                door[1].check()
                self._end(one, "")
            else:
                self.answered(identifier, door[1].deliver(self._parcel(generation, one)))
        except LedgerBusy:
            raise
        except HubError as error:
            self._end(one, error.what_zh)
        except Exception as error:
            log.exception("the adapter stumbled", action="adapter_error", destination=one.way)
            self._end(one, type(error).__name__)

    def _end(self, one: Canary, problem: str) -> None:
        now = self.clock.now()
        if self.ledger.write(lambda c: canaries.end(c, one.id, now, problem)) and problem:
            log.warning("a canary did not come back", action="canary_lost", way=one.way, why=problem[:300])

    # The collector

    def awaited(self, connection: Connection, way: str) -> list[Awaited]:
        """Those whose verdict is to be asked for."""
        name = self.generations.current().settings.hub.name
        return [
            Awaited(
                parcel_id=one.id,
                dataset=one.dataset,
                batch="",
                sent_at=one.sent_at or one.started_at,
                cd_ids=[f"{CD_ID}-{name}"],
            )
            for one in canaries.awaiting(connection, way)
        ]

    def answered(self, identifier: UUID, answer: Answer) -> None:
        """What the other hub said of one."""
        if answer.awaiting:
            return
        with self.ledger.read() as connection:
            one = canaries.get(connection, identifier)
        bad = [line for line in answer.lines if line.result in (Result.REFUSED, Result.HELD)]
        if one is not None:
            self._end(one, "；".join(f"{line.code} {line.message}".strip() for line in bad) or ("?" if bad else ""))

    # Other hubs

    def take(self, parcel: Parcel, connection_name: str) -> str:
        """Keep another hub's canary until it is judged; the number to ask with.  Raises BadRecord."""
        body = to_event(parcel)
        if len(body) > _MOST_BYTES:
            raise BadRecord("a canary carries one small record", what_zh="探测记录过大")
        now = self.clock.now()
        one = Canary(
            id=parcel.id,
            way=connection_name,
            inward=True,
            reach="through",
            dataset=parcel.dataset,
            content=body,
            started_at=now,
        )

        def work(connection: Connection) -> None:
            if canaries.add(connection, one):
                outbox.put(connection, [_message(topology.translate(Lane.NOW), one.id)], now)

        self.ledger.write(work)
        self.wake()
        return f"{MARK}{parcel.id}"

    def verdict(self, receipt_no: str) -> dict[str, Any]:
        """What this hub says of another's canary.  Raises UnknownName."""
        one = None
        try:
            with self.ledger.read() as connection:
                one = canaries.get(connection, UUID(receipt_no.removeprefix(MARK)))
        except ValueError:
            pass
        if one is None or not one.inward:
            raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有回执 {receipt_no}")
        hub = self.generations.current().settings.hub
        said: dict[str, Any] = {"receipt_no": receipt_no, "speaker": hub.name, "level": hub.level, "test": True}
        if one.ended_at is None:
            return {**said, "awaiting": True}
        line = {"cd_id": CD_ID, "result": str(Result.REFUSED), "code": "", "element": "", "message": one.problem}
        return {**said, "awaiting": False, "records": [line] if one.problem else []}

    def taken(self, parcel_id: UUID, doors: Sequence[str]) -> str | None:
        """The number of a canary that came in through one of these connections."""
        with self.ledger.read() as connection:
            one = canaries.get(connection, parcel_id)
        return f"{MARK}{parcel_id}" if one is not None and one.inward and one.way in doors else None

    def states(self, receipt_nos: Sequence[str]) -> dict[str, str]:
        """`judged` for those that have their verdict; of other numbers nothing is said."""
        ids = {UUID(one.removeprefix(MARK)): one for one in receipt_nos if one.startswith(MARK)}
        if not ids:
            return {}
        with self.ledger.read() as connection:
            return {ids[i]: "judged" for i, over in canaries.states(connection, list(ids)).items() if over}

    # For people and machines

    def seconds(self, connection: Connection, now: datetime) -> Iterator[tuple[str, float]]:
        """Way and age of the last that came back, for metrics."""
        ways = watched(connection, self.generations.current().settings)
        for way, standing in canaries.standings(connection).items():
            if way in ways:
                yield way, standing.age(now).total_seconds()

    def listed(self) -> list[dict[str, Any]]:
        """Every way with how far canaries go there, the age of the last that came back, and what is wrong."""
        settings, now = self.generations.current().settings, self.clock.now()
        with self.ledger.read() as connection:
            standings = canaries.standings(connection)
            ways = watched(connection, settings)
        result = []
        for name, said in settings.destinations.items():
            reach = reach_of(said) if settings.canary.every else "no"
            standing = standings.get(name) if name in ways else None
            result.append(
                {
                    "way": name,
                    "title": said.title or settings.parties[said.party].title,
                    "reach": reach,
                    "reach_zh": _REACHES[reach][0],
                    "reach_en": _REACHES[reach][1],
                    "paused": reach != "no" and name not in ways,
                    "last_at": local_text(standing.last_at) if standing else "",
                    "took_seconds": standing.took.total_seconds() if standing and standing.took else None,
                    "age_seconds": standing.age(now).total_seconds() if standing else None,
                    "late": standing is not None and standing.trying(now) >= settings.canary.late,
                    "problem": standing.problem if standing else "",
                }
            )
        return result


def _message(route: topology.Route, identifier: UUID) -> Outgoing:
    return Outgoing(route, f"{MARK}{identifier}", f"{MARK}{identifier}".encode("ascii"))
