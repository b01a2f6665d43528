"""`/v1/cases` and `/v1/notices`: what went wrong, who must act, until when; and who was told."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hub.api.access import DoesCasesOfRegion, Sees, SeesAll, SeesOfRegion, TheHub, confine, in_scope
from hub.ledger import notices
from hub.ledger.cases import Selection
from hub.ledger.credentials import Holder
from standards.clock import local_text
from standards.errors import NotAllowed, UnknownName

router = APIRouter(prefix="/v1", tags=["异常 cases"])

Word = Annotated[str, Query(max_length=64)]


class Act(BaseModel):
    """What is done with all open cases that fit; empty words fit everything."""

    step: Literal["take", "waive", "nothing"] = Field(
        description="take 处置中；waive 豁免（运维）；nothing 零报告（未报送）"
    )
    party: str = Field("", max_length=64, description="单位 party")
    class_: str = Field("", max_length=1, alias="class", description="类别 1 未报送 2 报送错误 3 报送不一致 8 存疑")
    dataset: str = Field("", max_length=64, description="数据集 data set")
    code: str = Field("", max_length=40, description="代码 finding code")
    group: str = Field("", max_length=16, description="异常组 failure group")
    ids: list[UUID] = Field([], max_length=1000, description="异常 id  single cases")
    named: str = Field("", max_length=80, description="批准人、申报人姓名 who allows or says it")
    reason: str = Field("", max_length=1000, description="理由、说明 reason or note")


@router.get("/cases", summary="异常，按原因和期限分组 open cases by cause and due day")
def groups(
    hub: TheHub,
    who: SeesOfRegion,
    party: Word = "",
    class_: Annotated[str, Query(alias="class", max_length=1)] = "",
    dataset: Word = "",
    code: Word = "",
) -> list[dict[str, Any]]:
    """The most urgent first, each with who must act and the working days left; a party sees its own."""
    own = party if who.is_operator else who.party
    found = hub.cases().groups(Selection(own, class_, dataset, code))
    return [one for one in found if in_scope(hub, who, one["party"])]


@router.get("/cases/circular", summary="通报：超期未处置的异常 what is overdue, by party")
def circular(hub: TheHub, _who: SeesAll) -> dict[str, list[dict[str, Any]]]:
    """For the circular of articles 45 and 46."""
    return hub.cases().circular()


@router.get("/cases/{case}", summary="一件异常 one case")
def one(hub: TheHub, who: SeesOfRegion, case: UUID) -> dict[str, Any]:
    """A party sees its own."""
    found = hub.cases().one(case, "" if who.is_operator else who.party)
    confine(hub, who, found["party"])
    return found


@router.post("/cases/steps", summary="处置一组异常 one action for a whole group")
def act(hub: TheHub, who: DoesCasesOfRegion, body: Act) -> dict[str, int]:
    """How many it was done with.  Data that pass close a case; only a named person can close it without."""
    if body.step == "waive" and not who.is_operator:
        raise NotAllowed("only the operator waives", what_zh="只有运维人员可以登记豁免")
    party = body.party if who.is_operator else who.party
    confine(hub, who, party)
    which = Selection(party, body.class_, body.dataset, body.code, ids=tuple(body.ids), cause=body.group)
    desk, by = hub.cases(), str(who.id)
    if body.step == "take":
        return {"cases": desk.take(which, by, body.reason)}
    if body.step == "nothing":
        return {"cases": desk.nothing(which, by, body.named)}
    return {"cases": desk.waive(which, by, body.named, body.reason)}


@router.get("/notices", summary="提醒与通知 notices")
def told(
    hub: TheHub,
    who: Sees,
    unread: Annotated[bool, Query(description="只要未读 unread only")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """What the caller was told, the newest first; the operator also sees what went to the level above."""
    with hub.ledger.read() as connection:
        found = notices.find(connection, _ears(who), unread=unread, limit=limit)
    return [
        {**one, "id": str(one["id"]), "at": local_text(one["at"]), "read_at": local_text(one["read_at"])}
        for one in found
    ]


@router.post("/notices/{notice}/read", summary="已读 mark as read")
def read(hub: TheHub, who: Sees, notice: UUID) -> dict[str, str]:
    """Written down with who read it."""
    now = hub.clock.now()
    if not hub.ledger.write(lambda c: notices.mark_read(c, notice, _ears(who), str(who.id), now)):
        raise UnknownName(f"no notice {notice} of yours", what_zh=f"没有您的通知 {notice}")
    return {"id": str(notice), "read_at": local_text(now)}


def _ears(who: Holder) -> tuple[str, ...]:
    return (notices.OPERATOR, notices.ABOVE) if who.is_operator else (who.party,)
