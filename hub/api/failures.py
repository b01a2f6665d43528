"""`/v1/failures`: what is wrong for one reason, how often, since when, with samples, and who must act."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from hub.api.access import SeesOfRegion, TheHub, confine, in_scope
from hub.ledger.cases import Selection

router = APIRouter(prefix="/v1/failures", tags=["异常 cases"])

Word = Annotated[str, Query(max_length=64)]
Moment = Annotated[datetime | None, Query(description="带时区的时刻 a time with its zone")]


@router.get("", summary="异常分组 failures by cause")
def listed(
    hub: TheHub,
    who: SeesOfRegion,
    party: Word = "",
    class_: Annotated[str, Query(alias="class", max_length=1)] = "",
    dataset: Word = "",
    code: Word = "",
    since: Moment = None,
    before: Moment = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="最多多少组 groups at most")] = 200,
) -> list[dict[str, Any]]:
    """Groups of open cases of one cause: data set, element, rule, pattern of the value, party; a party sees its own.

    `joined`: how many came since the group was taken up.  `who`: the party that must act; empty: the operator.
    """
    own = party if who.is_operator else who.party
    found = hub.failures().listed(Selection(own, class_, dataset, code, since=since, before=before), limit)
    return [one for one in found if in_scope(hub, who, one["party"])]


@router.get("/{group}", summary="一组异常 one group")
def one(hub: TheHub, who: SeesOfRegion, group: str) -> dict[str, Any]:
    """With more samples; `question`: the unknown code that an operator may answer, and with which codes."""
    found = hub.failures().one(group, "" if who.is_operator else who.party, str(who.id))
    confine(hub, who, found["party"])
    return found
