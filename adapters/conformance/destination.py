"""What every destination must keep to, said once: a class of tests for each rig that a kind of destination brings.

A rig is a destination and its receiver, with the means to read what the receiver holds and to do it harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import pytest

from adapters.conformance.parcels import NOW, a_parcel, a_record, again, contents, revised
from standards.digest import uuid7
from standards.errors import HubError, ReceiverRefused, SystemUnreachable
from standards.parcel import Answer, AnswerLine, Parcel, ParcelRecord, Result
from standards.ports import Awaited, Destination


@dataclass(frozen=True)
class Stored:
    """What the receiver holds of one record."""

    operation: str
    digest: str
    #: How often this revision was stored; a repeat does not count.
    times: int = 1


class Rig(Protocol):
    """A destination with its receiver."""

    destination: Destination
    #: The receiver knows when an older revision comes late.
    knows_revisions: bool

    def stored(self) -> dict[str, Stored]:
        """What the receiver holds, by cd_id, the newest of each."""
        ...

    def spoil(self, content: dict[str, str]) -> tuple[dict[str, str], str]:
        """The content made wrong for this receiver, and the element that is wrong."""
        ...

    def work(self) -> None:
        """Let the receiver do what it does by itself: read, judge, answer."""
        ...

    def take_away(self) -> None:
        """Nobody is there."""
        ...

    def bring_back(self) -> None:
        """There again."""
        ...

    def lose_answers(self) -> None:
        """From now on the receiver keeps what it gets, and its answer is lost."""
        ...


def settle(rig: Rig, parcel: Parcel) -> list[AnswerLine]:
    """Deliver as the dispatcher does: halves where the whole is refused, verdicts asked for where they come later."""
    try:
        answer = rig.destination.deliver(parcel)
    except ReceiverRefused as error:
        if len(parcel) > 1:
            middle = (len(parcel) + 1) // 2
            halves = parcel.records[:middle], parcel.records[middle:]
            return [line for half in halves for line in settle(rig, replace(parcel, id=uuid7(), records=half))]
        return [
            AnswerLine(
                cd_id=parcel.records[0].cd_id,
                result=Result.REFUSED,
                code=error.params.get("code", ""),
                element=error.params.get("element", ""),
                message=error.what_zh,
            )
        ]
    return list(_verdict(rig, parcel, answer).lines)


def _verdict(rig: Rig, parcel: Parcel, answer: Answer) -> Answer:
    if not answer.awaiting:
        return answer
    waiting = Awaited(
        parcel_id=parcel.id,
        dataset=parcel.dataset,
        batch=parcel.batch,
        sent_at=NOW,
        cd_ids=[r.cd_id for r in parcel.records],
    )
    for _ in range(5):
        rig.work()
        found = dict(rig.destination.collect([waiting]))
        if parcel.id in found:
            return found[parcel.id]
    raise AssertionError("no verdict came")


def refused(lines: list[AnswerLine]) -> dict[str, AnswerLine]:
    """The lines that say no, by cd_id."""
    return {line.cd_id: line for line in lines if line.result is Result.REFUSED}


def digests(records: tuple[ParcelRecord, ...]) -> dict[str, str]:
    """What should be stored."""
    return {r.cd_id: r.digest for r in records}


class DestinationConformance:
    """Inherit it, and give a fixture `rig`."""

    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        raise NotImplementedError

    def test_a_parcel_is_stored_whole(self, rig: Rig) -> None:
        parcel = a_parcel([a_record(c) for c in contents(12)])

        lines = settle(rig, parcel)

        assert not refused(lines)
        assert {k: s.digest for k, s in rig.stored().items()} == digests(parcel.records)

    def test_the_same_parcel_again_is_stored_once(self, rig: Rig) -> None:
        parcel = a_parcel([a_record(c) for c in contents(5)])

        first = settle(rig, parcel)
        second = settle(rig, again(parcel))

        assert not refused(first + second)
        assert {s.times for s in rig.stored().values()} == {1}
        assert len(rig.stored()) == 5

    def test_a_newer_revision_takes_the_place_of_an_older_one(self, rig: Rig) -> None:
        content = contents(1)[0]
        settle(rig, a_parcel([a_record(content)]))
        newer = revised(content, 2, penalty_result="罚款叁仟元")

        lines = settle(rig, a_parcel([newer]))

        assert not refused(lines)
        assert rig.stored()[newer.cd_id].digest == newer.digest
        assert rig.stored()[newer.cd_id].operation == "u"

    def test_an_older_revision_that_comes_late_changes_nothing(self, rig: Rig) -> None:
        content = contents(1)[0]
        old, new = a_record(content), revised(content, 2, penalty_result="罚款叁仟元")
        late, first = a_parcel([old]), a_parcel([new])
        settle(rig, first)

        lines = settle(rig, late)

        if rig.knows_revisions:
            assert [line.result for line in lines] == [Result.STALE]
        assert rig.stored()[new.cd_id].digest == new.digest

    def test_there_and_back_again_is_three_revisions(self, rig: Rig) -> None:
        content = contents(1)[0]
        settle(rig, a_parcel([a_record(content)]))
        settle(rig, a_parcel([revised(content, 2, penalty_result="罚款叁仟元")]))
        third = revised(content, 3)

        lines = settle(rig, a_parcel([third]))

        assert not refused(lines)
        assert rig.stored()[third.cd_id].digest == third.digest

    def test_a_record_that_is_taken_away_is_told_as_such(self, rig: Rig) -> None:
        content = contents(1)[0]
        settle(rig, a_parcel([a_record(content)]))
        gone = a_record(content, revision=2, operation="d")

        lines = settle(rig, a_parcel([gone]))

        assert not refused(lines)
        assert rig.stored()[gone.cd_id].operation == "d"

    def test_one_wrong_record_is_refused_with_its_element_and_its_neighbours_are_stored(self, rig: Rig) -> None:
        good = contents(6)
        spoilt, element = rig.spoil(good[3])
        records = [a_record(c) for c in (*good[:3], spoilt, *good[4:])]

        lines = settle(rig, a_parcel(records))

        told = refused(lines)
        assert list(told) == [records[3].cd_id]
        assert told[records[3].cd_id].element == element
        assert told[records[3].cd_id].message
        right = {r.cd_id: r.digest for i, r in enumerate(records) if i != 3}
        assert {k: s.digest for k, s in rig.stored().items() if k in right} == right

    def test_a_record_that_was_mended_passes(self, rig: Rig) -> None:
        content = contents(1)[0]
        spoilt, _ = rig.spoil(content)
        assert refused(settle(rig, a_parcel([a_record(spoilt)])))
        mended = revised(content, 2)

        lines = settle(rig, a_parcel([mended]))

        assert not refused(lines)
        assert rig.stored()[mended.cd_id].digest == mended.digest

    def test_a_receiver_that_is_not_there_is_unreachable_and_takes_the_parcel_later(self, rig: Rig) -> None:
        parcel = a_parcel([a_record(c) for c in contents(3)])
        rig.take_away()

        with pytest.raises(SystemUnreachable) as caught:
            rig.destination.deliver(parcel)
        rig.bring_back()
        lines = settle(rig, again(parcel))

        assert not caught.value.answer_lost
        assert not refused(lines)
        assert len(rig.stored()) == 3

    def test_a_lost_answer_is_told_as_lost_and_the_repeat_is_stored_once(self, rig: Rig) -> None:
        parcel = a_parcel([a_record(c) for c in contents(3)])
        rig.lose_answers()

        with pytest.raises(SystemUnreachable) as caught:
            rig.destination.deliver(parcel)
        rig.bring_back()
        lines = settle(rig, again(parcel))

        assert caught.value.answer_lost
        assert not refused(lines)
        assert {s.times for s in rig.stored().values()} == {1}
        assert len(rig.stored()) == 3

    def test_it_knows_whether_a_parcel_is_stored_or_says_that_it_cannot_tell(self, rig: Rig) -> None:
        parcel, other = a_parcel([a_record(contents(1)[0])]), a_parcel([a_record(contents(2)[1])])
        settle(rig, parcel)

        assert rig.destination.stored(parcel) in (True, None)
        assert rig.destination.stored(other) in (False, None)

    def test_the_connection_test_says_what_it_found(self, rig: Rig) -> None:
        assert rig.destination.check()

    def test_the_connection_test_fails_when_nobody_is_there(self, rig: Rig) -> None:
        rig.take_away()

        with pytest.raises(HubError) as caught:
            rig.destination.check()

        assert caught.value.what_zh

    def test_it_can_be_closed_twice(self, rig: Rig) -> None:
        rig.destination.close()
        rig.destination.close()
