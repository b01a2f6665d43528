"""Parcels go up through the upper hub's RabbitMQ, verdicts come back through it; what is said later, over HTTPS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.hub_queue import HubQueue
from demo import ecology
from hub.ledger.tables import submission
from hub.parties import rights_of
from hub.settings import Connection, Settings
from hub.trace import Tracing
from tests.adapters.amqp.rig import Users, settings_of
from tests.hub.city import until
from tests.hub.levels.chain import Chain, chain
from tests.receiver import Receiver
from tests.services.rabbitmq import VirtualHosts


@pytest.fixture
def users(amqp_url: str, rabbitmq: VirtualHosts) -> Iterator[Users]:
    """Makes users with the rights of a party."""
    users = Users(amqp_url, rabbitmq.management)
    yield users
    users.remove()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver(level="nation").start()
    yield receiver
    receiver.stop()


@pytest.fixture
def queued(tmp_path: Path, receiver: Receiver, amqp_url: str, users: Users) -> Iterator[Chain]:
    """City and province; the province has RabbitMQ and a queue for the city."""
    user = tmp_path / "user.url"
    user.write_text(users.make(rights_of(_province(), "below")), "ascii")

    queue = f'[broker]\nurl = "{amqp_url}"\n\n[connections.below-queue]\nparty = "below"\nadapter = "amqp"\n'
    way = f', amqp = {{ url = "file:{user}", party = "below" }}'
    with chain(tmp_path, ("city", "province"), receiver, way=way, own={"province": queue}) as made:
        yield made


def _province() -> Settings:
    made = settings_of(sends=("below",))
    return made.model_copy(update={"connections": {"below-queue": Connection(party="below", adapter="amqp")}})


def penalties(count: int) -> bytes:
    return b"".join(ecology.pieces(ecology.rows(count)))


def through(made: Chain) -> set[str]:
    """The connections of the upper hub that parcels came through."""
    with made.links[1].hub.ledger.read() as connection:
        return set(connection.execute(select(submission.c.connection)).scalars())


def test_parcels_and_verdicts_go_through_the_queue_and_news_come_over_https(queued: Chain) -> None:
    kept = queued.submit(penalties(1200))

    queued.heard(kept, "nation", 1200)
    until(lambda: queued.spoken(kept)["province"] == (1200, 0))
    assert through(queued) == {"below-queue"}
    assert len(queued.receiver.stored) == 1200
    assert all(n == 1 for n in queued.receiver.arrivals.values())
    until(lambda: queued.receipt(kept).state == "settled")


def test_a_record_is_traced_through_both_hubs(queued: Chain) -> None:
    kept = queued.submit(penalties(3))
    queued.heard(kept, "nation", 3)

    places = Tracing(queued.lowest.ledger, queued.lowest.generations, queued.lowest.doors).trace(
        next(ecology.rows(1)).key
    )
    assert [place["level"] for place in places] == ["city", "province"]


def test_what_the_upper_hub_refuses_is_told_through_the_queue(queued: Chain) -> None:
    wrong = next(ecology.rows(1)).key
    queued.receiver.refuse = lambda record: (
        {"code": "30001", "message": "国家平台：不规范"} if record["cd_id"].endswith(wrong) else None
    )
    kept = queued.submit(penalties(10))

    queued.heard(kept, "nation", 10)
    assert queued.spoken(kept)["nation"] == (9, 1)


def test_a_verdict_that_the_queue_lost_is_asked_for(queued: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HubQueue, "answers", lambda _self, _awaited: iter(()))
    monkeypatch.setattr("adapters.hub._LOST_AFTER", timedelta(0))
    kept = queued.submit(penalties(5))

    queued.heard(kept, "nation", 5)
    assert queued.spoken(kept)["province"] == (5, 0)
