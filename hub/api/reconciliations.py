"""`/v1/reconciliations`: what was compared and what differs; and what a hub below is told about what it reported."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from hub.api.access import HandsOver, Operates, Replays, Sees, TheHub
from hub.api.bodies import whole
from hub.api.submissions import BODY
from hub.ledger.credentials import Holder
from hub.reconciliation.buckets import BUCKETS
from hub.reconciliation.neighbour import BUCKETS_AT_ONCE, KEYS_AT_ONCE, NAMED, Asked
from standards.errors import BadRecord, NotAllowed

router = APIRouter(prefix="/v1/reconciliations", tags=["对账 reconciliation"])

#: Base64 of a key is 22 characters; of many, four for three bytes.
_KEY_CHARS = 22


class OfDataset(BaseModel):
    """Which records."""

    dataset: str = Field(max_length=64, description="数据集 data set")


class OfMoment(OfDataset):
    """As they stood at a moment."""

    until: datetime = Field(description="时点 the moment")
    without: str = Field("", max_length=NAMED * _KEY_CHARS, description="不计的主键摘要 keys left out, base64")


class OfDays(OfDataset):
    """Of some days."""

    begin: date = Field(description="起 first day")
    end: date = Field(description="止 last day")


class OfBuckets(OfDataset):
    """Of some buckets."""

    buckets: list[Annotated[int, Field(ge=0, lt=BUCKETS)]] = Field(max_length=BUCKETS_AT_ONCE, min_length=1)


class OfKeys(OfDataset):
    """With these keys."""

    keys: str = Field(max_length=KEYS_AT_ONCE * _KEY_CHARS, description="主键摘要 keys, base64")
    since: datetime = Field(description="此后变动的视为在途 what changed after it is under way")


class Wanted(BaseModel):
    """What is compared."""

    destination: str = Field(max_length=63, description="投递目标（枢纽）destination that is a hub")
    datasets: list[Annotated[str, Field(max_length=64)]] = Field(
        [], max_length=100, description="数据集，缺省为投递过的全部 absent: all that were delivered"
    )


class OfCentre(BaseModel):
    """What a report is about."""

    destination: str = Field(max_length=63, description="投递目标（上级中心）destination: the centre")
    day: date = Field(description="业务日期 day")


class Resending(BaseModel):
    """Why, and on whose word."""

    reason: str = Field("", max_length=500, description="原因 why")
    sure: str = Field(
        "",
        max_length=200,
        description="对方不能识别重复时，谁确认重发无害、依据 who answers for a repeat where it cannot be told",
    )


@router.get("", summary="对账记录 what was compared")
def listed(hub: TheHub, who: Sees, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[dict[str, Any]]:
    """The newest first; a party sees those of its own data, and those in which records of its own differ."""
    return hub.reconciliations().listed(who.party, limit)


@router.get("/{reconciliation}", summary="一次对账及差异 one of them, with what differs")
def one(hub: TheHub, who: Sees, reconciliation: UUID) -> dict[str, Any]:
    """Counts of both sides, and the records that differ, bucket by bucket."""
    return hub.reconciliations().one(reconciliation, who.party)


@router.post("", summary="与上级枢纽对账 compare with another hub")
def run(hub: TheHub, who: Operates, body: Wanted) -> list[dict[str, Any]]:
    """Counts and digests in buckets, then key by key where they differ; differences open cases 报送不一致."""
    return hub.reconciliations().with_hub(body.destination, body.datasets, str(who.id))


@router.post("/statements", summary="按报送清单对账 compare with a sender's statement", openapi_extra=BODY)
async def statement(
    request: Request,
    hub: TheHub,
    who: HandsOver,
    party: Annotated[str, Query(max_length=64, description="单位（运维代为提交时）party, for the operator")] = "",
    name: Annotated[str, Query(max_length=255, description="文件名 file name")] = "",
) -> list[dict[str, Any]]:
    """A table with 数据集, 开始日期, 结束日期, 数量, or 主键 of each record; what differs opens cases 报送不一致."""
    body = await whole(request.stream(), "state fewer days at once")
    kind = request.headers.get("content-type", "")
    whose = party if who.is_operator else who.party
    return await run_in_threadpool(hub.reconciliations().with_sender, whose, body, name, kind, str(who.id))


@router.post("/reports", summary="生成并报送对账报告 hand in our report for a centre")
def report(hub: TheHub, who: Operates, body: OfCentre) -> dict[str, int]:
    """Records of `reconciliation_report` about one day, through the connection that the settings name."""
    return {"records": hub.reconciling().report_of(body.destination, body.day, str(who.id))}


@router.post("/{reconciliation}/rehearsal", summary="补发预演 what would be sent once more")
def rehearse(hub: TheHub, _who: Replays, reconciliation: UUID) -> dict[str, Any]:
    """The other side is asked again: what it lacks now, what is on its way, what it has by now.  Nothing is written."""
    return hub.resending().rehearse(reconciliation)


@router.post("/{reconciliation}/resend", summary="补发对方所缺 send what the other side lacks", status_code=202)
def resend(hub: TheHub, who: Replays, reconciliation: UUID, body: Resending) -> dict[str, Any]:
    """Exactly the records that are missing or differ, in parcels of their own; asked twice, they are sent once."""
    return hub.resending().start(reconciliation, str(who.id), body.reason, body.sure)


@router.post("/buckets", summary="本单位数据的分桶摘要 buckets of what the caller reported")
def buckets(hub: TheHub, who: Sees, body: OfMoment) -> dict[str, Any]:
    """Count and digest of each bucket; and keys that were left out because they were revised since."""
    return _said(lambda: _asked(hub, who).buckets(body.dataset, body.until, body.without))


@router.post("/figures", summary="本单位若干日的数量 counts of what the caller handed over in some days")
def figures(hub: TheHub, who: Sees, body: OfDays) -> dict[str, Any]:
    """Read, accepted, held, rejected, duplicate; and of that what went on from here and was receipted."""
    return _asked(hub, who).figures(body.dataset, body.begin, body.end)


@router.post("/marks", summary="若干桶内各记录的摘要 what stands for each record of some buckets")
def marks(hub: TheHub, who: Sees, body: OfBuckets) -> dict[str, Any]:
    """Key and digest, base64."""
    return _asked(hub, who).marks(body.dataset, body.buckets)


@router.post("/entries", summary="若干主键的记录 records with these keys")
def entries(hub: TheHub, who: Sees, body: OfKeys) -> dict[str, Any]:
    """Key, owner, revision, exchange key, whether it changed after the watermark, whether it is deleted."""
    return _said(lambda: _asked(hub, who).entries(body.dataset, body.keys, body.since))


def _asked(hub: TheHub, who: Holder) -> Asked:
    if who.is_operator:
        raise NotAllowed("a neighbour asks with its own key", what_zh="请用接入方的密钥")
    return Asked(hub.ledger, who.party)


def _said(answer: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = answer()
    except ValueError as error:
        raise BadRecord(f"not base64 of keys: {error}", what_zh="主键摘要不是有效的 base64") from error
    return found
