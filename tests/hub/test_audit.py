"""Promise 12: the journal is sealed into a chain, and whatever is changed, added or removed is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from typer.testing import CliRunner

from hub import serve
from hub.audit import Sealer, Verified, chained, leaf_of, root_of, verify
from hub.bootstrap import build, prepare
from hub.cli.main import app
from hub.ledger import journal as journalling
from hub.ledger.engine import Ledger
from hub.ledger.journal import digest_of
from hub.ledger.tables import journal, seal
from standards.clock import FrozenClock
from tests.hub.city import config
from tests.hub.conftest import NOW, POSTGRESQL, SQLITE

ROWS = 60


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    made = Ledger(ledger_url)
    yield made
    made.close()


both = pytest.mark.parametrize("ledger_url", [SQLITE, POSTGRESQL], indirect=True)


def filled(ledger: Ledger, clock: FrozenClock) -> Sealer:
    """Three seals of rows, and some that are too young."""
    sealer = Sealer(ledger, clock)
    for _ in range(3):
        entries = [journalling.Entry(f"did-{n}", "test", detail={"n": n}) for n in range(ROWS // 3)]
        ledger.write(lambda c, entries=entries: journalling.append(c, entries, clock.now()))
        clock.forward(timedelta(minutes=3))
        assert sealer.run() == ROWS // 3
    ledger.write(lambda c: journalling.append(c, [journalling.Entry("young", "test")], clock.now()))
    assert sealer.run() == 0, "what is young may still have company"
    return sealer


def looked(ledger: Ledger, head: str = "") -> Verified:
    return verify(ledger, NOW - timedelta(days=365), head)


@both
def test_an_honest_journal_is_intact_and_tells_what_is_not_sealed_yet(ledger: Ledger, clock: FrozenClock) -> None:
    filled(ledger, clock)
    found = looked(ledger)
    assert (found.seals, found.rows, found.unsealed, found.faults) == (3, ROWS, 1, [])
    assert looked(ledger, found.head).known_head is True
    assert looked(ledger, "00" * 32).faults, "a value that was never in the chain"


TAMPERED = {
    "a row's words": lambda c: c.execute(update(journal).where(journal.c.id == _some(c)).values(actor="somebody else")),
    "a row with its digest": lambda c: _forge(c, _some(c)),
    "a row taken out": lambda c: c.execute(delete(journal).where(journal.c.id == _some(c))),
    "a seal taken out": lambda c: c.execute(
        delete(seal).where(seal.c.id == c.execute(select(seal.c.id)).scalars().all()[1])
    ),
    "a seal's root": lambda c: c.execute(update(seal).values(root=b"\x07" * 32)),
    "a seal's count": lambda c: c.execute(update(seal).values(count=3)),
}


def _some(connection):  # type: ignore[no-untyped-def]
    return connection.execute(select(journal.c.id).order_by(journal.c.id)).scalars().all()[ROWS // 2]


def _forge(connection, identifier: int) -> None:  # type: ignore[no-untyped-def]
    row = connection.execute(select(journal).where(journal.c.id == identifier)).one()
    digest = digest_of(row.at, row.action, "forged", row.submission_id, row.parcel_id, row.detail)
    connection.execute(update(journal).where(journal.c.id == identifier).values(actor="forged", digest=digest))


@both
@pytest.mark.parametrize("what", TAMPERED)
def test_whatever_is_changed_or_removed_is_found(ledger: Ledger, clock: FrozenClock, what: str) -> None:
    filled(ledger, clock)
    ledger.write(TAMPERED[what])
    assert looked(ledger).faults, what


@both
def test_what_went_with_its_retention_leaves_the_chain_valid_but_nothing_younger_may_go(
    ledger: Ledger, clock: FrozenClock
) -> None:
    filled(ledger, clock)
    head = looked(ledger).head
    with ledger.read() as connection:
        (first, *_) = connection.execute(select(seal.c.last_id).order_by(seal.c.id)).scalars().all()
        sealed = connection.execute(select(seal.c.sealed_at).order_by(seal.c.id)).scalars().all()
    ledger.write(lambda c: c.execute(delete(journal).where(journal.c.id <= first)))

    old = verify(ledger, sealed[0] + timedelta(seconds=1), head)
    assert (old.faults, old.pruned, old.known_head) == ([], 1, True)
    assert verify(ledger, sealed[0] - timedelta(days=1)).faults, "it should still be there"


def test_the_root_is_that_of_the_tree_and_every_place_counts() -> None:
    leaves = [leaf_of(n, bytes([n]) * 32) for n in range(1, 8)]
    assert len({root_of(leaves[:n]) for n in range(8)}) == 8
    assert root_of(leaves) != root_of(leaves[::-1])
    assert chained(b"", 1, 2, 2, b"x") != chained(b"", 1, 3, 2, b"x")


def test_the_command_says_intact_or_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(config("http://127.0.0.1:1"), "utf-8")
    settings, _ = prepare(path)
    clock = FrozenClock(NOW)
    hub = build(settings, clock)
    filled(hub.ledger, clock)
    said = CliRunner().invoke(app, ["audit", "verify", "--config", str(path)])
    assert said.exit_code == 0, said.output
    assert "完整 intact" in said.output
    hub.ledger.write(TAMPERED["a row's words"])
    hub.ledger.close()
    said = CliRunner().invoke(app, ["audit", "verify", "--config", str(path)])
    assert said.exit_code == 1
    assert "行内容被改动" in said.output


def test_what_the_command_found_is_the_last_proof_on_the_page_whether_the_hub_runs_or_not(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(config("http://127.0.0.1:1"), "utf-8")
    command = ["audit", "verify", "--config", str(path), "--json"]
    clock = FrozenClock(NOW)
    before = build(prepare(path)[0], clock)
    filled(before.ledger, clock)
    before.ledger.close()
    running = serve.start(*prepare(path))
    try:
        desk = running.hub.auditing()
        assert desk.state()["verified"] is None
        apart = CliRunner().invoke(app, [*command, "--apart"])
        assert (apart.exit_code, desk.state()["verified"]) == (0, None)

        said = CliRunner().invoke(app, command)

        assert said.exit_code == 0, said.output
        told = desk.state()["verified"]
        assert told["proof"]
        assert told["by"] != "hub audit verify", "the hub did it for the key"
        assert json.loads(said.output)["rows"] == told["rows"]
        unknown = CliRunner().invoke(app, [*command, "--head", "ab" * 32])
        assert json.loads(unknown.output)["known_head"] is False
        with running.hub.ledger.read() as connection:
            actions = connection.execute(select(journal.c.action).where(journal.c.action == "journal_verified")).all()
        assert len(actions) == 2
        running.hub.ledger.write(TAMPERED["a row's words"])
        assert CliRunner().invoke(app, command).exit_code == 1
        assert desk.state()["verified"]["faulty"] == 1
    finally:
        running.stop()

    assert CliRunner().invoke(app, command).exit_code == 1
    hub = build(prepare(path)[0])
    assert hub.auditing().state()["verified"]["by"] == "hub audit verify"
    hub.ledger.close()
