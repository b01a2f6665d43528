"""Overlapping replays, a double click, a replay of a replay, new failures meanwhile: never a record twice."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from hub.ledger.cases import Selection
from hub.ledger.replays import Stage
from hub.ledger.tables import case_, submission
from standards.errors import BadRecord
from tests.hub.city import City, running, until
from tests.hub.test_repair import MENDED
from tests.hub.test_replay import answer, ended, penalties, stored

GROUP = Selection(party="ecology")
MOVES = (
    "new failures",
    "answer",
    "replay",
    "double click",
    "replay a replay",
    "repair",
    "pause and go on",
    "cancel",
    "judge again",
    "send again",
    "edit",
)
#: From where these take their records.
STAGES = {"judge again": Stage.MAPPED, "send again": Stage.DELIVERY}


def _replayed(city: City) -> list[str]:
    with city.hub.ledger.read() as connection:
        found = select(submission.c.receipt_no).where(submission.c.origin_id.is_not(None))
        return list(connection.execute(found).scalars())


def _move(city: City, move: str, batch: int) -> list[str]:
    """One thing somebody does; the replays it began."""
    desk = city.hub.replays()
    if move == "new failures":
        city.submit(penalties(15, first=1 + batch * 15))
        return []
    if move == "answer":
        answer(city)
        return []
    if move == "edit":
        return _edit(city)
    stage = STAGES.get(move, Stage.RAW)
    if stage is not Stage.RAW:
        parts = desk.plan(GROUP, stage=stage)
    elif move == "replay a replay":
        parts = [part for number in _replayed(city)[-1:] for part in desk.plan(Selection(), number)]
    else:
        parts = desk.plan(GROUP)
    if not parts:
        return []
    if move == "repair":
        return [desk.start(parts, "test", "", {}, repair=MENDED, consent="王芳")["id"]]
    begun = [desk.start(parts, "test", "", {}, stage=stage)["id"] for _ in range(2 if move == "double click" else 1)]
    try:
        if move == "cancel":
            desk.turn(UUID(begun[0]), "cancel", "test")
        elif move == "pause and go on":
            desk.turn(UUID(begun[0]), "pause", "test")
            desk.turn(UUID(begun[0]), "resume", "test")
    except BadRecord:
        pass  # it had ended
    return begun


def _edit(city: City) -> list[str]:
    """The first open case is mended by hand."""
    with city.hub.ledger.read() as connection:
        case = connection.execute(
            select(case_.c.submission_id, case_.c.row_no).where(case_.c.closed_at.is_(None)).limit(1)
        ).first()
        told = connection.execute(
            select(submission.c.receipt_no).where(submission.c.id == (case[0] if case else None))
        ).scalar()
    if case is None or told is None:
        return []
    changes = {"案件来源": "日常检查"}
    return [city.hub.edits().edit(told, case[1], changes, "test", reason="核实", consent="王芳")["id"]]


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@example(["edit", "send again", "judge again", "answer", "replay", "send again", "judge again", "new failures", "edit"])
@given(st.lists(st.sampled_from(MOVES), min_size=4, max_size=9))
def test_never_a_record_twice_at_the_receiver(moves: list[str]) -> None:
    with TemporaryDirectory() as folder:
        for city in running(Path(folder)):
            _all_of(city, ["new failures", *moves])


def _all_of(city: City, moves: list[str]) -> None:
    begun = [one for number, move in enumerate(moves) for one in _move(city, move, number)]
    desk = city.hub.replays()
    until(lambda: all(_over(desk.one(UUID(one))) for one in begun), 60)
    answer(city)
    until(lambda: _judged(city), 60)
    if parts := desk.plan(GROUP):
        ended(city, desk.start(parts, "test", "", {})["id"])
    records = 15 * moves.count("new failures")
    until(lambda: len(stored(city)) == records, 60)
    assert desk.plan(GROUP) == []
    revisions = {(key, revision) for key, revision, _ in city.receiver.history}
    assert len(revisions) == len(city.receiver.history), "each revision is stored once"
    # A repair said 日常检查 (1), the answer 4: a record has a second revision only where these differ.
    for key in {key for key, _ in revisions}:
        said = [city.receiver.contents[k, r]["case_source"] for k, r in sorted(revisions) if k == key]
        assert all(before != after for before, after in pairwise(said)), said


def _over(one: dict[str, Any]) -> bool:
    return one["state"] in ("done", "cancelled") and not one["progress"]["unfinished"]


def _judged(city: City) -> bool:
    with city.hub.ledger.read() as connection:
        found = connection.execute(select(submission.c.state)).scalars().all()
    return all(state in ("judged", "settled") for state in found)
