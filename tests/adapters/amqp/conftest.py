"""Users of a virtual host of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.amqp.rig import Users
from tests.services.rabbitmq import VirtualHosts


@pytest.fixture
def users(amqp_url: str, rabbitmq: VirtualHosts) -> Iterator[Users]:
    """Makes users with the rights of a party."""
    users = Users(amqp_url, rabbitmq.management)
    yield users
    users.remove()
