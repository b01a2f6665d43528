"""`/v1/parcels`: the door for other hubs."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from adapters.formats.parcel import MAX_BYTES
from hub.api.access import HandsOver, Sees, TheHub
from hub.bootstrap import Hub
from hub.neighbours import Neighbours
from hub.trace import Tracing
from standards.errors import PayloadTooLarge

router = APIRouter(prefix="/v1/parcels", tags=["级联 other hubs"])
tracing = APIRouter(tags=["级联 other hubs"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/cloudevents+json": {"schema": {"type": "object"}}},
    }
}


def neighbours(hub: Hub) -> Neighbours:
    """The hub's face to other hubs."""
    return hub.neighbours()


@router.post(
    "",
    summary="接收交换包 take a parcel",
    openapi_extra=_BODY,
    responses={202: {"description": "已收到，回执稍后 kept; the verdict comes later"}},
)
async def take(
    request: Request,
    hub: TheHub,
    who: HandsOver,
    wait: Annotated[float, Query(ge=0, description="最多等待秒数 seconds to wait for the verdict")] = 0,
) -> JSONResponse:
    """A CloudEvent, structured or binary.  Each record is judged again; the id keeps a repeat from doubling."""
    face = neighbours(hub)
    held = bytearray()
    async for piece in request.stream():
        held += piece
        if len(held) > MAX_BYTES:
            raise PayloadTooLarge("too large for a parcel", what_zh="交换包过大")
    headers = dict(request.headers)
    receipt_no = await run_in_threadpool(face.take, bytes(held), headers, who.party, who.id)
    if wait > 0:
        seconds = min(wait, hub.settings.api.max_wait.total_seconds())
        await request.app.state.waiting.until(receipt_no, ("judged", "settled"), seconds)
    said = await run_in_threadpool(face.verdict, receipt_no)
    return JSONResponse(said, 202 if said["awaiting"] else 200)


class Asked(BaseModel):
    """Parcels that were handed over and not answered yet."""

    parcels: list[UUID] = Field(max_length=1000, description="交换包编号 ids of parcels")


@router.post("/verdicts", summary="查询交换包回执 verdicts on parcels")
def verdicts(hub: TheHub, who: Sees, body: Asked) -> list[dict[str, Any]]:
    """What this hub says of them; those it has not judged yet are left out."""
    return neighbours(hub).verdicts(who.party, body.parcels)


class Sought(BaseModel):
    """A record that is looked for; in the body, because keys may be personal."""

    record: str = Field(min_length=1, max_length=400, description="交换标识、业务主键或 回执编号#行号")


@tracing.post("/v1/trace", summary="数据在哪里 where a record is")
def trace(hub: TheHub, who: Sees, body: Sought) -> list[dict[str, Any]]:
    """At this hub, at its destinations, and at the hubs above; a party sees its own records."""
    party = None if who.is_operator else who.party
    return Tracing(hub.ledger, hub.generations, hub.doors).trace(body.record, party)


@router.get("/news", summary="上级回执 what higher levels said")
def news(
    hub: TheHub,
    who: Sees,
    after: Annotated[UUID | None, Query(description="在此之后 behind the news with this id")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="最多多少条 at most")] = 500,
) -> list[dict[str, Any]]:
    """Verdicts of levels above this one on the caller's parcels, oldest first."""
    return neighbours(hub).news(who.party, after, limit)
