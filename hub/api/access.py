"""Who calls: bearer keys, looked up in the ledger and remembered for a few seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request

from hub.api.problems import WrongKey
from hub.bootstrap import Hub
from hub.ledger import credentials
from hub.ledger.credentials import Holder
from standards.errors import NotAllowed
from standards.rights import Right

_REMEMBER = timedelta(seconds=5)


class Doorkeeper:
    """Knows keys."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: dict[str, tuple[Holder | None, datetime]] = {}
        self._lock = threading.Lock()

    def holder(self, header: str | None) -> Holder:
        """Whose key the Authorization header holds.  Raises WrongKey."""
        scheme, _, key = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise WrongKey(
                "no key was given",
                what_zh="请求没有携带密钥",
                hint="send the header Authorization: Bearer <key>",
                hint_zh="请在请求头加入 Authorization: Bearer <密钥>",
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


def hub_of(request: Request) -> Hub:
    """The hub behind the door."""
    hub: Hub = request.app.state.hub
    return hub


def caller(request: Request) -> Holder:
    """Who calls."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    return keeper.holder(request.headers.get("authorization"))


def operator(who: Annotated[Holder, Depends(caller)]) -> Holder:
    """The operator, nobody else."""
    if not who.is_operator:
        raise NotAllowed("only the operator may do this", what_zh="只有运维人员可以执行该操作")
    return who


def demand(who: Holder, right: Right) -> None:
    """Raises NotAllowed unless the caller has this right."""
    if not who.may(right):
        raise NotAllowed(f"this needs the right {right}", what_zh=f"缺少权限 {right}，不能执行该操作")


def needs(right: Right) -> Callable[[Holder], Holder]:
    """Who calls and has this right: `Annotated[Holder, Depends(needs(Right.REPLAY))]`; tests read `.right`."""

    def holder(who: Annotated[Holder, Depends(caller)]) -> Holder:
        demand(who, right)
        return who

    holder.right = right  # type: ignore[attr-defined]
    return holder


def may_use(hub: Hub, who: Holder, connection: str) -> None:
    """Raises unless the caller may hand over through this connection."""
    settings = hub.generations.current().connection(connection)
    if not who.is_operator and settings.party != who.party:
        raise NotAllowed(
            f"the connection {connection} belongs to somebody else", what_zh=f"接入 {connection} 不属于该密钥的单位"
        )


Caller = Annotated[Holder, Depends(caller)]
Operator = Annotated[Holder, Depends(operator)]
TheHub = Annotated[Hub, Depends(hub_of)]
