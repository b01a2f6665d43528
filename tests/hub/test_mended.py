"""What only the operator can mend: it waits, asks once, and goes on by itself when it is mended."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from demo import ecology
from hub.bootstrap import Hub, build, prepare
from hub.cli.main import app
from hub.ledger.tables import case_, outbox
from standards.clock import FrozenClock
from standards.ports import Acknowledged, HandOver
from standards.states import CaseClass
from tests.hub.city import City, config, running, until
from tests.hub.conftest import NOW

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

    def taken_up(self) -> int:
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


def stalled(still: Still) -> tuple[Acknowledged, str]:
    """A submission whose connection is no longer in the settings, and the settings that were right."""
    right = still.path.read_text("utf-8")
    kept = still.hub.intake.receive(HandOver(connection="ecology-penalties"), [PENALTIES])
    still.settings(right.replace("[connections.ecology-penalties]", "[connections.renamed]"))
    assert still.translate(kept) == "stalled"
    return kept, right


def test_a_stalled_submission_goes_on_as_soon_as_its_settings_are_mended(still: Still) -> None:
    kept, right = stalled(still)
    still.clock.forward(timedelta(seconds=20))  # its first message is long gone
    still.hub.ledger.write(lambda c: c.execute(outbox.delete()))
    assert still.taken_up() == 0

    still.settings(right + "\n# mended\n[limits]\nfindings = 1000\n")

    assert still.taken_up() == 1
    assert still.translate(kept) == "judged"
    assert setup_cases(still.hub) == [True]


def test_a_stalled_submission_is_tried_again_after_a_while_and_asks_only_once(still: Still) -> None:
    kept, _ = stalled(still)
    still.hub.ledger.write(lambda c: c.execute(outbox.delete()))

    still.clock.forward(timedelta(minutes=6))

    assert still.taken_up() == 1
    assert still.translate(kept) == "stalled"
    assert setup_cases(still.hub) == [False]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    yield from running(tmp_path)


def test_the_case_of_a_destination_is_closed_when_it_takes_parcels_again(city: City) -> None:
    city.receiver.status = 401
    kept = city.submit(PENALTIES)
    until(lambda: setup_cases(city.hub) == [False])

    city.receiver.status = None

    city.settled(kept)
    until(lambda: setup_cases(city.hub) == [True])


def test_checking_settings_does_not_put_them_into_force(still: Still) -> None:
    before = still.hub.generations.current().number
    still.path.write_text(still.path.read_text("utf-8") + "\n[limits]\nfindings = 7\n", "utf-8")

    done = CliRunner().invoke(app, ["check", "--config", str(still.path)])

    assert "✓ settings" in done.output
    still.clock.forward(timedelta(minutes=1))
    assert still.hub.generations.current().number == before
