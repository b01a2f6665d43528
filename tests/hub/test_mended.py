"""What only the operator can mend: it waits, asks once, and goes on by itself when it is mended."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from demo import ecology
from hub.bootstrap import Hub, build, prepare
from hub.ledger.tables import case_
from standards.clock import FrozenClock
from standards.ports import Acknowledged, HandOver
from standards.states import CaseClass
from tests.hub.city import City, config, start, until
from tests.hub.conftest import NOW
from tests.receiver import Receiver

PENALTIES = b"".join(ecology.pieces(ecology.rows(3)))


def setup_cases(hub: Hub) -> list[bool]:
    """For each case of the operator: whether it is closed."""
    with hub.ledger.read() as connection:
        rows = connection.execute(select(case_.c.closed_at).where(case_.c.class_ == CaseClass.SETUP)).all()
    return [row[0] is not None for row in rows]


@dataclass
class Still:
    """A hub of which nothing runs by itself."""

    hub: Hub
    clock: FrozenClock
    path: Path

    def settings(self, text: str) -> None:
        """The operator changes the settings and starts the hub anew."""
        self.path.write_text(text, "utf-8")
        self.hub.generations.publish(prepare(self.path)[1], "test")

    def translate(self, kept: Acknowledged) -> str:
        """Let a worker try; the state after it."""
        self.hub.translator("test").translate(kept.submission_id)
        return self.hub.receipts.state(kept.receipt_no) or ""

    def published(self) -> int:
        """How many submissions the scheduler takes up again."""
        return self.hub.scheduler().publish_submissions()


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    clock = FrozenClock(NOW)
    path = tmp_path / "hub.toml"
    path.write_text(config("http://127.0.0.1:1"), "utf-8")
    settings, body = prepare(path)
    hub = build(settings, clock)
    hub.generations.publish(body, "test")
    yield Still(hub, clock, path)
    hub.stop()


def test_a_stalled_submission_goes_on_as_soon_as_its_settings_are_mended(still: Still) -> None:
    kept = still.hub.intake.receive(HandOver(connection="ecology-penalties"), [PENALTIES])
    right = still.path.read_text("utf-8")
    still.settings(right.replace("connections.ecology-penalties", "connections.renamed"))
    assert still.translate(kept) == "stalled"
    with still.hub.ledger.write_for_test() if False else still.hub.ledger.read():
        pass
    still.clock.forward_seconds(60) if False else None

    still.settings(right)
    still.published()

    assert still.translate(kept) in ("judged", "settled")
    assert setup_cases(still.hub) == [True]
