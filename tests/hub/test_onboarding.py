"""Onboarding: test traffic is never data, and a connection goes live after a conformance run that it passed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from demo.ecology import pieces, rows
from hub import serve
from hub.bootstrap import build, prepare
from hub.cli.main import app
from hub.ledger.tables import case_, delivery, hold, record_head, tally
from hub.onboarding import outcome
from hub.serve import Running
from hub.settings import Onboarding
from standards.errors import BadConfiguration
from tests.hub.city import config

MAPPING = 'mapping = "demo_ecology/punish_action"'


def written(folder: Path, stage: str, more: str = "") -> Path:
    """Settings in which the ecology bureau's connection has come so far."""
    path = folder / "hub.toml"
    text = config("http://127.0.0.1:9", more=more).replace(MAPPING, f'{MAPPING}\nstage = "{stage}"', 1)
    text = text.replace('dataset = "', 'stage = "survey"\ndataset = "')
    path.write_text(text, "utf-8")
    return path


def sample(folder: Path, count: int, faults: float = 0) -> str:
    path = folder / f"sample-{count}-{faults}.csv"
    path.write_bytes(b"".join(pieces(rows(count, faults=faults))))
    return str(path)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A hub whose connections are not live yet."""
    started = serve.start(*prepare(written(tmp_path, "joint_test")))
    yield started
    started.stop()


def hub(folder: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--config", str(folder / "hub.toml")])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("read", "accepted", "passed"), [(10, 10, True), (9, 9, False), (100, 95, True), (100, 94, False), (0, 0, False)]
)
def test_a_sample_must_be_large_and_good_enough(read: int, accepted: int, passed: bool) -> None:
    assert outcome(Onboarding(), {"read": read, "accepted": accepted}).passed is passed


@pytest.mark.parametrize("stage", ["survey", "connecting", "joint_test"])
def test_before_it_is_live_what_comes_in_is_judged_and_is_no_data(tmp_path: Path, stage: str) -> None:
    running = serve.start(*prepare(written(tmp_path, stage)))
    file = sample(tmp_path, 40, 0.2)

    code, said = hub(tmp_path, "submit", file, "-c", "ecology-penalties", "--wait", "--json")
    counts = json.loads(hub(tmp_path, "status", "--json")[1])
    with running.hub.ledger.read() as connection:
        written_rows = [
            connection.execute(select(func.count()).select_from(t)).scalar_one()
            for t in (record_head, delivery, hold, case_, tally)
        ]
    [row] = [c for c in facts(running) if c["connection"] == "ecology-penalties"]
    running.stop()

    receipt = json.loads(said[said.index("{\n") :])  # behind what the hub logs meanwhile
    assert code == 1
    assert receipt["test"] is True
    assert receipt["counts"]["read"] == 40
    assert receipt["counts"]["rejected"] > 0
    assert written_rows == [0, 0, 0, 0, 0]
    assert counts["today"] == counts["cases"] == []
    assert (row["submissions"], row["test_submissions"], row["read"]) == (0, 1, 0)


def facts(running: Running) -> list[dict[str, object]]:
    from hub.facts import Facts

    return Facts(running.hub.ledger, running.hub.clock).connections()


def test_a_passed_run_is_remembered_with_its_counts_and_mapping(running: Running, tmp_path: Path) -> None:
    bad = hub(tmp_path, "connection", "test", "ecology-penalties", sample(tmp_path, 40, 0.5))
    few = hub(tmp_path, "connection", "test", "ecology-penalties", sample(tmp_path, 3))
    before = json.loads(hub(tmp_path, "connection", "stages", "--json")[1])
    good = hub(tmp_path, "connection", "test", "ecology-penalties", sample(tmp_path, 40))
    after = json.loads(hub(tmp_path, "connection", "stages", "--json")[1])

    assert (bad[0], few[0], good[0]) == (1, 1, 0)
    assert "未通过" in bad[1]
    assert "至少 10 条" in few[1]
    assert all(row["passed"] is None for row in before)
    [row] = [row for row in after if row["connection"] == "ecology-penalties"]
    assert (row["party"], row["dataset"], row["stage_zh"]) == ("ecology", "punish_action", "联调")
    assert (row["passed"]["read"], row["passed"]["accepted"]) == (40, 40)
    assert row["passed"]["mapping"] == row["mapping"] == "demo_ecology/punish_action v1"
    assert not row["mapping_changed"]


def test_where_it_is_required_nothing_is_live_without_a_passed_run(running: Running, tmp_path: Path) -> None:
    hub(tmp_path, "connection", "test", "ecology-penalties", sample(tmp_path, 20))
    running.stop()
    required = "[onboarding]\nrequired = true\n"

    serve.start(*prepare(written(tmp_path, "live", required))).stop()

    path = written(tmp_path, "live", required)
    path.write_text(path.read_text("utf-8").replace('stage = "survey"', 'stage = "live"', 1), "utf-8")
    with pytest.raises(BadConfiguration, match="market-penalties"):
        serve.start(*prepare(tmp_path / "hub.toml"))
    code, said = hub(tmp_path, "check")
    assert code == 2
    assert "尚未通过联调测试" in said
    left = build(prepare(tmp_path / "hub.toml")[0])
    assert left.generations.current().settings.connections["market-penalties"].stage == "survey", "the old ones stay"
    left.stop()


def test_the_table_of_stages_names_them_in_chinese(running: Running, tmp_path: Path) -> None:
    code, said = hub(tmp_path, "connection", "stages")

    assert code == 0
    assert "联调" in said
    assert "摸底" in said
