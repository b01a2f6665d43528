"""RabbitMQ for an adapter: a connection of its own that publishes with confirms and takes one message at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.spec import BasicProperties

from hub.broker.rabbitmq import declare
from hub.broker.rabbitmq.parameters import parameters_of, unreachable
from standards.errors import BadSetup, NotAllowed, ReceiverRefused, SystemBusy, SystemUnreachable
from standards.ports import Binding, CarriedMessage, MessageTransport, Transports

_ACCESS_REFUSED, _NOT_FOUND, _PRECONDITION_FAILED = 403, 404, 406
_TROUBLE = (pika.exceptions.AMQPError, OSError)


class _Hand:
    """A message that was taken and not acknowledged."""

    def __init__(self, tag: int, message: CarriedMessage) -> None:
        self.tag = tag
        self.message = message


class RabbitTransport:
    """Implements standards.ports.MessageTransport.

    The confirm of a message has no time limit of its own: a connection that is silent for longer than its heartbeats
    is cut, and then the answer is lost.
    """

    def __init__(self, url: str, bindings: Sequence[Binding], *, prefix: str = "") -> None:
        self._parameters = parameters_of(url)
        self._bindings = tuple(bindings)
        self._prefix = prefix
        self._connection: BlockingConnection | None = None
        self._channel: BlockingChannel | None = None
        #: By queue; gone with the connection, because RabbitMQ then hands them out again.
        self._hands: dict[str, _Hand] = {}

    # Publishing

    def send(self, exchange: str, key: str, message: CarriedMessage) -> None:
        """Publish persistent and mandatory, and wait for the confirm."""
        try:
            self._publish(exchange, key, message)
        except _Vanished:
            # RabbitMQ has lost what it held, or somebody deleted it: declared anew, and published once more.
            self._drop()
            try:
                self._publish(exchange, key, message)
            except _Vanished as error:
                raise SystemUnreachable(
                    f"no queue takes messages of {exchange} with key {key}",
                    what_zh=f"消息没有可到达的队列：{exchange} {key}",
                    hint="is the queue bound?",
                    hint_zh="请检查队列绑定",
                ) from error

    def _publish(self, exchange: str, key: str, message: CarriedMessage) -> None:
        channel = self._open()
        properties = BasicProperties(
            message_id=message.id or None,
            content_type=message.content_type or None,
            correlation_id=message.correlation_id or None,
            reply_to=message.reply_to or None,
            type=message.type or None,
            headers=dict(message.headers) or None,
            delivery_mode=2,
        )
        try:
            channel.basic_publish(self._prefix + exchange, key, message.body, properties, mandatory=True)
        except pika.exceptions.UnroutableError as error:
            raise _Vanished from error
        except pika.exceptions.NackError as error:
            raise SystemBusy("RabbitMQ does not take the message", what_zh="RabbitMQ 暂不接收消息") from error
        except pika.exceptions.ChannelClosedByBroker as error:
            self._drop()
            raise _refusal(error, len(message.body)) from error
        except _TROUBLE as error:
            self._drop()
            raise unreachable(error, answer_lost=True) from error

    # Taking

    def take(self, queue: str) -> CarriedMessage | None:
        """The next message of a queue; the same again until `done` or `give_up` was said."""
        with self._at_work() as channel:
            if queue in self._hands:
                return self._hands[queue].message
            method, properties, body = channel.basic_get(self._prefix + queue)
            if method is None:
                return None
            assert properties is not None
            hand = _Hand(int(method.delivery_tag or 0), _message(properties, body or b""))
            self._hands[queue] = hand
            return hand.message

    def done(self, queue: str) -> None:
        """Acknowledge the message in hand."""
        self._answer(queue, lambda channel, tag: channel.basic_ack(tag))

    def give_up(self, queue: str) -> None:
        """Send the message in hand to the dead letters."""
        self._answer(queue, lambda channel, tag: channel.basic_reject(tag, requeue=False))

    def _answer(self, queue: str, say: Callable[[BlockingChannel, int], None]) -> None:
        with self._at_work() as channel:
            hand = self._hands.pop(queue, None)
            if hand is not None:  # else the connection was lost meanwhile, and the message comes again
                say(channel, hand.tag)

    # Looking

    def look(self, queue: str) -> tuple[int, int]:
        """How many messages wait, and how many clients consume."""
        with self._at_work() as channel:
            method = channel.queue_declare(self._prefix + queue, passive=True).method
            return int(method.message_count), int(method.consumer_count)

    def check(self) -> str:
        """Connect, declare, and say what answered."""
        with self._at_work():
            inner: Any = self._connection
            return f"RabbitMQ {inner._impl.server_properties.get('version', '?')}"  # pika offers no other way

    def close(self) -> None:
        """Let go of the connection."""
        self._drop()

    # The connection

    @contextmanager
    def _at_work(self) -> Iterator[BlockingChannel]:
        channel = self._open()
        try:
            yield channel
        except _TROUBLE as error:
            self._drop()
            raise unreachable(error) from error
        except Exception:  # pika could not read what a foreign client sent: it comes again, and is then given up
            self._drop()
            raise

    def _open(self) -> BlockingChannel:
        """The channel, after a look whether it still stands; a new one when it does not."""
        if self._connection is not None and self._channel is not None:
            try:
                self._connection.process_data_events(0)  # heartbeats, and the end of a connection that was cut
                if self._channel.is_open:
                    return self._channel
            except _TROUBLE:
                pass
            self._drop()
        try:
            self._connection = BlockingConnection(self._parameters)
            self._channel = self._connection.channel()
            if self._bindings:  # at somebody else's we declare nothing
                declare.bindings(self._channel, self._prefix, self._bindings)
            self._channel.confirm_delivery()
        except pika.exceptions.ChannelClosedByBroker as error:
            self._drop()
            raise BadSetup(
                f"RabbitMQ does not let the hub declare its queues: {error.reply_text}",
                what_zh=f"RabbitMQ 不允许枢纽声明所需队列：{error.reply_text}",
                hint="delete a queue of this name that is of another kind, or give the hub's user its rights",
                hint_zh="可能已有同名但类型不同的队列，请删除；或为枢纽账号授予权限",
            ) from error
        except _TROUBLE as error:
            self._drop()
            raise unreachable(error) from error
        return self._channel

    def _drop(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        self._hands.clear()
        if connection is not None and connection.is_open:
            with suppress(*_TROUBLE):
                connection.close()


class _Vanished(Exception):
    """Exchange or queue are not there, so that the message went nowhere."""


def _refusal(error: pika.exceptions.ChannelClosedByBroker, size: int) -> Exception:
    """RabbitMQ said no and closed the channel: the message was not taken."""
    if error.reply_code == _NOT_FOUND:
        return _Vanished()
    if error.reply_code == _ACCESS_REFUSED:
        return NotAllowed(f"RabbitMQ: {error.reply_text}", what_zh=f"RabbitMQ 拒绝访问：{error.reply_text}")
    if error.reply_code == _PRECONDITION_FAILED:
        return ReceiverRefused(
            f"{size} bytes are more than RabbitMQ takes in one message",
            what_zh=f"消息 {size} 字节，超过 RabbitMQ 单条消息上限",
            hint="make the parcels of this destination smaller",
            hint_zh="请调小该投递目标的 parcel",
        )
    return unreachable(error)


def _message(properties: BasicProperties, body: bytes) -> CarriedMessage:
    headers = properties.headers or {}
    return CarriedMessage(
        body=body,
        id=_text(properties.message_id),
        content_type=_text(properties.content_type),
        correlation_id=_text(properties.correlation_id),
        reply_to=_text(properties.reply_to),
        type=_text(properties.type),
        user=_text(properties.user_id),
        headers={_text(k): _text(v) for k, v in headers.items() if isinstance(v, str | bytes)},
    )


def _text(value: str | bytes | None) -> str:
    """What a foreign client wrote, as text that a ledger can hold."""
    if isinstance(value, bytes):  # pika leaves what is not UTF-8
        value = value.decode("utf-8", "replace")
    return (value or "").replace("\0", "\ufffd")


def foreign(url: str) -> MessageTransport:
    """A transport to somebody else's RabbitMQ, where nothing is declared."""
    return RabbitTransport(url, ())


def transports(url: str, prefix: str = "") -> Transports:
    """Makes transports to one RabbitMQ."""

    def make(bindings: Sequence[Binding]) -> MessageTransport:
        return RabbitTransport(url, bindings, prefix=prefix)

    return make
