"""`/v1/mailbox`: receivers that fetch what is for them, and confirm it."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hub.api.access import Fetches, HandsOver, TheHub
from hub.bootstrap import Hub
from hub.mailbox import Mailboxes
from standards.parcel import AnswerLine, Result, to_event
from standards.states import word

router = APIRouter(prefix="/v1/mailbox", tags=["信箱 mailbox"])


class Said(BaseModel):
    """What the receiver says of one record."""

    cd_id: str = Field(max_length=100, description="交换标识 cd_id of the record")
    result: Result = Field(Result.REFUSED, description="accepted | refused | duplicate | stale")
    code: str = Field("", max_length=40, description="错误代码 code of the fault")
    element: str = Field("", max_length=64, description="数据项 element at fault")
    message: str = Field("", max_length=500, description="说明 in words")


class Confirmation(BaseModel):
    """The receiver's verdict on a parcel: records that are not named are accepted."""

    receipt_no: str = Field("", max_length=64, description="接收方回执编号 the receiver's own number")
    records: list[Said] = Field([], max_length=5000, description="未通过的记录 records that are not accepted")


def mailboxes(hub: Hub) -> Mailboxes:
    """The mailboxes behind the door."""
    return Mailboxes(hub.ledger, hub.generations, hub.clock, hub.seal, hub.settling)


@router.get("", summary="领取交换包 fetch what is for me")
def fetch(
    hub: TheHub,
    who: Fetches,
    limit: Annotated[int, Query(ge=1, le=50, description="最多多少个交换包 parcels at most")] = 10,
    dataset: Annotated[str, Query(max_length=64, description="只要这个数据集 this data set only")] = "",
) -> list[dict[str, Any]]:
    """Parcels that are not confirmed yet, the oldest first, each as a CloudEvent; asking again shows them again."""
    found = mailboxes(hub).waiting(who.party, limit, dataset)
    return [{**letter.facts, "event": json.loads(to_event(letter.parcel))} for letter in found]


@router.post("/{parcel}/receipt", summary="确认交换包 confirm a parcel, record by record")
def confirm(hub: TheHub, who: HandsOver, parcel: UUID, body: Confirmation) -> dict[str, str]:
    """A second confirmation of the same parcel changes nothing and tells how it stands."""
    lines = [
        AnswerLine(cd_id=s.cd_id, result=s.result, code=s.code, element=s.element, message=s.message)
        for s in body.records
    ]
    state = mailboxes(hub).confirm(who.party, parcel, lines, body.receipt_no)
    return {"parcel": str(parcel), "state": state, "state_zh": word(state)}
