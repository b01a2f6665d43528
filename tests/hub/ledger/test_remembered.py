"""What is dear is remembered; what is cheap never is."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hub.ledger.remembered import Remembered
from tests.hub.city import until


class Watch:
    """A clock that what is read moves on."""

    def __init__(self) -> None:
        self.now, self.reads, self.price = 100.0, 0, 0.0

    def __call__(self) -> float:
        return self.now

    def read(self) -> int:
        self.now += self.price
        self.reads += 1
        return self.reads


def dear(price: float = 0.4) -> tuple[Watch, Callable[[], int], Remembered]:
    watch = Watch()
    watch.price = price
    memory = Remembered(watch)
    return watch, lambda: memory.get("x", watch.read), memory


def test_what_is_cheap_is_read_every_time() -> None:
    _, ask, _ = dear(price=0.01)

    assert [ask() for _ in range(4)] == [1, 2, 3, 4]


def test_what_was_dear_twice_is_remembered_for_twenty_times_its_price() -> None:
    watch, ask, _ = dear()

    assert [ask() for _ in range(5)] == [1, 2, 2, 2, 2]
    watch.now += 7
    assert ask() == 2
    assert watch.reads == 2


def test_what_is_very_dear_is_remembered_at_once() -> None:
    watch, ask, _ = dear(price=0.6)

    assert [ask() for _ in range(3)] == [1, 1, 1]
    watch.now += 11
    assert ask() == 1
    assert watch.reads == 1


def test_what_is_old_is_read_anew_beside_while_the_old_is_told() -> None:
    watch, ask, _ = dear()
    ask(), ask()

    watch.now += 9
    assert ask() == 2, "nobody waits"
    until(lambda: watch.reads == 3)
    until(lambda: ask() == 3)


def test_what_is_very_old_is_told_to_nobody() -> None:
    watch, ask, _ = dear()
    ask(), ask()

    watch.now += 1000
    assert ask() == 3


def test_a_deed_makes_everything_be_read_anew() -> None:
    _, ask, memory = dear()
    ask(), ask()

    memory.forget()
    assert ask() == 3


def test_one_failure_behind_the_back_leaves_the_old_value_and_is_tried_again() -> None:
    watch, ask, memory = dear()
    ask(), ask()
    failed = threading.Event()

    def fails() -> int:
        failed.set()
        raise RuntimeError

    watch.now += 9
    assert memory.get("x", fails) == 2
    assert failed.wait(10)
    until(lambda: ask() == 3)
