"""What waits for the one thread that writes: short things in groups, long ones alone and after them."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

from hub.courtesy import Courtesy, courtesy

T = TypeVar("T")

#: So many share a commit.
_GROUP = 64
#: Seconds that a long one stands aside for somebody who waits for a page.
_ASIDE = 0.1


class Lanes(Generic[T]):
    """Two queues with one end; for many threads that put and one that takes."""

    def __init__(self, polite: Courtesy = courtesy, aside: float = _ASIDE) -> None:
        self._short: deque[T] = deque()
        self._long: deque[T] = deque()
        self._polite, self._aside = polite, aside
        self._was_short = False
        self._closed = False
        self._called = threading.Condition()

    def put(self, one: T, long: bool = False) -> bool:
        """False when they are closed."""
        with self._called:
            if self._closed:
                return False
            (self._long if long else self._short).append(one)
            self._called.notify()
        return True

    def close(self) -> None:
        """Take nothing more; what waits is still handed out."""
        with self._called:
            self._closed = True
            self._called.notify()

    def take(self) -> list[T]:
        """What is to be written together next; waits for something, and gives nothing once closed and empty.

        Neither lane starves the other: a long one follows every group of short ones.
        """
        with self._called:
            while not (self._short or self._long or self._closed):
                self._called.wait()
            if self._long and not self._short and self._polite.wanted:
                self._called.wait_for(lambda: self._short or self._closed, self._aside)
            if self._short and not (self._was_short and self._long):
                self._was_short = True
                return [self._short.popleft() for _ in range(min(_GROUP, len(self._short)))]
            self._was_short = False
            return [self._long.popleft()] if self._long else []
