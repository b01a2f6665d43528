"""`hub adapter draft`: what an integrator gets from a sample."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from demo import ecology
from hub.cli.main import app


def test_a_sample_becomes_a_mapping_that_lints_and_whose_cases_run(tmp_path: Path) -> None:
    sample = tmp_path / "处罚导出.csv"
    sample.write_bytes(b"".join(ecology.pieces(ecology.rows(60))))
    folder = tmp_path / "site" / "mappings" / "sthj"
    words = ["adapter", "draft", str(sample), "--dataset", "punish_action", "--into", str(folder)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "处罚决定日期" in done.output

    site = ["--site", str(tmp_path / "site")]
    for verb in ("lint", "test"):
        checked = CliRunner().invoke(app, ["mapping", verb, "sthj/punish_action", *site])
        assert checked.exit_code == 0, checked.output
    text = (folder / "punish_action.yaml").read_text("utf-8")
    assert 'fine: {from: "罚款金额(万元)", unit: 万元, to: 元}' in text
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2, "nothing is overwritten"


def test_without_a_data_set_the_ones_that_fit_are_named(tmp_path: Path) -> None:
    sample = tmp_path / "处罚导出.csv"
    sample.write_bytes(b"".join(ecology.pieces(ecology.rows(60))))
    done = CliRunner().invoke(app, ["adapter", "draft", str(sample), "--json"])
    assert json.loads(done.output)[0]["dataset"] == "punish_action"


def test_the_adapters_are_listed() -> None:
    done = CliRunner().invoke(app, ["adapter", "list", "--json"])
    listed = {one["name"]: one["ways"] for one in json.loads(done.output)}
    assert listed["table"] == ["入 in", "出 out"]
    assert listed["soap"] == ["入 in"]
