"""The ledger is the truth, RabbitMQ the carrier: it may lose everything it holds, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.faults.rig import Handed, HubProcess
from tests.receiver import Receiver
from tests.services.postgres import Databases
from tests.services.rabbitmq import RabbitNode


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver().start()
    yield receiver
    receiver.stop()


@pytest.mark.timeout(600)
def test_everything_arrives_when_the_data_of_rabbitmq_are_deleted_while_parcels_are_queued(
    own_rabbitmq: RabbitNode, postgres: Databases, receiver: Receiver, tmp_path: Path
) -> None:
    database = postgres.create()
    gate = threading.Event()
    receiver.before = lambda _event: (gate.wait(120), None)[1]
    hub = HubProcess.make(tmp_path, receiver, ledger=database, broker=own_rabbitmq.url)
    hub.start()
    handed = Handed.of(4_000)
    handed.hand_over(hub)
    hub.until(lambda: _queued(own_rabbitmq) > 10, 60)

    own_rabbitmq.kill()
    own_rabbitmq.wipe()
    own_rabbitmq.start()
    gate.set()

    hub.until(lambda: handed.settled(hub), 240)
    handed.check(hub, receiver)
    hub.stop()
    postgres.drop(database)


def _queued(node: RabbitNode) -> int:
    queues = node.management.ask("GET", "queues?columns=name,messages")
    return sum(queue.get("messages", 0) for queue in queues if "deliver" in queue["name"])
