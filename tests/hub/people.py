"""People for tests: somebody with roles, and a session of theirs without the way through the log-in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from hub.bootstrap import Hub
from hub.ledger import people, sessions
from hub.ledger.sessions import Stage
from standards.rights import Right, Role


def a_person(
    hub: Hub,
    name: str,
    *,
    party: str = "",
    roles: Iterable[Role] = (),
    more: Iterable[Right] = (),
    **values: Any,
) -> str:
    """Somebody new, whose password is nobody's; the name."""
    now = hub.clock.now()
    row = {
        "name": name,
        "title": f"测试{name}",
        "party": party,
        "roles": " ".join(roles),
        "rights": " ".join(more),
        "state": people.ACTIVE,
        "created_at": now,
        "created_by": "test",
        **values,
    }
    hub.ledger.write(lambda c: people.add(c, row))
    return name


def a_session(hub: Hub, name: str, stage: Stage = Stage.OPEN) -> str:
    """A session of somebody; its token."""
    now = hub.clock.now()
    return hub.ledger.write(lambda c: sessions.begin(c, stage, now, now + timedelta(hours=1), person=name, way="test"))
