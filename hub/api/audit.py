"""`/v1/audit`: the journal for auditors, and the proof that nothing in it was changed."""

from __future__ import annotations

import threading
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query

from hub.api.access import Audits, TheHub
from hub.bootstrap import Hub
from hub.ledger.looking import Wanted
from standards.clock import SHANGHAI
from standards.digest import uuid7
from standards.errors import HubError

log = structlog.get_logger()
router = APIRouter(prefix="/v1/audit", tags=["审计 audit"])

#: One proof at a time in a process: it reads everything.
_PROVING = threading.Lock()


def wanted_of(actor: str, action: str, since: date | None, until: date | None, before: int, limit: int) -> Wanted:
    """What a page or a caller asks for; days as in China."""
    return Wanted(
        actor=actor.strip(),
        action=action.strip(),
        since=_midnight(since),
        until=_midnight(until, 1),
        before=before,
        limit=limit,
    )


def _midnight(day: date | None, later: int = 0) -> datetime | None:
    return datetime.combine(day + timedelta(days=later), time(), SHANGHAI) if day is not None else None


def begin_proof(hub: Hub, by: str, head: str = "") -> str:
    """Look through the journal in a thread of its own; its name, or '' when somebody is at it already."""
    if not _PROVING.acquire(blocking=False):
        return ""
    name = str(uuid7())

    def run() -> None:
        try:
            hub.auditing().prove(by, head, name)
        except HubError as error:
            log.warning("the journal could not be looked through", action="proof_failed", why=error.what)
        finally:
            _PROVING.release()

    threading.Thread(target=run, name="proof", daemon=True).start()
    return name


@router.get("/journal", summary="流水 the journal")
def journal(
    hub: TheHub,
    _who: Audits,
    actor: Annotated[str, Query(max_length=80, description="谁：密钥编号或 user:用户名 id of a key or user:name")] = "",
    action: Annotated[str, Query(max_length=40, description="动作，如 looked logged_in")] = "",
    receipt_no: Annotated[str, Query(max_length=24, description="回执编号 of one hand-over")] = "",
    since: date | None = None,
    until: date | None = None,
    before: Annotated[int, Query(ge=0, description="上一页的 next as the page before told")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """The newest first; `next` is 0 on the last page.  A page may be short and still go on."""
    return hub.auditing().entries(wanted_of(actor, action, since, until, before, limit), receipt_no)


@router.get("/seals", summary="封存状态 how far it is sealed, and the last proof")
def seals(hub: TheHub, _who: Audits) -> dict[str, Any]:
    """Keep `head` on another machine: with it nothing before can be changed unseen; `proving`: somebody is at it."""
    proving = _PROVING.locked()  # asked first: what ends meanwhile is told by the state
    return {**hub.auditing().state(), "proving": proving}


@router.post("/proofs", summary="核验 look through the whole journal", status_code=202)
def prove(
    hub: TheHub,
    who: Audits,
    head: Annotated[str, Query(max_length=64, description="另存的链值 a value of the chain kept elsewhere")] = "",
) -> dict[str, str]:
    """What it came to is told by `seals`, where `verified.proof` is what is answered here."""
    name = begin_proof(hub, str(who.id), head)
    return {"state": "begun" if name else "running", "proof": name}
