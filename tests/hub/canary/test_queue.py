"""A canary through the upper hub's RabbitMQ: published, judged there by its workers, its verdict read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.ledger.tables import canary, submission
from hub.parties import rights_of
from tests.adapters.amqp.rig import Users
from tests.hub.canary.test_levels import MORE, back, way
from tests.hub.city import until
from tests.hub.levels.chain import Chain, chain
from tests.hub.levels.test_queue import _province, receiver, users  # noqa: F401 - fixtures
from tests.receiver import Receiver


@pytest.fixture
def queued(
    tmp_path: Path,
    receiver: Receiver,  # noqa: F811
    amqp_url: str,
    users: Users,  # noqa: F811
) -> Iterator[Chain]:
    """City and province; the province works on RabbitMQ and takes the city's parcels from a queue."""
    user = tmp_path / "user.url"
    user.write_text(users.make(rights_of(_province(), "below")), "ascii")
    queue = f'[broker]\nurl = "{amqp_url}"\n\n[connections.below-queue]\nparty = "below"\nadapter = "amqp"\n'
    settings = f', amqp = {{ url = "file:{user}", party = "below" }}'
    only = MORE.partition("[alarms]")[0]
    with chain(tmp_path, ("city", "province"), receiver, way=settings, own={"city": only, "province": queue}) as made:
        yield made


def test_a_canary_goes_through_the_queues_of_rabbitmq_and_back(queued: Chain) -> None:
    city, province = queued.links

    until(lambda: back(city.hub) >= 2, 40)

    assert (way(city.hub)["reach"], way(city.hub)["problem"]) == ("through", "")
    with province.hub.ledger.read() as connection:
        ways = set(connection.execute(select(canary.c.way).where(canary.c.inward)).scalars())
        assert ways == {"below-queue"}
        assert connection.execute(select(submission.c.id)).first() is None
    assert queued.receiver.parcels == []
