"""Fifty thousand records with one unknown code: answered once, replayed, killed in the middle, delivered once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.faults.rig import HubProcess, pause
from tests.hub.test_replay import MAPPING, UNKNOWN, penalties
from tests.receiver import Receiver

FILES = 5
SIZES = [pytest.param(2_000, id="2k"), pytest.param(50_000, id="50k", marks=pytest.mark.full)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.before = lambda _event: pause(0.01)
    receiver.start()
    yield receiver
    receiver.stop()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("records", SIZES)
def test_a_replay_is_killed_in_the_middle_and_everything_is_delivered_once(
    records: int, receiver: Receiver, tmp_path: Path
) -> None:
    hub = HubProcess.make(tmp_path, receiver)
    hub.start()
    each = records // FILES
    for number in range(FILES):
        said = hub.client().post(
            f"/v1/submissions?connection=ecology-penalties&wait=60&name=f{number}.csv",
            content=penalties(each, first=1 + number * each),
            timeout=120,
        )
        assert said.status_code in (200, 202), said.text[:500]
    hub.until(lambda: sum(g["cases"] for g in hub.client().get("/v1/cases").json()) == records, 300)
    (group,) = hub.client().get("/v1/failures").json()
    assert (group["count"], group["class"], group["pattern"]) == (records, "2", UNKNOWN), "grouped as one"
    asked = hub.client().get(f"/v1/failures/{group['group']}").json()["question"]
    assert (asked["mapping"], asked["name"]) == (MAPPING, "案件来源")
    code = {**{name: asked[name] for name in ("mapping", "name", "source")}, "code": "4"}
    assert hub.client().post("/v1/crosswalks", json=code).status_code == 200
    choice = {"group": group["group"], "reason": "代码已答复"}
    rehearsed = hub.client().post("/v1/replays/rehearsal", json=choice, timeout=300).json()
    assert rehearsed["fails"] == 0
    assert rehearsed["passes"] == rehearsed["tried"] > 0

    made = hub.client().post("/v1/replays", json=choice, timeout=120).json()
    hub.until(lambda: len(receiver.stored) > records * 0.1, 300)
    hub.kill()
    assert len(receiver.stored) < records, "killed in the middle"
    hub.start()
    hub.client().post("/v1/replays", json=choice, timeout=120)  # somebody clicks again

    hub.until(lambda: hub.client().get(f"/v1/replays/{made['id']}").json()["state"] == "done", 600)
    hub.until(lambda: len(receiver.stored) == records, 300)
    hub.until(lambda: hub.client().get("/v1/cases").json() == [], 60)
    assert set(receiver.stored.values()) == {1}, "no record has a second revision"

    # Undoing puts them back: withdrawn at the receiver, and open cases again.
    hub.until(lambda: all(one["state"] == "done" for one in hub.client().get("/v1/replays").json()), 300)
    for one in hub.client().get("/v1/replays").json():
        hub.client().post(f"/v1/repairs/{one['id']}/undo", json={"reason": "代码答复有误"}, timeout=120)
    hub.until(lambda: sum(g["cases"] for g in hub.client().get("/v1/cases").json()) == records, 600)
    hub.until(lambda: sum(one[2] == "d" for one in list(receiver.history)) == records, 300)
    assert set(receiver.stored.values()) == {2}, "each withdrawn once"
    hub.stop()
