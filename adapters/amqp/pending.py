"""Which hand-overs still have to be told what became of them: in the hub's memory for good, and at hand here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from standards.ports import MemoryPort

_HEAD = "reply:"
_FIRST = timedelta(seconds=0.25)
_LONGEST = timedelta(seconds=30)
#: A receipt that is judged and does not settle is looked at so often.
_SELDOM = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """One hand-over whose sender wants to know."""

    receipt_no: str
    #: The sender's own id of the message, told back to him.
    correlation_id: str
    #: The parcel's id when it was one.
    parcel: str = ""
    #: What was told last.
    version: int = 0
    state: str = ""


class PendingReplies:
    """Those of one connection, each looked at ever more seldom until something is there."""

    def __init__(self) -> None:
        self._held: dict[str, Pending] = {}
        self._looks: dict[str, tuple[datetime, timedelta]] = {}

    def add(self, memory: MemoryPort, one: Pending) -> None:
        """From now on; before the message is acknowledged."""
        if memory.recall(_HEAD + one.receipt_no) is None:
            self._keep(memory, one)

    def due(self, memory: MemoryPort, now: datetime, limit: int) -> list[Pending]:
        """Those to look at now.  Another process may have had the connection meanwhile: the memory tells."""
        names = memory.names(_HEAD)
        there = {name.removeprefix(_HEAD) for name in names}
        for gone in self._held.keys() - there:
            del self._held[gone]
            self._looks.pop(gone, None)
        for receipt_no in there - self._held.keys():
            text = memory.recall(_HEAD + receipt_no)
            if text is not None:
                self._held[receipt_no] = Pending(**json.loads(text))
        found = [p for n, p in self._held.items() if n not in self._looks or self._looks[n][0] <= now]
        return found[:limit]

    def nothing_new(self, one: Pending, now: datetime) -> None:
        """Look again later."""
        wait = self._looks[one.receipt_no][1] * 2 if one.receipt_no in self._looks else _FIRST
        wait = min(wait, _SELDOM if one.state else _LONGEST)
        self._looks[one.receipt_no] = (now + wait, wait)

    def told(self, memory: MemoryPort, one: Pending, version: int, state: str, now: datetime) -> None:
        """What was told; looked at again, because a receipt may get another version."""
        self._keep(memory, replace(one, version=version, state=state))
        self._looks[one.receipt_no] = (now + _FIRST, _FIRST)

    def forget(self, memory: MemoryPort, one: Pending) -> None:
        """Everything was told."""
        memory.forget(_HEAD + one.receipt_no)
        self._held.pop(one.receipt_no, None)
        self._looks.pop(one.receipt_no, None)

    def _keep(self, memory: MemoryPort, one: Pending) -> None:
        memory.remember(_HEAD + one.receipt_no, json.dumps(asdict(one)))
        self._held[one.receipt_no] = one
