"""Parcels to another hub through its RabbitMQ, where both sides can: published into its inbox, verdicts read back.

We are a party there: `hub party amqp PARTY` on the other side makes our user, and a connection of the adapter `amqp`
without mapping and dataset takes our parcels.  We declare nothing; what the queue may lose (verdicts of a broker that
was emptied) is asked for over HTTPS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

import structlog
from pydantic import Field

from adapters.amqp.names import IN, inbox, receipts
from adapters.base import AdapterSettings
from standards.errors import AnswerNotUnderstood
from standards.parcel import EVENT_CONTENT_TYPE, Answer, Parcel, to_event
from standards.ports import Awaited, CarriedMessage, MessageTransport
from standards.tracing import outgoing

log = structlog.get_logger()

_NUMBER, _VERDICT, _PROBLEM = "receipt-number", "verdict", "problem"


class QueueSettings(AdapterSettings):
    """The way through the other hub's RabbitMQ."""

    url: str = Field(
        pattern=r"^(env|file):", description="amqps://user:password@host/vhost, by reference: env:NAME or file:/path."
    )
    party: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="What we are called there.")
    queue: str = Field("", description="`queue` of the connection there, where it names one.")
    prefix: str = Field("", description="`broker.prefix` of the other hub, where it has one.")


class HubQueue:
    """Our side of the queues."""

    def __init__(
        self,
        settings: QueueSettings,
        transport: MessageTransport,
        read: Callable[[bytes], tuple[UUID | None, Answer]],
    ) -> None:
        self._exchange = settings.prefix + IN
        self._key = inbox(settings.party, settings.queue)
        self._back = settings.prefix + receipts(settings.party)
        self._reply_to = receipts(settings.party)
        self._transport = transport
        self._read = read

    def send(self, parcel: Parcel) -> Answer:
        """Publish a parcel; its verdict comes back through the queue."""
        message = CarriedMessage(
            body=to_event(parcel),
            id=str(parcel.id),
            content_type=EVENT_CONTENT_TYPE,
            correlation_id=str(parcel.id),
            reply_to=self._reply_to,
            type=parcel.type,
            headers=outgoing() or ({"traceparent": parcel.traceparent} if parcel.traceparent else {}),
        )
        self._transport.send(self._exchange, self._key, message)
        return Answer(awaiting=True)

    def answers(self, awaited: Sequence[Awaited]) -> Iterator[tuple[UUID, Answer]]:
        """Every verdict that is there, whichever parcel it names; acknowledged when the caller asks for the next."""
        by_id = {one.parcel_id: one for one in awaited}
        while (message := self._transport.take(self._back)) is not None:
            try:
                found = self._one(message, by_id)
            except (AnswerNotUnderstood, ValueError) as error:
                log.warning("a verdict cannot be read", action="verdict_odd", why=str(error)[:300])
                self._transport.give_up(self._back)
                continue
            if found is not None:
                yield found
            self._transport.done(self._back)

    def _one(self, message: CarriedMessage, awaited: dict[UUID, Awaited]) -> tuple[UUID, Answer] | None:
        if message.type == _PROBLEM:
            return _refused(UUID(message.correlation_id), awaited, self._read(message.body)[1])
        if message.type == _VERDICT:
            named, answer = self._read(message.body)
            return named or UUID(message.correlation_id), answer
        if message.type != _NUMBER:
            raise AnswerNotUnderstood(f"no verdict: {message.type!r}", what_zh=f"不是回执：{message.type}")
        return None

    def check(self) -> str:
        """Connect, and look into the queue of verdicts."""
        server = self._transport.check()
        waiting, _ = self._transport.look(self._back)
        return f"{server}，{self._reply_to}：{waiting} 条待取 ({waiting} waiting)"

    def close(self) -> None:
        """Let go of the connection."""
        self._transport.close()


def _refused(parcel_id: UUID, awaited: dict[UUID, Awaited], said: Answer) -> tuple[UUID, Answer] | None:
    """A parcel that was refused as a whole: each of its records is.  None when nobody waits for it."""
    parcel = awaited.get(parcel_id)
    if parcel is None or not said.lines:
        log.warning("a parcel was refused that nobody waits for", action="verdict_unasked", parcel=str(parcel_id))
        return None
    return parcel_id, Answer(lines=tuple(replace(said.lines[0], cd_id=cd_id) for cd_id in parcel.cd_ids))
