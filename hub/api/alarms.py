"""`/v1/alarms` and `/v1/canaries`: what is wrong, who is at it, who was told; and whether the ways are open."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from hub.api.access import SeesAll, TheHub, needs
from hub.ledger.credentials import Holder
from standards.rights import Right

router = APIRouter(prefix="/v1", tags=["告警 alarms"])

Acts = Annotated[Holder, Depends(needs(Right.OPERATE))]


class Acknowledged(BaseModel):
    """Somebody is at it."""

    named: str = Field(min_length=1, max_length=80, description="处理人姓名 who is at it")
    note: str = Field("", max_length=1000, description="说明 note")


@router.get("/alarms", summary="告警 alarms")
def listed(
    hub: TheHub,
    _who: SeesAll,
    over: Annotated[bool, Query(description="近一月已恢复的 those of the last month that are over")] = False,
) -> list[dict[str, Any]]:
    """Open alarms, the grave and then the oldest first."""
    return hub.alarms().lately() if over else hub.alarms().listed()


@router.get("/alarms/contacts", summary="告警联系人 who is told")
def contacts(hub: TheHub, _who: SeesAll) -> list[dict[str, Any]]:
    """Without secrets; and what could not be delivered yet."""
    return hub.alarms().contacts()


@router.post("/alarms/contacts/{name}/test", summary="发送测试消息 send a test message")
def test(hub: TheHub, who: Acts, name: str) -> dict[str, str]:
    """Now; the problem, if its server does not take it."""
    return hub.alarms().test(name, str(who.id))


@router.post("/alarms/{alarm}/acknowledge", summary="确认告警 acknowledge an alarm")
def acknowledge(hub: TheHub, who: Acts, alarm: UUID, body: Acknowledged) -> dict[str, Any]:
    """Further contacts are not told any more; written down with who did it."""
    return hub.alarms().acknowledge(alarm, str(who.id), body.named, body.note)


@router.get("/canaries", summary="探测记录 test records on the ways")
def canaries(hub: TheHub, _who: SeesAll) -> list[dict[str, Any]]:
    """Each way with how far they go and how old the last one is that came back."""
    return hub.canaries().listed()
