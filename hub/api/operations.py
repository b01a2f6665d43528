"""`/v1/status`, `/v1/destinations`, `/v1/keys` …: the operator's verbs, and health for machines."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from hub.api.access import Operates, SeesAll, SeesOfRegion, TheHub, in_scope, may_use
from hub.bootstrap import Hub
from hub.coverage import of_ledger
from hub.dispatch.decide import Decisions, Verb
from hub.facts import Facts
from hub.flows.desk import Flows
from hub.ledger import crosswalks, journal, migrate, parcels, submissions
from hub.ledger.engine import ping
from standards.clock import local_text
from standards.errors import HubError, UnknownName
from standards.masks_in_text import mask_text
from standards.rights import Right
from standards.states import word

router = APIRouter(tags=["运维 operations"])

Limit = Annotated[int, Query(ge=1, le=1000, description="最多多少行 rows at most")]


@router.get("/healthz", summary="存活 alive", include_in_schema=True)
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", summary="就绪 ready")
def ready(hub: TheHub) -> JSONResponse:
    """Ledger, its form, the broker and the settings can be used."""
    checks: dict[str, str] = {}
    good = True

    def run(name: str, look: Any) -> None:
        nonlocal good
        try:
            checks[name] = str(look() or "ok")
        except HubError as error:
            good = False
            checks[name] = error.what

    run("ledger", lambda: ping(hub.ledger))
    run("ledger form", lambda: "newest" if migrate.is_current(hub.ledger) else "old")
    run("broker", hub.broker.check)
    run("settings", lambda: f"generation {hub.generations.current().number}")
    # A way that is not open is told, and is no reason to send callers elsewhere.
    run("canaries", lambda: _late(hub) or "ok")
    return JSONResponse({"status": "ok" if good else "not ready", "checks": checks}, 200 if good else 503)


def _late(hub: TheHub) -> str:
    late = sum(1 for one in hub.canaries().listed() if one["late"])
    return f"{late} late" if late else ""


@router.get("/v1/status", summary="运行概况 everything at a glance")
def status(hub: TheHub, _who: SeesAll) -> dict[str, Any]:
    """Backlogs, destinations (`unused`: those nothing was sent to yet), cases, today's counts."""
    found = Facts(hub.ledger, hub.clock).status()
    there = hub.generations.current().settings.destinations
    return {**found, "unused": [name for name in there if name not in found["destinations"]]}


@router.get("/v1/coverage", summary="填写情况 how elements are filled")
def coverage(
    hub: TheHub,
    who: SeesOfRegion,
    connection: Annotated[str | None, Query(description="接入名称，缺省全部 connection; default: all")] = None,
    since: Annotated[date | None, Query(description="这一天以来的报送 submissions since this day")] = None,
    rows: Annotated[int, Query(ge=1, le=200_000, description="每个接入最多看多少条 records of each at most")] = 20_000,
) -> list[dict[str, Any]]:
    """Element by element, the worst first: share filled, values, findings.

    A party sees its own connections, who is confined to a region those of its parties.
    """
    if connection is not None:
        may_use(hub, who, connection)
    known = hub.generations.current().settings.connections
    names = [connection] if connection else [n for n, c in known.items() if in_scope(hub, who, c.party)]
    found = of_ledger(hub, names, since, rows)
    return found if who.may(Right.BODIES) else [_without_values(one) for one in found]


def _without_values(document: dict[str, Any]) -> dict[str, Any]:
    """The commonest value of an element is content."""
    return {**document, "elements": [{**line, "commonest": ""} for line in document["elements"]]}


@router.get("/v1/submissions", summary="报送列表 submissions")
def listed(
    hub: TheHub,
    who: SeesOfRegion,
    connection: Annotated[str | None, Query(description="接入名称 name of the connection")] = None,
    limit: Limit = 100,
) -> list[dict[str, Any]]:
    """The newest submissions; a party sees its own."""
    with hub.ledger.read() as read:
        found = list(
            submissions.listed(
                read, party=None if who.is_operator else who.party, connection_name=connection, limit=limit
            )
        )
    found = [one for one in found if in_scope(hub, who, one.party)]
    return [
        {
            "receipt_no": s.receipt_no,
            "party": s.party,
            "connection": s.connection,
            "dataset": s.dataset,
            "name": s.name,
            "state": s.state,
            "state_zh": word(s.state),
            "test": s.test,
            "received_at": local_text(s.received_at),
            "counts": {n: getattr(s, n) for n in ("read", "accepted", "rejected", "held", "duplicate")},
        }
        for s in found
    ]


class Reason(BaseModel):
    """Why an operator does something."""

    reason: str = Field("", max_length=500, description="原因 why")


@router.post("/v1/destinations/{name}/pause", summary="暂停投递 pause a destination")
def pause(hub: TheHub, who: Operates, name: str, body: Reason) -> dict[str, str]:
    """Its parcels wait; nothing is skipped."""
    flows(hub).pause(name, who.id, body.reason)
    return {"destination": name, "state": "paused"}


@router.post("/v1/destinations/{name}/resume", summary="恢复投递 let a destination go on")
def resume(hub: TheHub, who: Operates, name: str) -> dict[str, Any]:
    """Everything that waits for it is due now."""
    return {"destination": name, "state": "up", "hastened": flows(hub).resume(name, who.id)}


def flows(hub: Hub) -> Flows:
    """The desk of flows."""
    return Flows(hub.ledger, hub.generations, hub.clock, hub.cases(), hub.transports, hub.broker.wake)


class Decided(BaseModel):
    """What is to happen to parcels that stopped."""

    verb: Verb = Field(description="resend 重新投递；arrived 对方已收到")
    reason: str = Field(min_length=1, max_length=500, description="依据 why, and how it is known")
    parcel: UUID | None = Field(None, description="只处理这一个交换包 this parcel only")


@router.get("/v1/destinations/{name}/stopped", summary="待人工决定的交换包 parcels that wait for a person")
def stopped(hub: TheHub, _who: Operates, name: str, limit: Limit = 200) -> list[dict[str, Any]]:
    """Parked (given up) and in doubt (the answer was lost), the oldest first."""
    _known_destination(hub, name)
    with hub.ledger.read() as connection:
        found = parcels.undecided(connection, name, limit, before=hub.clock.now())
    return [
        {
            "parcel": str(p.id),
            "state": p.state,
            "state_zh": word(p.state),
            "dataset": p.dataset,
            "batch": p.batch,
            "count": p.count,
            "attempts": p.attempts,
            "since": local_text(p.ended_at),
            "why": mask_text(p.error_text),
        }
        for p in found
    ]


@router.post("/v1/destinations/{name}/stopped", summary="决定如何处理停下的交换包 decide about stopped parcels")
def decide(hub: TheHub, who: Operates, name: str, body: Decided) -> dict[str, Any]:
    """All of them, or one; each is decided about once, and the journal says by whom and why."""
    _known_destination(hub, name)
    decisions = Decisions(hub.ledger, hub.clock, hub.settling)
    count = decisions.decide(name, body.verb, by=who.id, reason=body.reason, only=body.parcel)
    hub.broker.wake()
    return {"destination": name, "verb": body.verb, "parcels": count}


def _known_destination(hub: TheHub, name: str) -> None:
    known = hub.generations.current().settings.destinations
    if name not in known:
        raise UnknownName.of("destination", "投递目标", name, known)


class Answered(BaseModel):
    """What a word of a system means."""

    mapping: str = Field(description="映射 mapping")
    name: str = Field(description="码表对照名或码表 crosswalk")
    source: str = Field(description="来源系统的值 the system's word")
    code: str = Field(description="标准代码 our code")
    note: str = Field("", description="备注 note")


@router.post("/v1/crosswalks", summary="回答未知代码 answer an unknown code")
def answer(hub: TheHub, who: Operates, body: Answered) -> dict[str, str]:
    """From now on; what was rejected before is handed in again by its owner."""
    known = hub.generations.current().crosswalk_names(body.mapping)
    if body.name not in known:
        raise UnknownName.of("crosswalk", "码表对照", body.name, known)
    now = hub.clock.now()

    def work(connection: Connection) -> None:
        crosswalks.answer(connection, body.mapping, body.name, body.source, body.code, who.id, now, body.note)
        journal.append(connection, [journal.Entry("code_answered", who.id, detail=body.model_dump())], now)

    hub.ledger.write(work)
    return {"mapping": body.mapping, "source": body.source, "code": body.code}
