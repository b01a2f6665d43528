"""Who calls, and what they may do: keys are looked up and remembered for a few seconds, sessions each time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection

from hub.api.looks import Looks
from hub.api.problems import WrongKey
from hub.bootstrap import Hub
from hub.ledger import credentials, people, sessions
from hub.ledger.credentials import Holder
from hub.ledger.sessions import Session, Stage
from hub.people.desk import within
from standards.errors import NotAllowed
from standards.rights import Right

_REMEMBER = timedelta(seconds=5)
#: Rights whose use shows content: each look is written down before it is answered.
_CONTENT = frozenset({Right.BODIES, Right.UNMASK})


class Doorkeeper:
    """Knows keys and sessions."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: dict[str, tuple[Holder | None, datetime]] = {}
        self._lock = threading.Lock()
        self.looks = Looks(hub)

    def holder(self, header: str | None) -> Holder:
        """Whose key or session the Authorization header holds.  Raises WrongKey."""
        scheme, _, key = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise WrongKey(
                "no key was given",
                what_zh="请求没有携带密钥",
                hint="send the header Authorization: Bearer <key>",
                hint_zh="请在请求头加入 Authorization: Bearer <密钥>",
            )
        if key.startswith(sessions.PREFIX):
            session, holder = self.session(key)
            if session.stage is Stage.OPEN:
                return holder
            raise WrongKey(
                "the log-in is not finished",
                what_zh="登录尚未完成",
                hint="finish it on the page",
                hint_zh="请在网页上完成登录（改密码或二次验证）",
            )
        now = self._hub.clock.now()
        digest = credentials.digest(key)
        with self._lock:
            known = self._known.get(digest)
        if known is None or known[1] <= now:
            with self._hub.ledger.read() as connection:
                found = credentials.holder(connection, key, now)
            with self._lock:
                if len(self._known) > 10_000:
                    self._known.clear()
                self._known[digest] = (found, now + _REMEMBER)
            known = (found, now)
        if known[0] is None:
            raise WrongKey(
                "the key does not count",
                what_zh="密钥不存在、已过期或已撤销",
                hint="ask the operator for a new one",
                hint_zh="请向运维申请新的密钥",
            )
        return known[0]

    def session(self, token: str) -> tuple[Session, Holder]:
        """The session of a token and who has it.  Raises WrongKey.  Not remembered: who logs out is out at once."""
        now = self._hub.clock.now()
        settings = self._hub.generations.current().settings
        with self._hub.ledger.read() as connection:
            session = sessions.find(connection, token, now, settings.people.idle)
            holder = self._behind(connection, session, now) if session is not None else None
        if session is None or holder is None:
            raise WrongKey(
                "the session does not count", what_zh="会话不存在或已结束", hint="log in again", hint_zh="请重新登录"
            )
        self.looks.used(session)
        return session, holder

    def forget(self) -> None:
        """A key was revoked: what is remembered counts no more."""
        with self._lock:
            self._known.clear()

    def _behind(self, connection: Connection, session: Session, now: datetime) -> Holder | None:
        if session.credential:
            return credentials.holder_of(connection, session.credential, now)
        if session.stage is Stage.AWAY:
            return None
        one = people.find(connection, session.person)
        if one is None or not one.active:
            return None
        confined = "" if one.region == self._hub.generations.current().settings.hub.region else one.region
        return Holder(one.id, one.party, frozenset(one.rights), one.title, one.name, confined)


def hub_of(request: Request) -> Hub:
    """The hub behind the door."""
    hub: Hub = request.app.state.hub
    return hub


def caller(request: Request) -> Holder:
    """Who calls."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    return keeper.holder(request.headers.get("authorization"))


def demand(who: Holder, right: Right, *, of_hub: bool = False, regional: bool = True) -> None:
    """Raises NotAllowed unless the caller has this right.

    `of_hub`: only the hub's own people and keys; `regional`: also who is confined to a region.
    """
    if of_hub and not who.is_operator:
        raise NotAllowed("only the operator may do this", what_zh="缺少权限：只有枢纽运维人员可以执行该操作")
    if not who.may(right):
        raise NotAllowed(f"this needs the right {right}", what_zh=f"缺少权限 {right}，不能执行该操作")
    if who.region and not regional:
        raise NotAllowed(
            "not for who is confined to a region: it shows the whole hub",
            what_zh="缺少权限：该功能涉及全枢纽，区域人员不能使用",
        )


def keeper_of(request: Request) -> Doorkeeper:
    """Who keeps the door."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    return keeper


def noted(request: Request, who: Holder, right: Right, *, keys: bool = True) -> None:
    """A look is written down: of people each, of keys where content is shown (`keys`: nobody else writes it down)."""
    looks = keeper_of(request).looks
    if right in _CONTENT and (who.user or keys):
        looks.now(who, request.url.path)
    elif who.user and request.method == "GET":
        looks.soon(who, request.url.path)


def needs(right: Right, *, of_hub: bool = False, regional: bool = False, keys: bool = True) -> Callable[..., Holder]:
    """Who calls and has this right; tests read `.right`, `.of_hub`, `.regional`."""

    def holder(request: Request, who: Annotated[Holder, Depends(caller)]) -> Holder:
        demand(who, right, of_hub=of_hub, regional=regional)
        noted(request, who, right, keys=keys)
        return who

    holder.right, holder.of_hub, holder.regional = right, of_hub, regional  # type: ignore[attr-defined]
    return holder


def in_scope(hub: Hub, who: Holder, party: str) -> bool:
    """Whether what belongs to a party may be seen: by itself, by the hub's people, by those of its region."""
    if who.party:
        return party == who.party
    if not who.region:
        return True
    settings = hub.generations.current().settings
    known = settings.parties.get(party)
    return known is not None and within(known.region or settings.hub.region, who.region)


def confine(hub: Hub, who: Holder, *parties: str) -> None:
    """Raises NotAllowed when none of these parties belongs to the region that the caller is confined to."""
    if who.region and not any(in_scope(hub, who, party) for party in parties):
        raise NotAllowed(
            f"it belongs to nobody within {who.region}", what_zh=f"不属于 {who.region} 区域内的单位，不能查看或办理"
        )


def in_full(request: Request, who: Holder, party: str) -> bool:
    """Whether content of a party is shown with personal values: to itself and to who may; then it is written down."""
    if not (who.may(Right.UNMASK) or (who.party and who.party == party)):
        return False
    keeper_of(request).looks.now(who, request.url.path, right=Right.UNMASK)
    return True


def may_use(hub: Hub, who: Holder, connection: str) -> None:
    """Raises unless the caller may hand over through this connection, or look at what came through it."""
    known = hub.generations.current().settings.connections.get(connection)
    # To who is confined to a region one that is not there is as one elsewhere: a near name would tell of it.
    confine(hub, who, known.party if known is not None else "")
    settings = hub.generations.current().connection(connection)
    if not who.is_operator and settings.party != who.party:
        raise NotAllowed(
            f"the connection {connection} belongs to somebody else", what_zh=f"接入 {connection} 不属于该密钥的单位"
        )


TheHub = Annotated[Hub, Depends(hub_of)]

#: Who calls, with the right that the route needs.  A route has exactly one of these (tests/hub/api/test_rights.py).
Sees = Annotated[Holder, Depends(needs(Right.SEE))]
SeesOfRegion = Annotated[Holder, Depends(needs(Right.SEE, regional=True))]
SeesAll = Annotated[Holder, Depends(needs(Right.SEE, of_hub=True))]
#: The same, also of who is confined to a region; the route shows what `in_scope` lets through.
SeesAllOfRegion = Annotated[Holder, Depends(needs(Right.SEE, of_hub=True, regional=True))]
SeesBodies = Annotated[Holder, Depends(needs(Right.BODIES))]
#: The same, where the desk writes down every look itself.
SeesShared = Annotated[Holder, Depends(needs(Right.BODIES, keys=False))]
Fetches = Annotated[Holder, Depends(needs(Right.UNMASK, keys=False))]
HandsOver = Annotated[Holder, Depends(needs(Right.HAND_OVER))]
DoesTasks = Annotated[Holder, Depends(needs(Right.TASKS))]
#: The same, also of who is confined to a region; the route looks whose it is.
DoesTasksOfRegion = Annotated[Holder, Depends(needs(Right.TASKS, regional=True))]
DoesCasesOfRegion = Annotated[Holder, Depends(needs(Right.CASES, regional=True))]
Operates = Annotated[Holder, Depends(needs(Right.OPERATE, of_hub=True))]
Replays = Annotated[Holder, Depends(needs(Right.REPLAY, of_hub=True))]
Repairs = Annotated[Holder, Depends(needs(Right.REPAIR, of_hub=True))]
Shares = Annotated[Holder, Depends(needs(Right.SHARE))]
Grants = Annotated[Holder, Depends(needs(Right.SHARE, of_hub=True))]
Circulates = Annotated[Holder, Depends(needs(Right.CIRCULATE, of_hub=True))]
CirculatesInRegion = Annotated[Holder, Depends(needs(Right.CIRCULATE, of_hub=True, regional=True))]
Manages = Annotated[Holder, Depends(needs(Right.PEOPLE))]
Audits = Annotated[Holder, Depends(needs(Right.AUDIT, of_hub=True))]
