"""Answers as records: a department answers a task through whatever it reports through."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import serve
from hub.bootstrap import prepare
from standards.errors import BadConfiguration
from tests.hub.city import config, until
from tests.hub.tasks.test_journeys import MARKET, MORE, Json, Province, complaint, sample, stored
from tests.receiver import Receiver

ECOLOGY = "11140200A4L2GB1F45"
WAYS = """
[connections.copies]
party = "ecology"
dataset = "copy_send"
tasks = true

[connections.market-copies]
party = "market"
dataset = "copy_send"

[destinations.to-market]
party = "market"
adapter = "mailbox"
tasks = true

[destinations.to-ecology]
party = "ecology"
adapter = "mailbox"
tasks = true

[[duties]]
party = "market"
regions = ["140202", "140225"]
leader = "王红"
organ = "稽查科"
person = "李明"

[[duties]]
party = "ecology"
regions = ["140213"]
"""


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Province]:
    receiver = Receiver().start()
    path = tmp_path / "hub.toml"
    path.write_text(config(receiver.url, more=MORE + WAYS), "utf-8")
    running = serve.start(*prepare(path))
    yield Province(running, receiver)
    running.stop()
    receiver.stop()


def answer(number: str = "C-1", step: str = "2", **more: str) -> Json:
    row = {
        "feedback_no": f"{number}-{step}",
        "complaint_no": number,
        "complaint_src": "02",
        "upper_no": "U-9",
        "step": step,
        "handle_org": "大同市市场监督管理局",
        "handle_org_code": MARKET,
        "is_overdue": "0",
    }
    if step == "2":
        row["claim_time"] = "2026-11-20 09:00:00"
    if step == "4":
        row |= {
            "verify_result": "1",
            "handle_result": "已责令改正",
            "is_solved": "1",
            "finish_time": "2026-11-20 10:00:00",
        }
    return {**row, **more}


def hand_in(province: Province, party: str, connection: str, rows: list[Json], name: str = "a.json") -> Json:
    said = province.client(party).post(f"/v1/submissions?connection={connection}&wait=20&name={name}", json=rows)
    found: Json = said.json()
    return found


def as_csv(rows: list[Json]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, sorted({name for row in rows for name in row}))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def test_a_department_answers_by_its_own_records_and_the_task_follows(province: Province) -> None:
    province.hand_down("from-above", complaint())

    signed = hand_in(province, "market", "market-answers", [answer()])
    assert signed["counts"]["accepted"] == 1, signed
    (one,) = province.tasks("market")
    assert one["state"] == "signed"
    told = province.client("market").post(
        "/v1/submissions?connection=market-answers&wait=20&name=a.csv", content=as_csv([answer(step="4")])
    )
    assert told.json()["counts"]["accepted"] == 1, told.text[:1000]

    whole = province.client("market").get(f"/v1/tasks/{one['id']}").json()
    assert whole["state"] == "answered"
    assert [(s["step"], s["party"]) for s in whole["steps"]] == [
        ("dispatch", ""),
        ("sign", "market"),
        ("answer", "market"),
    ]
    assert whole["steps"][2]["said"]["handle_result"] == "已责令改正"
    assert whole["steps"][2]["answer_receipt_no"]
    until(lambda: {r["step"] for r in stored(province) if "feedback_no" in r} == {"2", "4"})


def test_an_answer_out_of_turn_is_a_finding_and_the_same_answer_twice_a_duplicate(province: Province) -> None:
    province.hand_down("from-above", complaint())

    early = hand_in(province, "market", "market-answers", [answer(step="4")])
    assert early["counts"]["rejected"] == 1
    (finding,) = [f for r in early["records"] for f in r["findings"] if f["code"] == "30004.step"]
    assert "待签收" in finding["text"]
    assert "签收、退回" in finding["text"]
    assert hand_in(province, "market", "market-answers", [answer()])["counts"]["accepted"] == 1
    assert hand_in(province, "market", "market-answers", [answer()])["counts"]["duplicate"] == 1
    (one,) = province.tasks("market")
    assert one["state"] == "signed"


def test_who_is_not_responsible_cannot_answer(province: Province) -> None:
    province.hand_down("from-above", complaint(code=ECOLOGY))

    said = hand_in(province, "market", "market-answers", [answer()])

    assert [f["code"] for r in said["records"] for f in r["findings"] if f["severity"] == "error"] == [
        "30004.responsible"
    ]


def test_a_complaint_that_names_nobody_goes_to_who_is_responsible_and_else_to_the_pool(province: Province) -> None:
    nobody = {"dispatch_org_code": "", "step": "1"}
    rows = [
        {**complaint("D-1"), **nobody, "territory": "140202", "supervise_item_code": "14020001000101"},
        {**complaint("D-2"), **nobody, "territory": "140213", "supervise_item_code": ""},
        {**complaint("D-3"), **nobody, "territory": "140981", "supervise_item_code": ""},
    ]
    province.hand_down("from-above", *rows)

    found = {t["number"]: (t["assignee"], t["state"]) for t in province.tasks("")}
    assert found == {"D-1": ("market", "sent"), "D-2": ("ecology", "sent"), "D-3": ("", "registered")}
    (one,) = province.tasks("", number="D-1")
    duty = province.client("market").get(f"/v1/tasks/{one['id']}").json()["duty"]
    assert duty == {"leader": "王红", "organ": "稽查科", "person": "李明"}
    assert [t["number"] for t in province.tasks("", pool="true")] == ["D-3"]


def mail(province: Province, party: str) -> list[Json]:
    """Fetch and confirm everything in a party's mailbox."""
    found: list[Json] = []
    client = province.client(party)
    while parcels := client.get("/v1/mailbox").json():
        for parcel in parcels:
            found += [{**r["common"], **r["content"]} for r in parcel["event"]["data"]["records"]]
            said = client.post(f"/v1/mailbox/{parcel['event']['id']}/receipt", json={})
            assert said.status_code < 300, said.text
    return found


def test_a_task_lies_in_the_mailbox_of_who_must_answer_and_its_answer_with_who_asked(province: Province) -> None:
    notice = sample("copy_send", copy_form_no="K-1", accept_dept_codes=MARKET, state="dsh", feedback="")
    said = hand_in(province, "ecology", "copies", [notice])
    assert said["counts"]["accepted"] == 1, said["records"]
    got: list[Json] = []
    until(lambda: bool(got.extend(mail(province, "market")) or got))
    assert got[0]["copy_form_no"] == "K-1"
    (one,) = province.tasks("market")

    taken = province.step("market", one, "accept", accept_person="李明")
    assert taken.status_code == 200, taken.text
    answers: list[Json] = []
    until(lambda: bool(answers.extend(mail(province, "ecology")) or answers))

    assert [(a["copy_form_no"], a["state"]) for a in answers] == [("K-1", "ycgfkz")]
    (mine,) = province.tasks("ecology")
    assert mine["state"] == "accepted"


def test_what_is_handed_on_later_reaches_its_party(province: Province) -> None:
    row = {**complaint("D-9"), "dispatch_org_code": "", "step": "1", "territory": "140981", "supervise_item_code": ""}
    province.hand_down("from-above", row)
    (one,) = province.tasks("", pool="true")

    assert province.step("", one, "dispatch", party="market").json()["state"] == "sent"
    got: list[Json] = []
    until(lambda: bool(got.extend(mail(province, "market")) or got))
    assert [g["complaint_no"] for g in got] == ["D-9"]


def test_a_task_returned_three_times_ends_with_the_dispatcher(province: Province) -> None:
    province.hand_down("from-above", complaint())
    states = []
    for _ in range(3):
        (one,) = province.tasks("", number="C-1")
        if one["state"] == "registered":
            province.step("", one, "dispatch", party="market")
        back = province.step("market", one, "return", back_reason="不属本部门职责")
        states.append(back.json()["state"])

    assert states == ["registered", "registered", "arbitration"]
    (one,) = province.tasks("", number="C-1")
    assert one["assignee"] == ""
    assert {s["step"] for s in one["allowed"]} >= {"settle", "close"}


def some(count: int) -> Any:
    """Complaints of four places: three with somebody responsible."""
    places = ("140202", "140213", "140981", "140225")
    nobody = {"dispatch_org_code": "", "step": "1", "supervise_item_code": ""}
    return [{**complaint(f"M-{n}"), **nobody, "territory": places[n % 4]} for n in range(count)]


def test_many_complaints_are_dispatched_and_answered_none_twice(
    province: Province, request: pytest.FixtureRequest
) -> None:
    count = 10_000 if request.config.getoption("--full") else 1_000
    province.client("centre").post(
        "/v1/submissions?connection=from-above&wait=60&name=down.csv", content=as_csv(some(count)), timeout=120
    )

    def by_assignee() -> dict[str, int]:
        rows = province.client("").get("/v1/tasks/counts").json()
        return {row["assignee"]: row["open"] for row in rows}

    until(lambda: sum(by_assignee().values()) == count, 120)
    assert by_assignee() == {"market": count // 2, "ecology": count // 4, "": count // 4}
    mine = [f"M-{n}" for n in range(count) if n % 4 in (0, 3)]
    for step in ("2", "4"):
        rows = [answer(number, step) for number in mine]
        said = province.client("market").post(
            f"/v1/submissions?connection=market-answers&wait=60&name=a{step}.csv", content=as_csv(rows), timeout=120
        )
        assert said.json()["counts"]["accepted"] == len(mine), said.text[:500]
    counts = province.client("").get("/v1/tasks/counts").json()
    answered = {(c["assignee"], c["state"]): c["open"] for c in counts}
    assert answered[("market", "answered")] == count // 2
    assert ("market", "sent") not in answered


def test_wrong_settings_of_tasks_are_told_with_the_near_name(tmp_path: Path) -> None:
    more = MORE.replace("tasks = true", 'tasks = ["complaints"]', 1) + WAYS
    more += '[destinations.twice]\nparty = "market"\nadapter = "mailbox"\ntasks = true\n'
    more += '[[duties]]\nparty = "markt"\nflows = ["complain"]\n'
    path = tmp_path / "hub.toml"
    path.write_text(config("http://127.0.0.1:1", more=more), "utf-8")

    with pytest.raises(BadConfiguration) as caught:
        prepare(path)

    said = str(caught.value.hint) + caught.value.what
    assert "the tasks of market go to to-market already" in said
    assert "markt" in said
    assert "complaints" in said, "the flow of the connection"
    assert "flow complain" in said, "the flow of the duty"


def test_a_local_item_is_proposed_reviewed_and_a_conflict_reported(tmp_path: Path) -> None:
    receiver = Receiver().start()
    path = tmp_path / "hub.toml"
    more = '[connections.local-items]\nparty = "market"\ndataset = "supervise_item_main"\ntasks = ["item_proposal"]\n'
    more += '[[duties]]\nparty = "ecology"\nflows = ["item_proposal"]\n'
    path.write_text(config(receiver.url, more=more), "utf-8")
    running = serve.start(*prepare(path))
    made = Province(running, receiver)
    hand_in(made, "market", "local-items", [sample("supervise_item_main", matter_code="18034063")])

    (one,) = made.tasks("ecology")
    assert (one["flow"], one["state"], one["sender"]) == ("item_proposal", "proposed", "market")
    assert made.step("market", one, "take").status_code == 409, "who proposes does not review"
    assert made.step("ecology", one, "contradict").status_code == 409, "a conflict says with what"
    assert made.step("ecology", one, "contradict", reason="与国家事项 18034001 重复").json()["state"] == "conflict"
    (mine,) = made.tasks("market")
    told = made.client("market").get(f"/v1/tasks/{mine['id']}").json()
    assert told["steps"][0]["said"] == {"reason": "与国家事项 18034001 重复"}
    assert made.step("market", one, "again").json()["state"] == "proposed"
    assert made.step("ecology", one, "take").json()["ended_at"]
    running.stop()
    receiver.stop()


def test_a_task_is_opened_over_the_api_and_a_wrong_one_is_refused_whole(province: Province) -> None:
    notice = sample("copy_send", copy_form_no="K-9", accept_dept_codes=MARKET, state="dsh", feedback="")
    client = province.client("ecology")
    wrong = client.post("/v1/tasks", json={"connection": "copies", "values": {**notice, "copy_date": "昨天"}})
    assert wrong.status_code == 422
    assert "copy_date" in wrong.json()["detail"]
    other = province.client("market").post("/v1/tasks", json={"connection": "copies", "values": notice})
    assert other.status_code == 403
    plain = province.client("market").post("/v1/tasks", json={"connection": "market-copies", "values": notice})
    assert plain.status_code == 409

    assert client.post("/v1/tasks", json={"connection": "copies", "values": notice}).status_code == 202
    until(lambda: [one["number"] for one in province.tasks("market")] == ["K-9"])
