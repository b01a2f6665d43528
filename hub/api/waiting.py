"""Callers who wait for a verdict: however many there are, one look at the ledger serves them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from fastapi.concurrency import run_in_threadpool

from standards.errors import LedgerBusy

#: Between two looks, while the newest caller has waited for so many seconds at most; then the next pause.
_PAUSES = ((1.0, 0.02), (5.0, 0.05), (float("inf"), 0.2))


@dataclass(slots=True, eq=False)
class _Waiter:
    receipt_no: str
    wanted: Collection[str]
    since: float
    reached: asyncio.Event = field(default_factory=asyncio.Event)


class Waiting:
    """The waiting callers of one event loop."""

    def __init__(self, look: Callable[[Sequence[str]], dict[str, str]]) -> None:
        """`look` tells the states of receipts by their numbers; it runs in a thread."""
        self._look = look
        self._waiters: set[_Waiter] = set()
        self._task: asyncio.Task[None] | None = None

    async def until(self, receipt_no: str, wanted: Collection[str], seconds: float) -> bool:
        """Wait until the submission is in one of the states; False when the time is over."""
        waiter = _Waiter(receipt_no, wanted, asyncio.get_running_loop().time())
        self._waiters.add(waiter)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(seconds):
                await waiter.reached.wait()
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)
        return True

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiters:
            waited = loop.time() - max(w.since for w in self._waiters)
            await asyncio.sleep(next(pause for limit, pause in _PAUSES if waited <= limit))
            waiters = list(self._waiters)
            try:
                states = await run_in_threadpool(self._look, list({w.receipt_no for w in waiters}))
            except LedgerBusy:
                continue  # it comes back, or their time is over
            for waiter in waiters:
                if states.get(waiter.receipt_no) in waiter.wanted:
                    waiter.reached.set()
