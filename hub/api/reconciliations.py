"""`/v1/reconciliations`: what a neighbour reported to us, in buckets and keys; and the operator's comparison."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.api.access import Caller, Operator, TheHub
from hub.ledger.credentials import Holder
from hub.reconcile import BUCKETS, entries_of, held_of
from hub.reconciling import reconcile
from standards.errors import NotAllowed

router = APIRouter(prefix="/v1/reconciliations", tags=["对账 reconciliation"])


class OfDataset(BaseModel):
    """Which records."""

    dataset: str = Field(max_length=64, description="数据集 data set")


class OfBuckets(OfDataset):
    """Which of them, and since when a change is under way."""

    buckets: list[Annotated[int, Field(ge=0, lt=BUCKETS)]] = Field(max_length=BUCKETS, min_length=1)
    since: datetime = Field(description="此后变动的视为在途 what changed after it is under way")


class Wanted(BaseModel):
    """What is compared."""

    destination: str = Field(max_length=63, description="投递目标（枢纽）destination that is a hub")
    datasets: list[Annotated[str, Field(max_length=64)]] = Field(
        [], max_length=100, description="数据集，缺省为投递过的全部 absent: all that were delivered"
    )


@router.post("", summary="与上级枢纽对账 compare with another hub")
def run(hub: TheHub, who: Operator, body: Wanted) -> list[dict[str, Any]]:
    """Counts and digests in buckets, then key by key where they differ; differences open cases 报送不一致."""
    return reconcile(hub.reconciler(), body.destination, body.datasets, hub.transports, str(who.id))


@router.post("/buckets", summary="本单位数据的分桶摘要 buckets of what the caller reported")
def buckets(hub: TheHub, who: Caller, body: OfDataset) -> dict[str, Any]:
    """Number of a bucket: count and digest."""
    with hub.ledger.read() as connection:
        return {"buckets": held_of(connection, body.dataset, _party(who))}


@router.post("/keys", summary="若干桶内的主键摘要 keys of some buckets")
def keys(hub: TheHub, who: Caller, body: OfBuckets) -> dict[str, Any]:
    """Key, owner, revision, exchange key, and whether it changed after the watermark."""
    with hub.ledger.read() as connection:
        found = entries_of(connection, body.dataset, _party(who), body.buckets, body.since)
    return {"keys": [[one.key, one.owner, one.revision, one.cd_id, one.young] for one in found]}


def _party(who: Holder) -> str:
    if who.is_operator:
        raise NotAllowed("a neighbour asks with its own key", what_zh="请用接入方的密钥")
    return who.party
