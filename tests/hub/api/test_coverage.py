"""`hub adapter coverage`: over what came in, or over a sample; who may see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from demo import ecology
from hub.cli.main import app
from tests.house.repository import ROOT
from tests.hub.api.conftest import Door

EXAMPLE = ROOT / "docs" / "examples" / "first-record"


def covered(*words: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["adapter", "coverage", *words, "--json"])
    return done.exit_code, json.loads(done.stdout) if done.stdout.startswith("[") else done.output


def hand_over(door: Door, data: bytes) -> dict[str, Any]:
    said = door.ecology.post(
        "/v1/submissions?connection=ecology-penalties&wait=30", content=data, headers={"content-type": "text/csv"}
    )
    assert said.status_code == 200, said.text
    return dict(said.json())


def test_over_what_came_in_rejected_records_count_too(door: Door) -> None:
    rows = list(ecology.rows(60, seed=31, first=31_000))
    good = hand_over(door, b"".join(ecology.pieces(rows)))["counts"]
    head, *lines = b"".join(ecology.pieces(rows)).decode("gb18030").splitlines()
    place = head.split(",").index("决定日期")
    for n, text in enumerate(lines):
        cells = text.split(",")
        if len(cells) == len(head.split(",")):
            cells[place] = ""
            lines[n] = ",".join(cells)
    faulty = hand_over(door, "\n".join([head, *lines]).encode("gb18030"))["counts"]
    key = door.operator.headers["authorization"].removeprefix("Bearer ")
    server = ("--url", door.running.address, "--key", key)

    code, [found] = covered("--connection", "ecology-penalties", *server)

    elements = {one["element"]: one for one in found["elements"]}
    assert code == 1, "a must-element is missing"
    assert found["rows"] == good["read"] + faulty["read"]
    assert found["elements"][0]["element"] == "set_date"
    assert elements["set_date"]["standing"] == "seldom"
    assert elements["set_date"]["findings"]["10001"] == faulty["read"] - elements["set_date"]["filled"] + good["read"]
    assert elements["set_date"]["fields"] == "决定日期"
    assert covered("--connection", "ecology-penalties", "--since", "2999-01-01", *server) == (0, [])


def test_few_records_are_looked_at_where_few_are_asked_for(door: Door) -> None:
    for seed in (41, 42):
        hand_over(door, b"".join(ecology.pieces(ecology.rows(10, seed=seed, first=seed * 1000))))

    found = door.operator.get("/v1/coverage?connection=ecology-penalties&rows=10").json()[0]

    assert (found["rows"], found["submissions"], found["cut"]) == (10, 1, True)


def test_a_party_sees_its_own_only(door: Door) -> None:
    hand_over(door, b"".join(ecology.pieces(ecology.rows(10, seed=51, first=51_000))))

    assert {one["connection"] for one in door.ecology.get("/v1/coverage").json()} == {"ecology-penalties"}
    assert door.market.get("/v1/coverage").json() == []
    assert door.market.get("/v1/coverage?connection=ecology-penalties").status_code == 403
    assert door.operator.get("/v1/coverage?connection=ecology-penaltys").status_code == 404


def test_a_submission_that_cannot_be_read_does_not_hide_the_others(door: Door) -> None:
    hand_over(door, b"".join(ecology.pieces(ecology.rows(10, seed=61, first=61_000))))
    spoilt = hand_over(door, b"PK\x03\x04 no zip")["receipt_no"]

    found = door.operator.get("/v1/coverage?connection=ecology-penalties").json()[0]

    assert found["rows"] >= 10
    assert [one["receipt_no"] for one in found["unread"]] == [spoilt]


def test_over_a_sample_nothing_needs_to_run(tmp_path: Path) -> None:
    words = (str(EXAMPLE / "处罚导出.csv"), "--mapping", "ecology/punish_action", "--site", str(EXAMPLE / "site"))

    code, [found] = covered(*words)

    worst = found["elements"][0]
    assert code == 1
    assert (found["rows"], found["sample"]) == (4, "处罚导出.csv")
    assert (worst["element"], worst["standing"], worst["share"]) == ("punish_action_name", "seldom", 0.75)
    said = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["adapter", "coverage", *words]).output
    assert "必填，常缺 seldom" in said
    assert "75.0%" in said


def test_what_to_look_at_is_said_in_one_way() -> None:
    sample = str(EXAMPLE / "处罚导出.csv")

    for words in ([sample], ["--mapping", "a/b"], [sample, "--mapping", "a/b", "--connection", "c"]):
        code, said = covered(*words)
        assert code == 2
        assert "错误" in said
