"""Channel `amqp`: the party's own AMQP 0-9-1 client speaks with the hub's RabbitMQ; needs `broker.url`.

In: the party publishes into exchange `hub.in` with key `in.<party>` (`in.<party>.<queue>` where it has several
connections).  The body is a file as for `POST /v1/submissions`; message-id keeps a repeat from doubling, content-type
says what it is, the header `name` is a file name, `traceparent` a trace.  The hub acknowledges the message after the
bytes are committed.  A message with reply_to is answered in the queue `receipt.<party>`, correlation-id being its own,
or else its message-id; the property type says what the answer is:

    receipt-number  {"receipt_no": "…", "repeated": false, "message_id": "…"}
    receipt         the receipt, as GET /v1/receipts/{receipt_no}; again with each later version until it is settled
    problem         a problem document: the message was not kept; it lies in hub.dead
    verdict         what became of a parcel of another hub, in the form below

While a connection is paused, its messages wait in the queue.
A connection without mapping and dataset takes parcels of another hub (CloudEvents, as POST /v1/parcels).

Out: parcels are published as CloudEvents (exchange `hub.parcels`, key `<direction>.<destination>.<dataset>`) and lie in
the queue `deliver.<party>` until the party's client takes them; message-id is the parcel's id, and a repeat carries the
same.  The party answers into exchange `hub.receipts`, key `receipt.<party>`:

    {"parcel_id": "…", "records": [{"cd_id": "…", "result": "refused", "code": "…", "element": "…", "message": "…"}]}

Records that are not named are accepted; without parcel_id, correlation-id says which parcel is meant.

`hub party amqp PARTY` makes the party's user, which can do exactly this and nothing else.
"""

from __future__ import annotations

from adapters.amqp.destination import AmqpDestination
from adapters.amqp.settings import AmqpDestinationSettings, AmqpSourceSettings
from adapters.amqp.source import AmqpSource
from adapters.base import Manifest

MANIFEST = Manifest(
    name="amqp",
    title="消息队列（AMQP）",
    title_en="message queue (AMQP)",
    source_settings=AmqpSourceSettings,
    destination_settings=AmqpDestinationSettings,
    make_source=AmqpSource,
    make_destination=AmqpDestination,
    on_rabbitmq=True,
    about=__doc__ or "",
)
