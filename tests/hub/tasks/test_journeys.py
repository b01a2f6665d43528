"""A complaint from the province: handed on, signed for, answered; the answer is at the province by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from hub import serve
from hub.api.tasks import desk
from hub.bootstrap import prepare
from hub.ledger import credentials
from hub.ledger.tables import task
from hub.serve import Running
from hub.tasks import Caller
from standards.registry import built_in
from standards.samples import valid_records
from tests.hub.city import config, until
from tests.receiver import Receiver

MORE = """
[connections.from-above]
party = "centre"
dataset = "complaint_report"
tasks = true

[connections.clues-from-above]
party = "centre"
dataset = "risk_clue"
tasks = true

[connections.market-answers]
party = "market"
dataset = "complaint_feedback"

[connections.market-clue-answers]
party = "market"
dataset = "risk_clue_feedback"
"""
MARKET = "111402001D22DR363Y"
Json = dict[str, Any]


class Province:
    """The running city and its receiver above."""

    def __init__(self, running: Running, receiver: Receiver) -> None:
        self.running, self.receiver = running, receiver
        self._clients: dict[str, httpx2.Client] = {}

    def client(self, party: str) -> httpx2.Client:
        if party not in self._clients:
            hub = self.running.hub
            key = hub.ledger.write(lambda c: credentials.make(c, party, hub.clock.now(), by="test"))[1]
            self._clients[party] = httpx2.Client(
                base_url=self.running.address, headers={"authorization": f"Bearer {key}"}, timeout=30
            )
        return self._clients[party]

    def hand_down(self, connection: str, *rows: Json) -> Json:
        said = self.client("centre").post(
            f"/v1/submissions?connection={connection}&wait=20&name=down.json", json=list(rows)
        )
        assert said.json()["counts"]["rejected"] == 0, said.text[:2000]
        answer: Json = said.json()
        return answer

    def tasks(self, party: str, **wanted: Any) -> list[Json]:
        found: list[Json] = self.client(party).get("/v1/tasks", params=wanted).json()
        return found

    def step(self, caller: str, one: Json, step: str, /, **said: str) -> httpx2.Response:
        return self.client(caller).post(f"/v1/tasks/{one['id']}/steps", json={"step": step, "said": said})


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Province]:
    receiver = Receiver().start()
    path = tmp_path / "hub.toml"
    path.write_text(config(receiver.url, more=MORE), "utf-8")
    running = serve.start(*prepare(path))
    yield Province(running, receiver)
    running.stop()
    receiver.stop()


def sample(dataset: str, **changes: str) -> Json:
    row = next(iter(valid_records(built_in().dataset(dataset), built_in(), 1)))
    return {**row, **changes}


def complaint(number: str = "C-1", code: str = MARKET) -> Json:
    return sample("complaint_report", complaint_no=number, upper_no="U-9", dispatch_org_code=code)


def test_a_complaint_is_signed_for_answered_and_its_answer_is_above(province: Province) -> None:
    province.hand_down("from-above", complaint())

    (one,) = province.tasks("market")
    assert (one["flow"], one["number"], one["state"], one["assignee"]) == ("complaint", "C-1", "sent", "market")
    assert one["pair"] == {"upper_no": "U-9"}
    assert province.step("market", one, "sign").json()["state"] == "signed"
    assert province.step("market", one, "accept").json()["state"] == "accepted"
    done = province.step("market", one, "answer", verify_result="1", handle_result="已责令改正", is_solved="1").json()

    assert done["state"] == "answered", done
    assert [s["step"] for s in done["steps"]] == ["dispatch", "sign", "accept", "answer"]
    until(lambda: {r.get("step") for r in stored(province)} >= {"2", "4"})
    answers = {r["step"]: r for r in stored(province) if "feedback_no" in r}
    assert answers["4"]["complaint_no"] == "C-1"
    assert answers["4"]["handle_org_code"] == MARKET
    assert answers["4"]["handle_result"] == "已责令改正"
    assert answers["2"]["feedback_no"] != answers["4"]["feedback_no"]


def stored(province: Province) -> list[Json]:
    return list(province.receiver.contents.values())


def test_a_step_out_of_turn_by_others_or_twice_is_refused_with_what_is_allowed(province: Province) -> None:
    province.hand_down("from-above", complaint())
    (one,) = province.tasks("market")

    early = province.step("market", one, "accept")
    assert early.status_code == 409
    assert "待签收" in early.json()["detail"]
    assert province.step("ecology", one, "sign").status_code == 404, "a task of others is none"
    assert province.step("centre", one, "sign").status_code == 409
    province.step("market", one, "sign")
    twice = province.step("market", one, "sign")
    assert twice.status_code == 409
    assert "受理（accept）" in twice.json()["hint"]
    assert province.step("market", {"id": UUID(int=7)}, "sign").status_code == 404


def test_an_answer_that_does_not_fit_changes_nothing_and_says_which_element(province: Province) -> None:
    province.hand_down("from-above", complaint())
    (one,) = province.tasks("market")
    province.step("market", one, "sign")

    wrong = province.step("market", one, "answer", verify_result="9", handle_result="查", is_solved="x")

    assert wrong.status_code == 422, wrong.text
    assert "verify_result" in wrong.json()["detail"]
    assert "is_solved" in wrong.json()["detail"]
    (still,) = province.tasks("market")
    assert still["state"] == "signed"


def test_the_same_number_twice_is_one_task_and_nobodys_task_is_in_the_pool(province: Province) -> None:
    province.hand_down("from-above", complaint())
    province.hand_down("from-above", {**complaint(), "complaint_title": "改了标题"})
    province.hand_down("from-above", complaint("C-2", "11140200PBX1F1BY6T"))

    assert len(province.tasks("", number="C-1")) == 1
    (pool,) = province.tasks("", pool=True)
    assert (pool["number"], pool["assignee"], pool["addressed"]) == ("C-2", "", "11140200PBX1F1BY6T")
    assert {c["assignee"]: c["open"] for c in province.client("").get("/v1/tasks/counts").json()} == {
        "": 1,
        "market": 1,
    }
    seen = province.client("market").get(f"/v1/tasks/{pool['id']}").json()
    assert seen["record"] == {}, "who is not concerned sees the number, not what it says"
    assert province.step("", pool, "dispatch", party="nobody").status_code == 404
    assert province.step("", pool, "dispatch", party="market").json()["assignee"] == "market"


def test_a_clue_is_returned_handed_on_and_finished(province: Province) -> None:
    clue = sample("risk_clue", fxyj_id="F-1", dispatch_org_code=MARKET, due_time="2027-01-05 18:00:00")
    province.hand_down("clues-from-above", clue)
    (one,) = province.tasks("market")
    person = {"feedback_person": "张永红"}

    back = province.step("market", one, "return", back_reason="不属本单位", **person)
    assert (back.json()["state"], back.json()["assignee"]) == ("pool", ""), back.text
    province.step("", one, "dispatch", party="market")
    assert province.step("market", one, "sign", **person).json()["state"] == "signed"
    ended = province.step("market", one, "finish", verify_result="1", handle_desc="已整改", **person).json()

    assert ended["ended_at"]
    assert ended["allowed"] == []
    until(lambda: {r.get("state") for r in stored(province) if r.get("fxyj_id") == "F-1"} >= {"6", "2", "5"})


def test_an_answer_that_was_interrupted_is_handed_in_later_and_once(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    province.hand_down("from-above", complaint())
    (one,) = province.tasks("market")
    hub = province.running.hub
    taken = type(hub.intake).receive

    def down(*_: object) -> None:
        raise ConnectionError("the process is killed here")

    monkeypatch.setattr(type(hub.intake), "receive", down)
    with pytest.raises(ConnectionError):
        desk(hub).step(Caller("market", "test"), UUID(one["id"]), "sign", {})
    monkeypatch.setattr(type(hub.intake), "receive", taken)

    assert hub.tasks(lambda _c, _b: ()).send_answers() == 1
    assert hub.tasks(lambda _c, _b: ()).send_answers() == 0
    until(lambda: bool(steps := [r["step"] for r in stored(province) if "feedback_no" in r]) and steps == ["2"], 15)


def test_each_of_many_down_records_opens_one_task_with_its_due_time(province: Province) -> None:
    rows = [complaint(f"N-{n}") for n in range(2000)]
    province.client("centre").post(
        "/v1/submissions?connection=from-above&wait=30&name=down.ndjson",
        content=b"".join(json.dumps(r, ensure_ascii=False).encode() + b"\n" for r in rows),
    )

    def opened() -> int:
        with province.running.hub.ledger.read() as connection:
            return len(connection.execute(task.select()).all())

    until(lambda: opened() == 2000)
    with province.running.hub.ledger.read() as connection:
        for row in connection.execute(task.select()):
            assert row.due_at is not None
            assert row.due_at - row.opened_at < timedelta(days=30)
