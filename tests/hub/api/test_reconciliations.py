"""The doors of reconciliation: a party hands its statement in and sees its own, nobody else's; and the command line."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from standards.clock import local
from tests.hub.api.conftest import Door
from tests.hub.api.test_operations import csv, hand_over, told
from tests.hub.city import until


def statement(day: date, count: int) -> str:
    return f"数据集,开始日期,结束日期,数量\n行政处罚行为,{day},{day},{count}\n"


def test_a_party_hands_its_statement_in_and_only_it_and_the_operator_see_what_came_of_it(door: Door) -> None:
    receipt = hand_over(door, csv(4, seed=61))
    until(lambda: door.ecology.get(f"/v1/receipts/{receipt}").json()["state"] in ("judged", "settled"))
    day = local(door.running.hub.clock.now()).date()

    said = door.ecology.post(
        "/v1/reconciliations/statements", content=statement(day, 6).encode(), headers={"content-type": "text/csv"}
    )

    assert said.status_code == 200, said.text
    (one,) = said.json()
    assert (one["party"], one["agrees"], one["ours"]["read"], one["theirs"]["read"]) == ("ecology", False, 4, 6)
    for client in (door.ecology, door.operator):
        assert one["id"] in {row["id"] for row in client.get("/v1/reconciliations").json()}
        assert client.get(f"/v1/reconciliations/{one['id']}").json()["buckets"] == []
    assert door.market.get("/v1/reconciliations").json() == []
    assert door.market.get(f"/v1/reconciliations/{one['id']}").status_code == 404
    assert {c["code"] for c in door.ecology.get("/v1/cases").json()} >= {"20006.counts"}
    assert door.operator.post("/v1/reconciliations/statements", content=b"x").status_code == 404, "whose?"


def test_what_a_neighbour_may_ask_is_not_the_operators_and_rubbish_is_refused(door: Door) -> None:
    ask = {"dataset": "punish_action", "until": "2026-09-01T00:00:00Z"}
    assert door.operator.post("/v1/reconciliations/buckets", json=ask).status_code == 403
    assert door.market.post("/v1/reconciliations/buckets", json=ask).json()["count"] == 0
    assert door.market.post("/v1/reconciliations/buckets", json={**ask, "without": "a"}).status_code == 422
    assert door.ecology.post("/v1/reconciliations", json={"destination": "province"}).status_code == 403


def test_the_command_compares_a_statement_and_lists_what_was_compared(door: Door, tmp_path: Path) -> None:
    day = local(door.running.hub.clock.now()).date()
    path = tmp_path / "清单.csv"
    path.write_text(statement(day, 9), "utf-8")

    code, output = told(door, "reconcile", "--statement", str(path), "--party", "ecology", "--json")

    (one,) = json.loads(output)
    assert (code, one["agrees"]) == (1, False)
    path.write_text(statement(day, one["ours"]["read"]), "utf-8")
    assert told(door, "reconcile", "--statement", str(path), "--party", "ecology")[0] == 0
    code, output = told(door, "reconcile", "--json")
    assert (code, one["id"] in {row["id"] for row in json.loads(output)}) == (0, True)
    assert told(door, "reconcile", "--show", one["id"])[0] == 1
    code, output = told(door, "reconcile", "province")
    assert code == 2
    assert "枢纽" in output
