"""An older copy of the ledger is put back: what was given out since then is never given out again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select
from typer.testing import CliRunner

from hub import serve
from hub.bootstrap import prepare
from hub.cli.main import app
from hub.ledger import credentials, migrate, numbers
from hub.ledger.engine import Ledger
from hub.ledger.tables import journal, parcel, submission
from hub.restored import go_on
from hub.serve import Running
from standards.clock import FrozenClock
from tests.hub.cases.test_month import rows
from tests.hub.city import config, until
from tests.hub.conftest import NOW
from tests.receiver import Receiver

PLAIN = '[connections.plain]\nparty = "ecology"\ndataset = "punish_action"\n'


def hand_over(running: Running, number: int) -> dict[str, Any]:
    hub = running.hub
    key = hub.ledger.write(lambda c: credentials.make(c, "ecology", hub.clock.now(), by="test"))[1]
    body = [{**one, "punish_action_code": f"{one['punish_action_code']}-{number}"} for one in rows("punish_action", 2)]
    answer = httpx2.post(
        f"{running.address}/v1/submissions?connection=plain&wait=20&name={number}.json",
        json=body,
        headers={"authorization": f"Bearer {key}"},
        timeout=60,
    )
    said: dict[str, Any] = answer.json()
    assert said["counts"]["accepted"] == 2, answer.text
    return said


def batches(running: Running) -> dict[str, set[str]]:
    """By receipt number."""
    found: dict[str, set[str]] = {}
    joined = select(submission.c.receipt_no, parcel.c.batch).join_from(
        parcel, submission, parcel.c.submission_id == submission.c.id
    )
    with running.hub.ledger.read() as connection:
        for number, batch in connection.execute(joined):
            found.setdefault(number, set()).add(batch)
    return found


def test_a_provider_that_the_copy_does_not_know_begins_above_what_it_may_have_had(tmp_path: Path) -> None:
    ledger, clock = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), FrozenClock(NOW)
    migrate.upgrade(ledger, NOW)

    found = go_on(ledger, clock, "王运维", ["9114", "9115"])

    assert found.batches == 2
    with ledger.read() as connection:
        assert numbers.peek(connection, numbers.batches_of("9115"), "20261123") > 50_000
    ledger.close()


def test_receipts_and_batches_go_on_above_everything_that_was_given_out(tmp_path: Path) -> None:
    receiver = Receiver().start()
    path = tmp_path / "hub.toml"
    path.write_text(config(receiver.url, more=PLAIN), "utf-8")
    running = serve.start(*prepare(path))
    state, copy = running.hub.state, tmp_path / "copy.db"
    words = ["restored", "--by", "王运维", "--config", str(path), "--json"]
    first = hand_over(running, 1)
    until(lambda: len(receiver.stored) == 2)
    with sqlite3.connect(state / "ledger.db") as ledger, sqlite3.connect(copy) as into:
        ledger.backup(into)
    lost = hand_over(running, 2)
    until(lambda: len(receiver.stored) == 4)
    given = batches(running)
    refused = CliRunner().invoke(app, words)
    running.stop()
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (state / name).unlink(missing_ok=True)
    shutil.copy(copy, state / "ledger.db")

    done = CliRunner().invoke(app, words)
    running = serve.start(*prepare(path))
    try:
        repeated, new = hand_over(running, 2), hand_over(running, 3)
        until(lambda: len(receiver.stored) == 6)

        assert refused.exit_code != 0
        assert "正在使用" in refused.output
        assert done.exit_code == 0, done.output
        told = json.loads(done.output[done.output.index("{") :])
        assert told["batches"] >= 1
        assert [one["connection"] for one in told["connections"]] == ["plain"]
        assert told["receipt_no"] <= repeated["receipt_no"]
        assert len({one["receipt_no"] for one in (first, lost, repeated, new)}) == 4
        now = batches(running)
        assert given[first["receipt_no"]] == now[first["receipt_no"]]
        assert not given[lost["receipt_no"]] & (now[repeated["receipt_no"]] | now[new["receipt_no"]])
        with running.hub.ledger.read() as connection:
            entries = connection.execute(select(journal.c.actor).where(journal.c.action == "ledger_restored")).all()
        assert [one.actor for one in entries] == ["王运维"]
        whole = CliRunner().invoke(app, ["audit", "verify", "--apart", "--config", str(path)])
        assert whole.exit_code == 0, whole.output
    finally:
        running.stop()
        receiver.stop()
