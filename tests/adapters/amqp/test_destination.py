"""`amqp` outwards keeps to what every destination must keep to; the receiver is a client with its own user."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.amqp import AmqpDestination, AmqpDestinationSettings
from adapters.conformance import DestinationConformance, Stored
from adapters.conformance.parcels import NOW, around, some
from standards.errors import BadConfiguration, SystemUnreachable
from standards.parcel import attributes_of, from_event
from standards.ports import Awaited
from tests.adapters.amqp.rig import PartyClient, Users, dead, surroundings
from tests.receiver import Receiver
from tests.services.tcp_proxy import TcpProxy


class AmqpRig:
    """The hub's side goes through a proxy; the party is on the broker itself, and stores as any good receiver."""

    knows_revisions = True

    def __init__(self, users: Users, make_proxy: Callable[[int], TcpProxy], **settings: Any) -> None:
        self.url = users.url
        self.proxy = make_proxy(urlsplit(users.url).port or 0)
        self.receiver = Receiver(refuse=self._refuse)
        near = surroundings(self.proxy.url(users.url), "centre", "province")
        self.destination: Any = AmqpDestination(AmqpDestinationSettings(**settings), near)
        self.party: PartyClient = users.party("centre", receives=True)

    @staticmethod
    def _refuse(record: Mapping[str, Any]) -> dict[str, Any] | None:
        if record["content"].get("area_number") != "000000":
            return None
        return {"code": "30001", "element": "area_number", "message": "区划未登记"}

    def stored(self) -> dict[str, Stored]:
        self.work()
        found = {}
        for key, revision, operation in self.receiver.history:
            times = self.receiver.history.count((key, revision, operation))
            found[key] = Stored(operation, self.receiver.contents[key, revision]["content_digest"], times)
        return found

    def spoil(self, content: dict[str, str]) -> tuple[dict[str, str], str]:
        return {**content, "area_number": "000000"}, "area_number"

    def work(self) -> None:
        while (got := self.party.get("deliver.centre")) is not None:
            event = json.loads(got[1])
            self.party.answer({"parcel_id": event["id"], "records": self.receiver.take(event)})

    def take_away(self) -> None:
        self.proxy.refuse()

    def bring_back(self) -> None:
        self.proxy.heal()

    def lose_answers(self) -> None:
        self.destination.check()  # connected, so that the next answer is the confirm
        self.proxy.swallow_answers()

    def close(self) -> None:
        self.destination.close()
        self.party.close()


@pytest.fixture
def rig(users: Users, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[AmqpRig]:
    """A party and its destination."""
    rig = AmqpRig(users, tcp_proxy)
    yield rig
    rig.close()


@pytest.mark.contract(suite="destination", on="amqp")
class TestAmqp(DestinationConformance):
    @pytest.fixture
    def rig(self, users: Users, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[AmqpRig]:
        # The party's user and its queue are there before the first parcel.
        AmqpDestination(AmqpDestinationSettings(), surroundings(users.url, "centre", "province")).check()
        rig = AmqpRig(users, tcp_proxy)
        yield rig
        rig.close()


def awaited(parcel: Any) -> Awaited:
    return Awaited(parcel_id=parcel.id, dataset=parcel.dataset, batch=parcel.batch, sent_at=NOW, cd_ids=[])


def test_a_parcel_lies_persistent_in_the_partys_own_queue_under_its_id(rig: AmqpRig) -> None:
    parcel = some(2)

    answer = rig.destination.deliver(parcel)

    assert answer.awaiting
    got = rig.party.get("deliver.centre")
    assert got is not None
    properties, body = got
    assert (properties.message_id, properties.delivery_mode) == (str(parcel.id), 2)
    assert properties.content_type == "application/cloudevents+json"
    assert json.loads(body)["id"] == str(parcel.id)


def test_in_binary_mode_the_event_is_in_the_headers(users: Users, tcp_proxy: Callable[[int], TcpProxy]) -> None:
    rig = AmqpRig(users, tcp_proxy, mode="binary")
    parcel = some(3)

    rig.destination.deliver(parcel)

    got = rig.party.get("deliver.centre")
    assert got is not None
    read = from_event(got[1], "province", attributes_of(got[0].headers))
    assert (read.id, read.batch, read.dataset) == (parcel.id, parcel.batch, parcel.dataset)
    assert [r.values() for r in read.records] == [r.values() for r in parcel.records]
    rig.close()


def test_an_answer_is_there_again_until_the_caller_has_written_it_down(rig: AmqpRig) -> None:
    parcel = some(1)
    rig.destination.deliver(parcel)
    rig.work()

    broken_off = next(iter(rig.destination.collect([awaited(parcel)])))
    rig.destination.close()
    again = list(rig.destination.collect([awaited(parcel)]))
    after = list(rig.destination.collect([awaited(parcel)]))

    assert [one[0] for one in again] == [broken_off[0]] == [parcel.id]
    assert after == []


def test_an_empty_answer_with_a_correlation_id_accepts_everything(rig: AmqpRig) -> None:
    parcel = some(2)
    rig.destination.deliver(parcel)

    rig.party.publish(b"", exchange="hub.receipts", key="receipt.centre", correlation_id=str(parcel.id))

    assert [(one, a.lines) for one, a in rig.destination.collect([awaited(parcel)])] == [(parcel.id, ())]


def test_answers_that_cannot_be_read_go_to_the_dead_letters_and_the_next_is_read(rig: AmqpRig) -> None:
    parcel = some(1)
    rig.destination.deliver(parcel)
    for body in (b"<ok/>", b'{"records": []}', b'{"parcel_id": "7"}', b'{"records": [{"cd_id": "1", "result": "?"}]}'):
        rig.party.publish(body, exchange="hub.receipts", key="receipt.centre")
    rig.party.answer({"parcel_id": str(parcel.id)})

    found = list(rig.destination.collect([awaited(parcel)]))

    assert [one[0] for one in found] == [parcel.id]
    assert len(dead(rig.url)) == 4


def test_a_broker_that_lost_its_queues_gets_them_again(rig: AmqpRig, users: Users) -> None:
    rig.destination.deliver(some(1))
    vhost = urlsplit(users.url).path.removeprefix("/")
    for queue in users.management.queues(vhost):
        users.management.ask("DELETE", f"queues/{vhost}/{queue}")
    users.management.ask("DELETE", f"exchanges/{vhost}/hub.parcels")
    parcel = some(1)

    rig.destination.deliver(parcel)

    got = rig.party.get("deliver.centre")
    assert got is not None
    assert got[0].message_id == str(parcel.id)


def test_a_connection_that_was_cut_while_nothing_was_sent_is_made_again(rig: AmqpRig) -> None:
    rig.destination.deliver(some(1))
    rig.proxy.cut()
    parcel = some(1)

    rig.destination.deliver(parcel)

    rig.party.get("deliver.centre")
    got = rig.party.get("deliver.centre")
    assert got is not None
    assert got[0].message_id == str(parcel.id)


def test_a_broker_that_falls_silent_is_cut_and_the_answer_is_told_as_lost(rig: AmqpRig) -> None:
    quick = f"{rig.proxy.url(rig.url)}?heartbeat=1"
    destination = AmqpDestination(AmqpDestinationSettings(), surroundings(quick, "centre", "province"))
    destination.check()
    rig.proxy.hang()

    with pytest.raises(SystemUnreachable) as caught:
        destination.deliver(some(1))

    assert caught.value.answer_lost
    rig.proxy.heal()


def test_the_prefix_of_the_hub_stands_before_every_name_and_before_no_key(users: Users) -> None:
    near = surroundings(users.url, "centre", "province", prefix="test.")
    destination: Any = AmqpDestination(AmqpDestinationSettings(), near)
    destination.deliver(some(1))

    found = users.management.ask("GET", f"bindings/{urlsplit(users.url).path.removeprefix('/')}")

    routes = {(one["source"], one["routing_key"], one["destination"]) for one in found if one["source"]}
    assert ("test.hub.parcels", "*.province.*", "test.deliver.centre") in routes
    assert ("test.hub.receipts", "receipt.centre.#", "test.answers.centre") in routes
    assert all(name.startswith("test.") for source, _, queue in routes for name in (source, queue))
    assert destination._transport.look("deliver.centre") == (1, 0)
    destination.close()


def test_without_rabbitmq_the_operator_is_told() -> None:
    with pytest.raises(BadConfiguration, match="needs RabbitMQ"):
        AmqpDestination(AmqpDestinationSettings(), around())
