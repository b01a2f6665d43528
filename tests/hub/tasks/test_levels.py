"""For each flow: sent by the nation, through province and city, answered by a department through a channel of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from standards.registry import built_in
from standards.samples import valid_records
from tests.hub.city import until
from tests.hub.tasks.levels import MARKET, Json, Levels, levels
from tests.receiver import Receiver


def sample(dataset: str, **changes: str) -> Json:
    row = next(iter(valid_records(built_in().dataset(dataset), built_in(), 1)))
    return {**row, **changes}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver(level="nation").start()
    yield receiver
    receiver.stop()


def step(made: Levels, name: str, **said: str) -> Json:
    """The department takes a step at the desk of the city's hub."""
    one = made.task("city", "market")
    answer = made.client("city", "market").post(f"/v1/tasks/{one['id']}/steps", json={"step": name, "said": said})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def test_a_complaint_is_answered_at_the_desk(tmp_path: Path, receiver: Receiver) -> None:
    with levels(tmp_path, receiver, "complaint_report", "complaint_feedback") as made:
        made.hand_down(sample("complaint_report", complaint_no="C-1", upper_no="U-1", dispatch_org_code=MARKET))
        assert made.task("city")["assignee"] == "market"
        assert made.task("province")["assignee"] == "city"

        began = time.monotonic()
        step(made, "sign")
        made.at("province", "signed")
        until(lambda: made.stored(complaint_no="C-1", step="2"))
        hop = (time.monotonic() - began) / 2
        step(made, "accept")
        step(made, "answer", verify_result="1", handle_result="已责令改正", is_solved="1")
        told = made.at("province", "answered")
        until(lambda: made.stored(complaint_no="C-1", step="4"))

        assert [s["step"] for s in told["steps"]] == ["dispatch", "sign", "answer"]
        assert all(s["at"] for s in told["steps"])
        assert hop < 2, "one hop takes under two seconds when nothing else runs"


def test_a_clue_is_answered_by_a_csv_file(tmp_path: Path, receiver: Receiver) -> None:
    with levels(tmp_path, receiver, "risk_clue", "risk_clue_feedback") as made:
        made.hand_down(sample("risk_clue", fxyj_id="F-1", dispatch_org_code=MARKET))
        made.task("city", "market")
        step(made, "sign", feedback_person="张永红")
        made.at("province", "signed")
        step(made, "finish", verify_result="1", handle_desc="已整改", feedback_person="张永红")
        made.at("province", "closed")
        until(lambda: {r["state"] for r in made.stored(fxyj_id="F-1") if "state" in r} >= {"2", "5"})


def names() -> str:
    return json.dumps([], ensure_ascii=False)
