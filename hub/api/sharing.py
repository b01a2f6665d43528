"""`/v1/grants`, `/v1/records/…`, `/v1/subjects/query`, `/v1/looks`: sharing by grant and stated purpose."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from hub.api.access import Grants, Sees, SeesShared, Shares, TheHub
from hub.api.bodies import whole
from hub.api.submissions import BODY
from hub.bootstrap import Hub
from hub.ledger.credentials import Holder
from hub.sharing import batch, sheets
from hub.sharing.desk import Asked, Sharing
from standards.rights import Right

router = APIRouter(prefix="/v1", tags=["共享 sharing"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Text = Annotated[str, Field(max_length=500)]
Code = Annotated[str, Field(max_length=64)]


class NewGrant(BaseModel):
    """Who may see what of whose data, for what, until when."""

    owner: Code = Field(description="数据所有单位（接入方） party whose data it is")
    receiver: Code = Field(description="接收单位（接入方） party that may see it")
    dataset: Code = Field(description="数据集 data set")
    elements: list[Code] = Field(
        [], max_length=500, description="数据项；空：除个人信息外全部 empty: all but personal ones"
    )
    rule: Text = Field("", description="只限符合该表达式的记录 only records of which it is true")
    purpose: Text = Field(description="用途 what it is for")
    until: datetime = Field(description="截止时间 end")


class Consent(BaseModel):
    """The owner's consent."""

    named: Text = Field(description="同意人姓名、依据 who consented, on what ground")


class End(BaseModel):
    """Why a grant ends."""

    reason: Text = Field("", description="原因 reason")


class Subscription(BaseModel):
    """Where new records of a grant go."""

    grant: UUID = Field(description="授权 the grant")
    destination: Code = Field(
        description="接收单位的共享投递目标；空：退订 its destination with shared = true; empty: end it"
    )


class Demand(BaseModel):
    """What is asked for; everything that could be personal stands in the body, never in the address."""

    dataset: Code = Field(description="数据集 data set")
    purpose: Text = Field(description="用途 what it is for")
    subjects: list[Code] = Field([], max_length=1000, description="主体统一社会信用代码 credit codes of subjects")
    keys: list[list[Text]] = Field([], max_length=1000, description="业务主键 natural keys, each its parts in order")
    since: str = Field("", pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="业务日期自 event date from")
    until: str = Field("", pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="业务日期至 event date to")
    cursor: str = Field("", max_length=80, description="上一页给出的游标 as the page before gave it")
    limit: int = Field(100, ge=1, le=1000, description="大约多少条 about so many")

    def asked(self) -> Asked:
        """As the desk takes it."""
        return Asked(
            self.dataset,
            self.purpose,
            tuple(self.subjects),
            tuple(map(tuple, self.keys)),
            self.since,
            self.until,
            self.cursor,
            self.limit,
        )


class AboutSubject(BaseModel):
    """Whose file, and what it is for."""

    code: Code = Field(description="统一社会信用代码 credit code")
    purpose: Text = Field(description="用途 what it is for")


def _actor(who: Holder) -> str:
    return str(who.id)


def _party(who: Holder) -> str:
    return "" if who.is_operator else who.party


def _shows(hub: Hub, who: Holder) -> Sharing:
    """The desk, with personal values as the caller may see them."""
    return hub.sharing(plain=who.may(Right.UNMASK))


@router.get("/grants", summary="共享授权 grants")
def grants(hub: TheHub, who: Sees) -> list[dict[str, Any]]:
    """Those of the caller's data and those it received; the operator sees all."""
    return hub.sharing().grants(_party(who))


@router.post("/grants", summary="登记授权 write a grant down", status_code=201)
def grant(hub: TheHub, who: Grants, body: NewGrant) -> dict[str, Any]:
    """It opens nothing before the owner of the data consented."""
    desk = hub.sharing()
    return desk.told(desk.propose(_actor(who), body.model_dump()))


@router.post("/grants/{grant}/consent", summary="所有单位同意 the owner consents")
def consent(hub: TheHub, who: Shares, grant: UUID, body: Consent) -> dict[str, Any]:
    """By the owner, or by the operator who writes down who did."""
    desk = hub.sharing()
    return desk.told(desk.consent(grant, _party(who), _actor(who), body.named))


@router.post("/grants/{grant}/end", summary="终止授权 end a grant")
def end(hub: TheHub, who: Shares, grant: UUID, body: End) -> dict[str, Any]:
    """By its owner, its receiver or the operator; what still waits for delivery stays here."""
    desk = hub.sharing()
    return desk.told(desk.end(grant, _party(who), _actor(who), body.reason))


@router.post("/subscriptions", summary="订阅 subscribe")
def subscribe(hub: TheHub, who: Shares, body: Subscription) -> dict[str, Any]:
    """New records of the grant go to the receiver's destination, cut to what the grant allows."""
    desk = hub.sharing()
    return desk.told(desk.subscribe(body.grant, _party(who), _actor(who), body.destination))


@router.post("/records/query", summary="查询 query records")
def query(hub: TheHub, who: SeesShared, body: Demand) -> dict[str, Any]:
    """Records the caller's grants open, with the elements they open; every look is written down."""
    return _shows(hub, who).query(_party(who), _actor(who), body.asked())


class OneRecord(BaseModel):
    """Which record: its natural key stands in the body, never in the address."""

    dataset: Code = Field(description="数据集 data set")
    key: list[Text] = Field(min_length=1, max_length=10, description="业务主键，按次序 natural key, its parts in order")
    owner: str = Field("", max_length=18, description="归属单位，缺省全部 owner; absent: all")


@router.post("/records/history", summary="一条记录的全部经过 time travel of a record")
def history(hub: TheHub, who: SeesShared, body: OneRecord) -> dict[str, Any]:
    """Every revision, how it came, where it went, its cases, and what today's rules would say; a party sees its own."""
    return hub.history().of(body.dataset, body.key, owner=body.owner, party=_party(who), by=_actor(who))


@router.post("/records/export", summary="批量导出 export records", response_class=StreamingResponse)
def export(
    hub: TheHub,
    who: SeesShared,
    body: Demand,
    form: Annotated[Literal["ndjson", "csv", "xlsx"], Query(description="格式 form")] = "ndjson",
) -> StreamingResponse:
    """Everything the caller's grants open of a data set, as it is read; memory does not grow with it."""
    desk = _shows(hub, who)
    asked = body.asked()
    opened = desk.opened(_party(who), body.dataset)
    names = sorted({name for granted in opened.by_owner.values() for one in granted for name in one.names})
    names = [name for name in names if name in opened.dataset.by_id]
    seen = desk.export(_party(who), _actor(who), asked)
    pieces: Iterator[bytes]
    if form == "ndjson":
        pieces, kind = sheets.ndjson(seen), "application/x-ndjson"
    elif form == "csv":
        pieces, kind = sheets.comma(seen, opened.dataset, names), "text/csv"
    else:
        pieces, kind = sheets.workbook([sheets.sheet_of(seen, opened.dataset, names)]), _XLSX
    headers = {"content-disposition": f'attachment; filename="{body.dataset}.{form}"'}
    return StreamingResponse(pieces, media_type=kind, headers=headers)


@router.post("/records/batch", summary="批量核查 a list of firms in, an Excel out", openapi_extra=BODY)
async def of_list(
    request: Request,
    hub: TheHub,
    who: SeesShared,
    purpose: Annotated[str, Query(max_length=500, description="用途 what it is for")],
    dataset: Annotated[list[str], Query(description="数据集 data sets")],
    name: Annotated[str, Query(max_length=255, description="文件名 file name")] = "list.xlsx",
) -> Response:
    """An Excel or CSV with a column of credit codes; the answer has a line a firm and a sheet a data set."""
    body = await whole(request.stream(), "split the list")
    content_type = request.headers.get("content-type", "").partition(";")[0]

    def work() -> bytes:
        listed = batch.codes_of(name, body, content_type)
        return b"".join(batch.answer(_shows(hub, who), _party(who), _actor(who), purpose, listed, dataset))

    headers = {"content-disposition": 'attachment; filename="answer.xlsx"'}
    return Response(await run_in_threadpool(work), media_type=_XLSX, headers=headers)


@router.post("/subjects/query", summary="一户一档 the file of one subject")
def subject(hub: TheHub, who: SeesShared, body: AboutSubject) -> dict[str, Any]:
    """Everything known of a credit code across data sets, over time, with the source of each element and conflicts."""
    return _shows(hub, who).subject(_party(who), _actor(who), body.code.strip().upper(), body.purpose)


@router.get("/looks", summary="谁看过我的数据 who looked at my data")
def looks(hub: TheHub, who: Sees, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[dict[str, Any]]:
    """Every look at the caller's data, the newest first; the operator sees all."""
    return hub.sharing().looks(_party(who), limit)
