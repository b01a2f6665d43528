"""What every source must keep to, said once: a class of tests for each rig that a kind of source brings.

A rig is the other side with a way to open a source on it, as often as processes come and go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

import pytest

from adapters.conformance.fakes import Hub
from standards.errors import HubError, LedgerBusy, Temporary
from standards.ports import Source


class Rig(Protocol):
    """The other side, and the sources that are opened on it."""

    def open(self) -> Source:
        """A source as a new process opens it: it knows nothing but what the hub remembers for it."""
        ...

    def put(self) -> bytes:
        """One thing more to hand over; a piece of its bytes by which it is known."""
        ...

    def wait(self) -> None:
        """Let as much time pass as the source needs to see that something is complete, or to look again."""
        ...

    def take_away(self) -> None:
        """Nobody is there."""
        ...

    def bring_back(self) -> None:
        """There again."""
        ...

    def close(self) -> None:
        """Everything away."""
        ...


class Process:
    """One process of the hub with one source in it."""

    def __init__(self, rig: Rig, hub: Hub) -> None:
        self._rig = rig
        self._hub = hub
        self.source = rig.open()

    def run(self) -> None:
        """Look often enough that everything that is there is handed over."""
        for _ in range(3):
            self.source.run_once(self._hub.context())
            self._rig.wait()


def kept(hub: Hub, mark: bytes) -> list[bytes]:
    """What the hub keeps that holds this mark."""
    return [one.body for one in hub.intake.kept if mark in one.body]


class SourceConformance:
    """Inherit it, and give a fixture `rig`."""

    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        raise NotImplementedError

    @pytest.fixture
    def hub(self) -> Hub:
        """The hub as the source sees it."""
        return Hub()

    def test_what_is_there_is_handed_over_whole_and_once(self, rig: Rig, hub: Hub) -> None:
        marks = [rig.put() for _ in range(3)]
        process = Process(rig, hub)

        process.run()
        process.run()

        assert [len(kept(hub, mark)) for mark in marks] == [1, 1, 1]

    def test_what_comes_later_is_handed_over_too(self, rig: Rig, hub: Hub) -> None:
        process = Process(rig, hub)
        rig.put()
        process.run()
        later = rig.put()

        process.run()

        assert len(kept(hub, later)) == 1

    def test_it_hands_over_under_the_name_of_its_connection(self, rig: Rig, hub: Hub) -> None:
        rig.put()

        Process(rig, hub).run()

        assert {one.hand_over.connection for one in hub.intake.kept} == {hub.context().connection}

    def test_where_nothing_is_there_nothing_is_handed_over(self, rig: Rig, hub: Hub) -> None:
        Process(rig, hub).run()

        assert hub.intake.kept == []

    def test_another_process_goes_on_where_the_first_one_stood(self, rig: Rig, hub: Hub) -> None:
        mark = rig.put()
        Process(rig, hub).run()

        Process(rig, hub).run()

        assert len(kept(hub, mark)) == 1

    def test_what_the_hub_could_not_keep_is_not_forgotten(self, rig: Rig, hub: Hub) -> None:
        mark = rig.put()
        hub.intake.refuses = LedgerBusy("the disk is full")
        process = Process(rig, hub)
        # It may say so, or look again later; it may not say that somebody must act.
        for _ in range(2):
            with suppress(Temporary):
                process.source.run_once(hub.context())
            rig.wait()
        assert hub.intake.kept == []

        hub.intake.refuses = None
        process.run()

        assert len(kept(hub, mark)) == 1

    def test_a_crash_behind_the_commit_repeats_and_makes_nothing_new(self, rig: Rig, hub: Hub) -> None:
        mark = rig.put()
        hub.intake.crashes_after_commit = True
        process = Process(rig, hub)
        with pytest.raises(KeyboardInterrupt):
            process.run()

        hub.intake.crashes_after_commit = False
        Process(rig, hub).run()

        assert len(set(kept(hub, mark))) == 1, "the same bytes again, which the hub knows, or nothing"

    def test_a_counterpart_that_is_not_there_is_the_machines_turn_and_loses_nothing(self, rig: Rig, hub: Hub) -> None:
        mark = rig.put()
        process = Process(rig, hub)
        rig.take_away()

        with pytest.raises(Temporary) as caught:
            process.run()
        rig.bring_back()
        process.run()

        assert caught.value.what_zh
        assert len(kept(hub, mark)) == 1

    def test_the_connection_test_says_what_it_found_and_takes_nothing(self, rig: Rig, hub: Hub) -> None:
        mark = rig.put()
        process = Process(rig, hub)

        assert process.source.check()

        process.run()
        assert len(kept(hub, mark)) == 1

    def test_the_connection_test_fails_when_nobody_is_there(self, rig: Rig) -> None:
        source = rig.open()
        rig.take_away()

        with pytest.raises(HubError) as caught:
            source.check()

        assert caught.value.what_zh

    def test_it_rests_between_two_looks(self, rig: Rig) -> None:
        assert rig.open().pause > timedelta(0)

    def test_it_can_be_closed_twice(self, rig: Rig) -> None:
        source = rig.open()

        source.close()
        source.close()
