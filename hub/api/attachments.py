"""`/v1/attachments`: evidence and records of the whole course, handed over beside the data and fetched by receivers."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from hub.api.access import HandsOver, SeesBodies, TheHub, in_full, may_use
from hub.api.bodies import flow
from hub.attachments import Cabinet, reference
from hub.bootstrap import Hub
from standards.errors import NotAllowed

router = APIRouter(prefix="/v1/attachments", tags=["附件 attachments"])


def cabinet(hub: Hub) -> Cabinet:
    """The attachments behind the door."""
    return Cabinet(hub.ledger, hub.generations, hub.clock, hub.seal)


@router.post(
    "",
    summary="提交附件 hand over an attachment",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def receive(
    request: Request,
    hub: TheHub,
    who: HandsOver,
    connection: Annotated[str, Query(description="接入名称 name of the connection")],
    name: Annotated[str, Query(min_length=1, max_length=255, description="文件名 file name")],
) -> dict[str, Any]:
    """Kept once by its SM3.  A record names it by the `id` that is answered, in an element for attachments."""
    await run_in_threadpool(may_use, hub, who, connection)
    file_name = name.replace("\\", "/").rpartition("/")[2] or "attachment"
    content_type = request.headers.get("content-type", "")
    take = partial(_take, cabinet(hub), connection, file_name, content_type, who.id)
    return await flow(request.stream(), take)


def _take(held: Cabinet, connection: str, name: str, content_type: str, actor: str, pieces: Any) -> dict[str, Any]:
    kept, repeated = held.receive(connection, name, content_type, pieces, actor)
    said = reference(kept)
    return {
        "id": said.id,
        "name": said.name,
        "size": said.size,
        "type": said.type,
        "sm3": said.sm3,
        "scanned": kept.scanned,
        "repeated": repeated,
    }


@router.get(
    "/{identifier}",
    summary="下载附件 fetch an attachment",
    responses={200: {"content": {"application/octet-stream": {}}, "description": "文件内容 the bytes"}},
    response_class=StreamingResponse,
)
def fetch(hub: TheHub, who: SeesBodies, request: Request, identifier: UUID) -> StreamingResponse:
    """For who handed it over, and for receivers of records that name it, where their route forwards attachments.

    What stands in it cannot be masked: who may not see personal values gets those of the own party only.
    """
    found, pieces = cabinet(hub).fetch(identifier, None if who.is_operator else who.party)
    if not in_full(request, who, found.party):
        raise NotAllowed(
            "an attachment cannot be masked: this needs the right unmask",
            what_zh="缺少权限 unmask：附件内容无法脱敏，不能下载",
        )
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(found.name)}",
        "content-length": str(found.size),
        "x-content-type-options": "nosniff",
        "x-sm3": found.digest,
    }
    return StreamingResponse(pieces, media_type=found.type, headers=headers)
