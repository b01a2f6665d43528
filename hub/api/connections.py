"""`/v1/connections`: what comes in through each, how far its onboarding has come, and its conformance run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool

from hub import onboarding
from hub.api.access import HandsOver, SeesAllOfRegion, SeesOfRegion, TheHub, in_scope, may_use
from hub.api.bodies import whole
from hub.api.submissions import BODY
from hub.bootstrap import Hub
from hub.facts import Facts
from hub.judge import judge

router = APIRouter(prefix="/v1/connections", tags=["接入 connections"])


@router.get("", summary="各接入的收发统计 counts by connection")
def connections(hub: TheHub, who: SeesAllOfRegion) -> list[dict[str, Any]]:
    """What came in through each connection and what became of it; test traffic is counted apart."""
    found = Facts(hub.ledger, hub.clock).connections()
    if not who.region:
        return found
    known = hub.generations.current().settings.connections
    return [one for one in found if (c := known.get(one["connection"])) is not None and in_scope(hub, who, c.party)]


@router.get("/stages", summary="各接入的对接进度 stages of onboarding")
def stages(hub: TheHub, who: SeesOfRegion) -> list[dict[str, Any]]:
    """摸底 → 对接中 → 联调 → 上线, and the last conformance run that was passed; a party sees its own."""
    rows = onboarding.stages(hub.generations.current(), hub.ledger)
    return [row for row in rows if in_scope(hub, who, row["party"])]


@router.post("/{connection}/test", summary="联调测试 a conformance run", openapi_extra=BODY)
async def conformance(
    request: Request,
    hub: TheHub,
    who: HandsOver,
    connection: str,
    name: Annotated[str, Query(max_length=255, description="文件名 file name")] = "",
) -> dict[str, Any]:
    """Judges a sample as data would be; nothing of it is kept but that it passed: when, by whom, with which mapping."""
    await run_in_threadpool(may_use, hub, who, connection)
    body = await whole(request.stream(), "submit it as test traffic instead")
    content_type = request.headers.get("content-type", "").partition(";")[0]
    return await run_in_threadpool(_run, hub, connection, body, name, content_type, who.id)


def _run(hub: Hub, connection: str, body: bytes, name: str, content_type: str, by: str) -> dict[str, Any]:
    verdict = judge(hub, connection, body, name, content_type)
    found = onboarding.outcome(hub.generations.current().settings.onboarding, verdict["counts"])
    if found.passed:
        onboarding.remember(hub.ledger, hub.clock, connection, onboarding.a_run(hub.clock, by, name, verdict))
    return {**asdict(found), **verdict}
