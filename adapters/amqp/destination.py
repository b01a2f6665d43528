"""A party that takes its parcels from its own queue, and answers through the exchange `hub.receipts`.

The confirm of the broker is not the receiver's verdict: every parcel is awaited, and its answer is due within
`receipt_due` of the destination.  An answer is acknowledged when it has been written down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

import structlog

from adapters.amqp.names import PARCELS, answers, destination_bindings, outbox, parcel_key
from adapters.amqp.settings import AmqpDestinationSettings, transport_of
from adapters.base import Surroundings
from adapters.reply import read_reply
from standards.errors import AnswerNotUnderstood
from standards.parcel import EVENT_CONTENT_TYPE, EVENT_TYPE, Answer, Parcel, event_headers, to_data, to_event
from standards.ports import Awaited, CarriedMessage
from standards.tracing import outgoing

log = structlog.get_logger()


class AmqpDestination:
    """Implements standards.ports.Destination."""

    def __init__(self, settings: AmqpDestinationSettings, around: Surroundings) -> None:
        self._settings = settings
        self._name, self._party = around.name, around.party
        self._answers = answers(around.party)
        self._transport = transport_of(around, destination_bindings(around.party, around.name))

    def deliver(self, parcel: Parcel) -> Answer:
        """Publish the parcel; the verdict comes with the party's answer."""
        trace = outgoing() or ({"traceparent": parcel.traceparent} if parcel.traceparent else {})
        if self._settings.mode == "binary":
            body, headers = to_data(parcel), event_headers(parcel)
            content_type = headers.pop("content-type")
            headers = {name.replace("ce-", "cloudEvents:", 1): value for name, value in headers.items()}
        else:
            body, headers, content_type = to_event(parcel), trace, EVENT_CONTENT_TYPE
        message = CarriedMessage(
            body=body, id=str(parcel.id), content_type=content_type, type=EVENT_TYPE, headers=headers
        )
        # The parcel names the destination as the hub does; the binding is made with the adapter's own name for it.
        self._transport.send(PARCELS, parcel_key(parcel.direction, self._name, parcel.dataset), message)
        return Answer(awaiting=True, speaker=self._party)

    def collect(self, awaited: Sequence[Awaited]) -> Iterator[tuple[UUID, Answer]]:
        """Every answer that is there, whichever parcel it names: parties answer in their own order.

        An answer is acknowledged when the caller asks for the next one.  One that cannot be read goes to the dead
        letters; its parcel becomes overdue.
        """
        while (message := self._transport.take(self._answers)) is not None:
            try:
                parcel_id, answer = self._read(message)
            except AnswerNotUnderstood as error:
                log.warning("an answer cannot be read", action="answer_odd", destination=self._name, why=error.what)
                self._transport.give_up(self._answers)
                continue
            yield parcel_id, answer
            self._transport.done(self._answers)

    def _read(self, message: CarriedMessage) -> tuple[UUID, Answer]:
        named, answer = read_reply(message.body, speaker=self._party, level=self._settings.level)
        if named is not None:
            return named, answer
        try:
            return UUID(message.correlation_id), answer
        except ValueError as error:
            raise AnswerNotUnderstood(
                "the answer names no parcel", what_zh="应答没有写明交换包", hint="parcel_id, or correlation_id"
            ) from error

    def stored(self, parcel: Parcel) -> bool | None:
        """It cannot be asked."""
        return None

    def check(self) -> str:
        """Connect, declare, and look who takes from the party's queue."""
        server = self._transport.check()
        queue = outbox(self._party)
        waiting, clients = self._transport.look(queue)
        return f"{server}，{queue}：{waiting} 个待取，{clients} 个客户端在收 ({waiting} waiting, {clients} consuming)"

    def close(self) -> None:
        """Let go of the connection."""
        self._transport.close()
