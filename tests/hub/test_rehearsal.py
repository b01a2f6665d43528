"""`hub standard rehearse`: exactly the stored records that a changed data set would newly refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.bootstrap import build, prepare
from hub.cli.main import app
from hub.ledger.tables import journal, record
from standards.ports import HandOver
from standards.registry import built_in
from standards.samples import valid_records
from tests.hub.city import config

NAME = "punish_action"
SOURCE = Path(__file__).resolve().parents[2] / "standards" / "datasets" / f"{NAME}.yaml"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A hub that took forty records of two departments, ten of them without a registered address."""
    path = tmp_path / "hub.toml"
    more = '[connections.plain]\nparty = "ecology"\ndataset = "punish_action"\n'
    path.write_text(config("http://127.0.0.1:1", more=more), "utf-8")
    settings, body = prepare(path)
    hub = build(settings)
    hub.generations.publish(body, "test")
    rows = [
        {**row, "address_registered": "" if n % 4 == 0 else "迎宾街 1 号"}
        for n, row in enumerate(valid_records(built_in().dataset(NAME), built_in(), 40))
    ]
    for connection, part in (("plain", rows[:24]), ("market-penalties", rows[24:])):
        data = json.dumps(part, ensure_ascii=False).encode()
        kept = hub.intake.receive(HandOver(connection=connection, name="a.json"), [data])
        hub.translator("test").translate(kept.submission_id)
        view = hub.receipts.receipt(kept.receipt_no)
        assert view is not None
        assert view.accepted == len(part), view.document["records"][:2]
    hub.ledger.close()
    return tmp_path


def candidate(place: Path) -> Path:
    """New settings: the registered address becomes a must in version 2."""
    site = place / "new-site"
    (site / "standards" / "datasets").mkdir(parents=True)
    text = SOURCE.read_text("utf-8").replace('version: "1"', 'version: "2"', 1)
    old = next(line for line in text.splitlines() if "id: address_registered," in line)
    assert "need: optional" in old
    text = text.replace(old, old.replace("need: optional", "need: must"))
    (site / "standards" / "datasets" / f"{NAME}.yaml").write_text(text, "utf-8")
    path = place / "new.toml"
    settings = (place / "hub.toml").read_text("utf-8")
    path.write_text(settings.replace("[hub]\n", '[hub]\nsite = "new-site"\n', 1), "utf-8")
    return path


def counts(place: Path) -> tuple[int, int]:
    settings, _ = prepare(place / "hub.toml")
    hub = build(settings)
    with hub.ledger.read() as connection:
        found = (
            len(connection.execute(record.select()).all()),
            len(connection.execute(journal.select().where(journal.c.action != "started")).all()),
        )
    hub.ledger.close()
    return found


def test_exactly_the_records_that_would_newly_fail_are_told_by_department(place: Path) -> None:
    before = counts(place)
    words = ["standard", "rehearse", str(candidate(place)), "--config", str(place / "hub.toml"), "--json"]

    said = CliRunner().invoke(app, words)

    assert said.exit_code == 1, said.output
    told = json.loads(said.stdout)
    assert (told["submissions"], told["records"], told["newly_failing"]) == (2, 40, 10)
    assert told["parties"] == {
        "ecology": {"records": 24, "newly_failing": 6},
        "market": {"records": 16, "newly_failing": 4},
    }
    assert {(c["party"], c["element"], c["code"], c["records"]) for c in told["causes"]} == {
        ("ecology", "address_registered", "10001", 6),
        ("market", "address_registered", "10001", 4),
    }
    sample = next(c for c in told["causes"] if c["party"] == "ecology")["samples"][0]
    assert (sample["row"], sample["place"]) == (1, "#/0")
    assert counts(place) == before, "nothing was written"


def test_the_present_settings_change_nothing_and_the_versions_in_use_are_told(place: Path) -> None:
    toml = str(place / "hub.toml")
    same = CliRunner().invoke(app, ["standard", "rehearse", toml, "--config", toml])
    assert same.exit_code == 0, same.output
    assert "新增不合格 0" in same.output

    rows = json.loads(CliRunner().invoke(app, ["standard", "senders", "--config", toml, "--json"]).stdout)
    assert [(r["party"], r["dataset"], r["version"], r["records"]) for r in rows] == [
        ("ecology", NAME, "1", 24),
        ("market", NAME, "1", 16),
    ]
