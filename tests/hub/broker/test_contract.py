"""What every broker promises, embedded (on both ledgers) and on RabbitMQ."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from hub.broker import topology
from hub.broker.base import Broker, Message
from hub.broker.embedded import EmbeddedBroker
from hub.broker.rabbitmq import RabbitBroker
from hub.broker.topology import DEAD, DELIVERY_LIMIT
from hub.ledger import outbox
from hub.ledger.engine import Ledger
from hub.ledger.outbox import Outgoing
from standards.clock import SystemClock
from standards.errors import Temporary
from standards.states import Lane

QUEUES = ("work.translate.now", "work.translate.bulk", "deliver.province.now", "deliver.province.bulk")


def _case(name: str, ledger: str) -> object:
    mark = pytest.mark.contract(suite="broker", on=name)
    return pytest.param(ledger, name, marks=mark, id=f"{name}-{ledger}")


pytestmark = pytest.mark.parametrize(
    ("ledger_url", "kind"),
    [_case("embedded", "sqlite"), _case("embedded-postgresql", "postgresql"), _case("rabbitmq", "postgresql")],
    indirect=["ledger_url"],
)


@pytest.fixture
def make_broker(request: pytest.FixtureRequest, kind: str, ledger: Ledger) -> Iterator[Callable[[], Broker]]:
    """Makes brokers that carry the same messages, as several processes would have."""
    made: list[Broker] = []
    url = request.getfixturevalue("amqp_url") if kind == "rabbitmq" else ""

    def make() -> Broker:
        owner = f"test/{len(made)}/0"
        if url:
            bindings = [(topology.WORK, topology.translate(lane).key, topology.translate(lane).queue) for lane in Lane]
            bindings += [
                (topology.PARCELS, topology.deliver_binding("province", lane), f"deliver.province.{lane}")
                for lane in Lane
            ]
            broker: Broker = RabbitBroker(url, ledger, SystemClock(), owner, bindings=bindings)
        else:
            broker = EmbeddedBroker(ledger, SystemClock(), owner)
        made.append(broker)
        return broker

    yield make
    for broker in made:
        broker.stop()


@pytest.fixture
def broker(make_broker: Callable[[], Broker]) -> Broker:
    """A running broker."""
    started = make_broker()
    started.start()
    return started


@dataclass
class Inbox:
    """Takes messages and remembers them; `trouble` may raise first."""

    trouble: Callable[[Message], None] = lambda _message: None
    got: list[Message] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, message: Message) -> None:
        with self._changed:
            self.got.append(message)
            self._changed.notify_all()
        self.trouble(message)

    def until(self, count: int, seconds: float = 20) -> list[Message]:
        """Wait for so many messages."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.got) >= count, seconds), f"{len(self.got)} of {count} came"
            return list(self.got)


def put(ledger: Ledger, broker: Broker, *messages: tuple[topology.Route, str]) -> None:
    now = datetime.now(UTC)
    ledger.write(lambda c: outbox.put(c, [Outgoing(r, i, i.encode()) for r, i in messages], now))
    broker.wake()


def empty(ledger: Ledger, broker: Broker, seconds: float = 20) -> bool:
    """Wait until nothing waits anywhere."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with ledger.read() as connection:
            waiting = outbox.pending(connection)[0]
        if not waiting and not any(broker.depth(q) for q in QUEUES):
            return True
        threading.Event().wait(0.05)
    return False


BULK = topology.translate("bulk")


def test_a_message_reaches_its_worker_and_is_then_gone(broker: Broker, ledger: Ledger) -> None:
    inbox = Inbox()
    consumer = broker.consume([BULK.queue], inbox)

    put(ledger, broker, (BULK, "1"))

    [message] = inbox.until(1)
    assert (message.queue, message.key, message.id, message.body) == (BULK.queue, BULK.key, "1", b"1")
    assert empty(ledger, broker)
    consumer.stop()


def test_the_trace_context_of_a_message_arrives_beside_it(broker: Broker, ledger: Ledger) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    inbox = Inbox()
    consumer = broker.consume([BULK.queue], inbox)

    now = datetime.now(UTC)
    messages = [Outgoing(BULK, "1", b"1\n2", traceparent=trace), Outgoing(BULK, "2", b"2", traceparent="no trace")]
    ledger.write(lambda c: outbox.put(c, messages, now))
    broker.wake()

    got = {m.id: (m.body, m.traceparent) for m in inbox.until(2)}
    assert got == {"1": (b"1\n2", trace), "2": (b"2", "")}
    consumer.stop()


def test_messages_go_to_the_queues_of_their_keys(broker: Broker, ledger: Ledger) -> None:
    inboxes = {queue: Inbox() for queue in QUEUES}
    consumers = [broker.consume([queue], inbox) for queue, inbox in inboxes.items()]
    routes = [
        topology.translate("now"),
        topology.translate("bulk"),
        topology.deliver("up", "province", "punish_action", "now"),
        topology.deliver("down", "province", "check_action", "bulk"),
    ]

    put(ledger, broker, *((route, route.queue) for route in routes))

    for queue, inbox in inboxes.items():
        assert [m.id for m in inbox.until(1)] == [queue]
    for consumer in consumers:
        consumer.stop()


def test_several_workers_share_the_messages_and_each_comes_once(
    broker: Broker, make_broker: Callable[[], Broker], ledger: Ledger
) -> None:
    inbox = Inbox()
    other = make_broker()
    consumers = [b.consume([BULK.queue], inbox, threads=2) for b in (broker, other)]

    put(ledger, broker, *((BULK, str(n)) for n in range(200)))

    assert sorted(int(m.id) for m in inbox.until(200)) == list(range(200))
    assert empty(ledger, broker)
    assert len(inbox.got) == 200
    for consumer in consumers:
        consumer.stop()


def test_one_worker_gets_messages_in_their_order(broker: Broker, ledger: Ledger) -> None:
    put(ledger, broker, *((BULK, str(n)) for n in range(50)))
    inbox = Inbox()
    consumer = broker.consume([BULK.queue], inbox)

    assert [int(m.id) for m in inbox.until(50)] == list(range(50))
    consumer.stop()


def test_a_message_whose_worker_fails_comes_again(broker: Broker, ledger: Ledger) -> None:
    def trouble(_message: Message) -> None:
        if len(inbox.got) < 3:
            raise Temporary("not yet")

    inbox = Inbox(trouble)
    consumer = broker.consume([BULK.queue], inbox)

    put(ledger, broker, (BULK, "1"))

    assert [m.tries for m in inbox.until(3)] == [0, 1, 2]
    assert empty(ledger, broker)
    consumer.stop()


def test_a_message_nobody_can_work_on_goes_to_the_dead_and_the_next_is_worked_on(
    broker: Broker, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology, "_FIRST_REST", 0.01)

    def trouble(message: Message) -> None:
        if message.id == "bad":
            raise ValueError("never")

    inbox = Inbox(trouble)
    consumer = broker.consume([BULK.queue], inbox)

    put(ledger, broker, (BULK, "bad"), (BULK, "good"))
    end = time.monotonic() + 60
    while broker.depth(DEAD) != 1 and time.monotonic() < end:
        threading.Event().wait(0.1)

    assert broker.depth(DEAD) == 1
    ids = [m.id for m in inbox.got]
    assert ids.count("bad") in (DELIVERY_LIMIT, DELIVERY_LIMIT + 1)
    assert ids.count("good") == 1
    consumer.stop()


def test_stopping_finishes_what_is_in_hand_and_leaves_the_rest(broker: Broker, ledger: Ledger) -> None:
    going, may_end = threading.Event(), threading.Event()

    def trouble(_message: Message) -> None:
        going.set()
        may_end.wait(20)

    inbox = Inbox(trouble)
    consumer = broker.consume([BULK.queue], inbox)
    put(ledger, broker, (BULK, "1"), (BULK, "2"), (BULK, "3"))
    assert going.wait(20)

    stopper = threading.Thread(target=consumer.stop)
    stopper.start()
    may_end.set()
    stopper.join(30)
    done = len(inbox.got)
    after = Inbox()
    second = broker.consume([BULK.queue], after)

    assert {m.id for m in after.until(3 - done)} | {m.id for m in inbox.got} == {"1", "2", "3"}
    assert not consumer.alive
    second.stop()


def test_a_message_for_later_waits(broker: Broker, ledger: Ledger) -> None:
    inbox = Inbox()
    consumer = broker.consume([BULK.queue], inbox)
    now = datetime.now(UTC)
    later = now + timedelta(seconds=1.5)
    ledger.write(lambda c: outbox.put(c, [Outgoing(BULK, "late", b"", later)], now))
    put(ledger, broker, (BULK, "now"))

    messages = inbox.until(2)

    assert [m.id for m in messages] == ["now", "late"]
    assert datetime.now(UTC) >= later
    consumer.stop()


def test_nothing_is_carried_before_it_is_committed(broker: Broker, ledger: Ledger) -> None:
    inbox = Inbox()
    consumer = broker.consume([BULK.queue], inbox)

    def work(connection: object) -> None:
        outbox.put(connection, [Outgoing(BULK, "never", b"")], datetime.now(UTC))  # type: ignore[arg-type]
        raise KeyError

    with suppress(KeyError):
        ledger.write(work)
    put(ledger, broker, (BULK, "after"))

    assert [m.id for m in inbox.until(1)] == ["after"]
    consumer.stop()


def test_what_is_wrong_for_a_while_stops_nothing_for_ever(
    broker: Broker, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, write, stumbled, full = Inbox(), ledger.write, threading.Event(), threading.Event()
    consumer = broker.consume([BULK.queue], inbox)
    full.set()

    def fails(work: Callable[..., object], **more: bool) -> object:
        if full.is_set():
            stumbled.set()
            raise OSError("no space left on device")
        return write(work, **more)

    monkeypatch.setattr(ledger, "write", fails)
    now = datetime.now(UTC)
    write(lambda c: outbox.put(c, [Outgoing(BULK, "1", b"1")], now))
    broker.wake()
    assert stumbled.wait(20)
    full.clear()

    assert [message.id for message in inbox.until(1)] == ["1"]
    assert empty(ledger, broker)
    consumer.stop()


def test_it_says_that_it_can_be_used(broker: Broker) -> None:
    assert broker.name.split("-")[0] in broker.check().lower()
