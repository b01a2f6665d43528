"""`/v1/submissions`, `/v1/receipts`, `/v1/judge`: handing over and being answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.requests import ClientDisconnect

from hub.api import names
from hub.api.access import HandsOver, SeesBodies, SeesOfRegion, TheHub, in_full, in_scope, may_use
from hub.api.bodies import FORM, flow, form_file, pieces_of, whole
from hub.bootstrap import Hub
from hub.judge import judge
from hub.ledger.credentials import Holder
from hub.marked import Marked
from standards.errors import UnknownName
from standards.ports import Acknowledged, HandOver, ReceiptView
from standards.tracing import incoming

log = structlog.get_logger()

router = APIRouter(prefix="/v1", tags=["报送 submissions"])

#: A body of at most so many bytes is read whole before it is handed on.
_SMALL = 4 * 1024 * 1024

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in (
                "application/json",
                "application/x-ndjson",
                "application/xml",
                "text/csv",
                _XLSX,
                "application/zip",
                "application/octet-stream",
            )
        },
    }
}

WaitFor = Literal["judged", "settled"]


@router.post(
    "/submissions",
    summary="报送数据 hand over data",
    status_code=202,
    openapi_extra=BODY,
    responses={
        200: {"description": "等待时间内已校验（或办结），返回回执 the receipt, when waiting sufficed"},
        202: {"description": "已收到，返回回执编号 kept; the receipt number"},
        401: {"description": "密钥无效 wrong key"},
        404: {"description": "接入不存在 unknown connection"},
        409: {"description": "报送编号已用于其他内容 the id was used for other content"},
        413: {"description": "内容过大 too large"},
        503: {"description": "暂时不可用 not now; try again"},
    },
)
async def submit(
    request: Request,
    hub: TheHub,
    who: HandsOver,
    connection: Annotated[str, Query(description="接入名称 name of the connection")],
    wait: Annotated[float, Query(ge=0, description="最多等待秒数 seconds to wait for the verdict")] = 0,
    wait_for: Annotated[WaitFor, Query(description="等到什么状态 what to wait for")] = "judged",
    name: Annotated[str, Query(max_length=255, description="文件名 file name, for the receipt")] = "",
    lane: Annotated[Literal["auto", "now", "bulk"], Query(description="通道 lane")] = "auto",
    idempotency_key: Annotated[
        str | None, Header(max_length=200, description="报送编号：重发时不变，不会重复入库 own id of this hand-over")
    ] = None,
    traceparent: Annotated[str | None, Header(max_length=64, description="W3C 链路标识 W3C trace context")] = None,
) -> Response:
    """Body: JSON, NDJSON, XML, CSV, XLSX/XLS, or a zip of these; or a form with one file.

    The bytes are committed before the answer.
    """
    await run_in_threadpool(may_use, hub, who, connection)
    hand_over = HandOver(
        connection=connection,
        external_id=idempotency_key or "",
        name=names.told(request, name),
        content_type=request.headers.get("content-type", "").partition(";")[0],
        traceparent=incoming(traceparent),
        lane=None if lane == "auto" else lane,
        actor=who.id,
    )
    try:
        acknowledged = await _receive(hub, request, hand_over)
    except ClientDisconnect:
        log.info("the sender went away half-way", action="sender_gone", connection=connection)
        return Response(status_code=499)
    view = None
    if wait > 0:
        seconds = min(wait, hub.settings.api.max_wait.total_seconds())
        wanted = ("settled",) if wait_for == "settled" else ("judged", "settled")
        await request.app.state.waiting.until(acknowledged.receipt_no, wanted, seconds)
        view = await run_in_threadpool(hub.receipts.receipt, acknowledged.receipt_no)
    elif acknowledged.repeated:
        view = await run_in_threadpool(hub.receipts.receipt, acknowledged.receipt_no)
    return _acknowledge(acknowledged, view, wait_for)


def _acknowledge(acknowledged: Acknowledged, view: ReceiptView | None, wait_for: str) -> JSONResponse:
    headers = {"location": f"/v1/receipts/{acknowledged.receipt_no}"}
    reached = view is not None and (view.state == "settled" or (wait_for == "judged" and view.judged))
    if view is not None and (reached or acknowledged.repeated):
        return JSONResponse({**view.document, "repeated": acknowledged.repeated}, 200, headers)
    body: dict[str, Any] = {
        "receipt_no": acknowledged.receipt_no,
        "state": view.state if view is not None else "received",
        "repeated": acknowledged.repeated,
    }
    return JSONResponse(body, 202, headers)


async def _receive(hub: Hub, request: Request, hand_over: HandOver) -> Acknowledged:
    if hand_over.content_type == FORM:
        part = await form_file(request)
        named = replace(
            hand_over, name=hand_over.name or names.mended(part.filename or ""), content_type=part.content_type or ""
        )
        pieces = iter(lambda: part.file.read(1 << 20), b"")
        return await run_in_threadpool(hub.intake.receive, named, pieces)
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) <= _SMALL:
        body = await request.body()
        return await run_in_threadpool(hub.intake.receive, hand_over, [body])
    return await flow(request.stream(), partial(hub.intake.receive, hand_over))


@router.get(
    "/receipts/{receipt_no}.xlsx",
    summary="标注问题的 Excel 回执 the sender's own sheet with the faults marked",
    responses={200: {"content": {_XLSX: {}}, "description": "工作簿 the workbook"}},
    response_class=Response,
)
def workbook(hub: TheHub, who: SeesBodies, request: Request, receipt_no: str) -> Response:
    """An .xlsx comes back as it was, with colours and comments at its cells; anything else as a sheet of its rows.

    To others than its party, without the right to personal values: a sheet of its rows with these masked.
    """
    short = hub.receipts.brief(receipt_no)
    if short is None:
        raise _no_receipt(receipt_no)
    _mine(hub, who, short)
    masked = not in_full(request, who, short["party"])
    body = Marked(hub.ledger, hub.generations, hub.receipts, hub.seal).workbook(receipt_no, masked=masked)
    headers = {"content-disposition": f'attachment; filename="{receipt_no}.xlsx"'}
    return Response(body, media_type=_XLSX, headers=headers)


@router.get("/receipts/{receipt_no}", summary="查询回执 a receipt")
def receipt(
    hub: TheHub,
    who: SeesOfRegion,
    request: Request,
    receipt_no: str,
    after: Annotated[int, Query(ge=0, description="从第几条之后 findings of rows behind this one")] = 0,
    limit: Annotated[int, Query(ge=1, le=5000, description="最多多少条记录 rows in one answer")] = 500,
    brief: Annotated[bool, Query(description="只要状态和条数 state and counts only")] = False,
    language: Annotated[Literal["zh", "en"], Query(description="文本语言 for text/plain")] = "zh",
) -> Response:
    """The receipt with its present state; as text when `Accept: text/plain` asks for it."""
    if brief:
        short = hub.receipts.brief(receipt_no)
        if short is None:
            raise _no_receipt(receipt_no)
        _mine(hub, who, short)
        return JSONResponse(short)
    view = hub.receipts.receipt(receipt_no, after=after, limit=limit)
    if view is None:
        raise _no_receipt(receipt_no)
    _mine(hub, who, view.document)
    if request.headers.get("accept", "").startswith("text/plain"):
        return PlainTextResponse(hub.receipts.words(receipt_no, language))
    return JSONResponse(dict(view.document))


def _no_receipt(receipt_no: str) -> UnknownName:
    return UnknownName(
        f"no receipt {receipt_no}",
        what_zh=f"没有编号为 {receipt_no} 的回执",
        hint="check the number; its last digit is a check digit",
        hint_zh="请核对回执编号，末位为校验码",
    )


def _mine(hub: Hub, who: Holder, document: Mapping[str, Any]) -> None:
    """Somebody else's receipt is not there, for all they may know."""
    if not in_scope(hub, who, document["party"]):
        raise _no_receipt(document["receipt_no"])


@router.post("/judge", summary="试校验，不留存 judge without keeping", openapi_extra=BODY)
async def judge_only(
    request: Request,
    hub: TheHub,
    who: HandsOver,
    connection: Annotated[str, Query(description="接入名称 name of the connection")],
    name: Annotated[str, Query(max_length=255, description="文件名 file name")] = "",
) -> JSONResponse:
    """What the hub would say of these data; nothing is kept."""
    await run_in_threadpool(may_use, hub, who, connection)
    content_type, name = request.headers.get("content-type", "").partition(";")[0], names.told(request, name)
    if content_type == FORM:
        part = await form_file(request)
        content_type, name = part.content_type or "", name or names.mended(part.filename or "")
        body = await whole(pieces_of(part), "submit it instead")
    else:
        body = await whole(request.stream(), "submit it instead")
    verdict = await run_in_threadpool(judge, hub, connection, body, name, content_type)
    return JSONResponse(verdict)
