"""SIGKILL on the way: every accepted record is stored at the receiver once, every fault is told, counts add up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.hub.faults.rig import Handed, HubProcess, pause
from tests.receiver import Receiver
from tests.services.postgres import Databases
from tests.services.rabbitmq import RabbitNode

SIZES = [pytest.param(8_000, id="8k"), pytest.param(100_000, id="100k", marks=pytest.mark.full)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """It takes a moment for each parcel, so that there is a way to be killed on."""
    receiver = Receiver()
    receiver.before = lambda _event: pause(0.01)
    receiver.start()
    yield receiver
    receiver.stop()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("records", SIZES)
def test_translate_worker_dispatch_worker_and_rabbitmq_are_killed_on_the_way(
    records: int, own_rabbitmq: RabbitNode, postgres: Databases, receiver: Receiver, tmp_path: Path
) -> None:
    database = postgres.create()
    hub = HubProcess.make(tmp_path, receiver, ledger=database, broker=own_rabbitmq.url)
    hub.start()
    own_rabbitmq.wait_for_queues()
    handed = Handed.of(records)
    sender = threading.Thread(target=handed.hand_over, args=(hub,))
    sender.start()

    hub.until(lambda: len(receiver.stored) > records * 0.05, 120)
    hub.kill_worker("translate")
    hub.until(lambda: len(receiver.stored) > records * 0.25, 120)
    own_rabbitmq.kill()
    hub.kill_worker("dispatch")
    own_rabbitmq.start()
    hub.until(lambda: len(receiver.stored) > records * 0.5, 240)
    hub.kill_worker("dispatch")

    sender.join()
    hub.until(lambda: handed.settled(hub), 600)
    handed.check(hub, receiver)
    figures = hub.client().get("/metrics").text
    assert {'hub_worker_deaths_total{role="translate"} 1.0', 'hub_worker_deaths_total{role="dispatch"} 2.0'} <= set(
        figures.splitlines()
    )
    assert 'hub_workers{role="translate"} ' in figures
    assert 'hub_queue_messages{queue="work.translate.bulk"} 0.0' in figures
    assert "hub_broker_up 1.0" in figures
    hub.stop()
    postgres.drop(database)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("records", SIZES)
def test_the_one_process_on_sqlite_is_killed_at_three_random_moments(
    records: int, receiver: Receiver, tmp_path: Path
) -> None:
    hub = HubProcess.make(tmp_path, receiver)
    hub.start()
    handed = Handed.of(records)
    sender = threading.Thread(target=handed.hand_over, args=(hub,))
    sender.start()

    chance = Random(records)
    for third in range(3):
        share = (third + chance.random()) / 4
        hub.until(lambda share=share: len(receiver.stored) > records * share, 240)  # type: ignore[misc]
        hub.kill()
        hub.start()

    sender.join()
    hub.until(lambda: handed.settled(hub), 600)
    handed.check(hub, receiver)
    hub.stop()
