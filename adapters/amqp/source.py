"""The queue a party publishes into: each message is a hand-over, acknowledged only when its bytes are committed.

    in hand     taken from the queue and not acknowledged: whoever dies now leaves it to be handed out again
    kept        the hub has the bytes and gave a receipt number; the sender is told it if the message has a `reply_to`
    refused     a problem document for the sender; the message lies with the dead letters, for the operator
    judged      the receipt is published too, and again with each later version until every delivery has ended

A message that was kept but not acknowledged comes again, and its message-id gives the same receipt number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from adapters.amqp.names import REPLIES, inbox, receipts, source_bindings
from adapters.amqp.pending import Pending, PendingReplies
from adapters.amqp.settings import AmqpSourceSettings, transport_of
from adapters.base import Surroundings
from standards.clock import Clock, SystemClock
from standards.digest import sm3, uuid7
from standards.errors import BadRecord, HubError, NotAllowed, UnknownName, problem_document
from standards.parcel import EVENT_CONTENT_TYPE, attributes_of
from standards.ports import Acknowledged, CarriedMessage, HandOver, ReceiptView, SourceContext
from standards.tracing import accept

log = structlog.get_logger()

#: The ledger's column for a sender's own id.
_LONGEST_ID = 200
_LOOKS = 50
#: Rows with findings in one message of a receipt.
_PAGE = 500
#: A message over which we stumble so often is given up.
_STUMBLES = 5


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the hub has of a message."""

    receipt_no: str
    #: A hand-over that had been taken before; of a parcel it is not told.
    repeated: bool | None = None
    parcel: str = ""


class AmqpSource:
    """Implements standards.ports.Source."""

    def __init__(self, settings: AmqpSourceSettings, around: Surroundings, *, clock: Clock | None = None) -> None:
        self.pause = timedelta(seconds=settings.pause_seconds)
        self._settings = settings
        self._name, self._party = around.name, around.party
        self._queue = inbox(around.party, settings.queue)
        self._transport = transport_of(around, source_bindings(around.party, settings.queue))
        self._clock = clock or SystemClock()
        self._pending = PendingReplies()
        self._stumbles = 0

    def run_once(self, context: SourceContext) -> int:
        """Take what is there, and tell what was judged."""
        done = 0
        while done < self._settings.at_once and (message := self._transport.take(self._queue)) is not None:
            self._handle(context, message)
            done += 1
        return done + self._tell_all(context)

    def check(self) -> str:
        """Connect, declare, and look into the queue."""
        server = self._transport.check()
        waiting, _ = self._transport.look(self._queue)
        return f"{server}，{self._queue}：{waiting} 条待取 ({waiting} messages waiting)"

    def close(self) -> None:
        """Let go of the connection; what is in hand comes again."""
        self._transport.close()

    # Taking

    def _handle(self, context: SourceContext, message: CarriedMessage) -> None:
        try:
            kept = self._keep(context, message)
        except (BadRecord, NotAllowed, UnknownName) as error:
            self._refuse(message, error)
        except HubError:
            raise  # it stays in hand and is tried again
        except Exception:
            self._stumbles += 1
            if self._stumbles < _STUMBLES:
                raise
            log.exception("a message is given up", action="message_poison", connection=self._name, id=message.id)
            self._refuse(message, HubError("internal error", what_zh="内部错误，已记录"))
        else:
            self._tell_number(context, message, kept)
        self._stumbles = 0

    def _keep(self, context: SourceContext, message: CarriedMessage) -> _Kept:
        """Have the bytes committed.  Raises as the ports do."""
        actor = f"amqp:{message.user or self._party}"
        headers = attributes_of(message.headers)
        if context.parcels is not None and (headers or message.content_type == EVENT_CONTENT_TYPE):
            receipt_no = context.parcels.take(message.body, headers, self._party, actor, connection=context.connection)
            return _Kept(receipt_no, parcel=headers.get("ce-id") or _event_id(message))
        taken = self._hand_over(context, message, actor)
        return _Kept(taken.receipt_no, repeated=taken.repeated)

    def _tell_number(self, context: SourceContext, message: CarriedMessage, kept: _Kept) -> None:
        """Acknowledge what is kept; the sender, if it wants to know, is told its number before."""
        log.info("message taken", action="message_taken", connection=self._name, receipt_no=kept.receipt_no)
        if message.reply_to:
            correlation = message.correlation_id or message.id
            one = Pending(receipt_no=kept.receipt_no, correlation_id=correlation, parcel=kept.parcel)
            self._pending.add(context.memory, one)
            said: dict[str, Any] = {"receipt_no": kept.receipt_no, "message_id": message.id}
            if kept.repeated is not None:
                said["repeated"] = kept.repeated
            self._reply("receipt-number", correlation, said)
        self._transport.done(self._queue)

    def _hand_over(self, context: SourceContext, message: CarriedMessage, actor: str) -> Acknowledged:
        hand_over = HandOver(
            connection=context.connection,
            external_id=message.id if len(message.id) <= _LONGEST_ID else sm3(message.id.encode()).hex(),
            name=message.headers.get("name", ""),
            content_type=message.content_type,
            traceparent=accept(message.headers.get("traceparent")),
            actor=actor,
        )
        return context.intake.receive(hand_over, [message.body])

    def _refuse(self, message: CarriedMessage, error: HubError) -> None:
        """Told to the sender first: a crash in between repeats the problem, and never swallows it."""
        log.warning("a message was refused", action="message_refused", connection=self._name, code=error.code)
        if message.reply_to:
            said = {**problem_document(error), "message_id": message.id}
            self._reply("problem", message.correlation_id or message.id, said, "application/problem+json")
        self._transport.give_up(self._queue)

    # Telling

    def _tell_all(self, context: SourceContext) -> int:
        now = self._clock.now()
        told = 0
        for one in self._pending.due(context.memory, now, _LOOKS):
            try:
                told += self._tell_parcel(context, one) if one.parcel else self._tell(context, one)
            except UnknownName:  # kept no longer
                self._pending.forget(context.memory, one)
        return told

    def _tell(self, context: SourceContext, one: Pending) -> int:
        view = context.receipts.receipt(one.receipt_no, limit=_PAGE)
        if view is None:
            self._pending.forget(context.memory, one)
            return 0
        now = self._clock.now()
        if not view.judged or (view.version, view.state) == (one.version, one.state):
            self._pending.nothing_new(one, now)
            return 0
        self._publish(context, one, view)
        if view.state == "settled":
            self._pending.forget(context.memory, one)
        else:
            self._pending.told(context.memory, one, view.version, view.state, now)
        return 1

    def _publish(self, context: SourceContext, one: Pending, view: ReceiptView) -> None:
        """The receipt, in as many messages as it has pages; `next` says that another one follows."""
        page: ReceiptView | None = view
        while page is not None:
            self._reply("receipt", one.correlation_id, page.document)
            after = page.document.get("next")
            page = context.receipts.receipt(one.receipt_no, after=after, limit=_PAGE) if after else None

    def _tell_parcel(self, context: SourceContext, one: Pending) -> int:
        assert context.parcels is not None
        said = context.parcels.verdict(one.receipt_no)
        if said["awaiting"]:
            self._pending.nothing_new(one, self._clock.now())
            return 0
        self._reply("verdict", one.correlation_id, {"parcel_id": one.parcel, **said})
        self._pending.forget(context.memory, one)
        return 1

    def _reply(
        self, kind: str, correlation: str, said: Mapping[str, Any], content_type: str = "application/json"
    ) -> None:
        """Into the party's own queue, whatever `reply_to` names: it could name anybody's."""
        body = json.dumps(said, ensure_ascii=False, default=str).encode()
        message = CarriedMessage(
            body=body, id=str(uuid7()), content_type=content_type, correlation_id=correlation, type=kind
        )
        self._transport.send(REPLIES, receipts(self._party), message)


def _event_id(message: CarriedMessage) -> str:
    """The id of a structured CloudEvent that was found to be a parcel."""
    return str(UUID(json.loads(message.body)["id"]))
