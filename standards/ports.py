"""What the rooms hand each other.  `hub/bootstrap.py` puts the pieces together; nobody fetches them from a global."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, runtime_checkable
from uuid import UUID

from standards.parcel import Answer, Parcel


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Everything that is known of a hand-over besides its bytes."""

    connection: str
    #: The sender's own id of it; the same id and bytes again give the same receipt.
    external_id: str = ""
    name: str = ""
    content_type: str = ""
    traceparent: str = ""
    lane: str | None = None
    test: bool = False
    kind: str = "submission"
    #: Data set of a hand-over that names its own (a parcel of another hub); else the connection says it.
    dataset: str = ""
    #: Hubs it has passed, oldest first.
    hops: tuple[str, ...] = ()
    #: Who handed it over: a key's id, a user, `folder` …
    actor: str = ""
    #: CL_REPORT_WAY where it is not the connection's: 0 for what a person typed in.
    report_way: str = ""
    #: Number of the receipt whose faults this hand-over mends.
    mends: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The raw bytes are committed; this is the sender's proof."""

    receipt_no: str
    submission_id: UUID
    #: True when this very hand-over had been taken before.
    repeated: bool = False


class IntakePort(Protocol):
    """Where sources hand over.  Bytes are committed before it returns."""

    def receive(self, hand_over: HandOver, pieces: Iterable[bytes]) -> Acknowledged:
        """Keep the bytes and give a receipt number.

        Raises PayloadTooLarge, IdempotencyConflict, UnknownName, NotAllowed (paused), LedgerBusy.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """A submission's receipt as it stands now; `document` is the whole of it, ready for JSON."""

    receipt_no: str
    state: str
    version: int
    read: int
    accepted: int
    rejected: int
    held: int
    duplicate: int
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def judged(self) -> bool:
        """True when every record has a verdict."""
        return self.state in ("judged", "settled")


class ReceiptPort(Protocol):
    """Where sources read what became of a hand-over."""

    def receipt(self, receipt_no: str, *, after: int = 0, limit: int = 500) -> ReceiptView | None:
        """The receipt of a submission; findings of records behind number `after`, of `limit` records at most."""
        ...

    def words(self, receipt_no: str, language: str = "zh") -> str:
        """The receipt as text a clerk can read."""
        ...


class MarkedPort(Protocol):
    """Where sources fetch the sender's own workbook with its faults marked."""

    def workbook(self, receipt_no: str) -> bytes:
        """The answer as .xlsx.  Raises UnknownName, or BadConfiguration when its content is no longer kept."""
        ...


class MemoryPort(Protocol):
    """What a source or destination remembers between two runs."""

    def recall(self, name: str) -> str | None:
        """What was remembered under a name."""
        ...

    def remember(self, name: str, value: str) -> None:
        """Remember something, for good."""
        ...

    def forget(self, name: str) -> None:
        """Forget it."""
        ...

    def names(self, head: str = "") -> list[str]:
        """Every name remembered that begins with `head`."""
        ...


class ParcelPort(Protocol):
    """Where sources hand over parcels of other hubs; the same as `POST /v1/parcels`."""

    def take(self, body: bytes, headers: Mapping[str, str], party: str, actor: str, *, connection: str = "") -> str:
        """Keep a parcel (`headers` as in `standards.parcel.from_event`); the number of its receipt here.

        Raises NotAllowed, BadRecord (no parcel, too large), UnknownName (data set), LedgerBusy.
        """
        ...

    def verdict(self, receipt_no: str) -> dict[str, Any]:
        """What the hub says of a parcel; `awaiting` until every record has a verdict.  Raises UnknownName."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContext:
    """What a source is given to work with."""

    connection: str
    intake: IntakePort
    receipts: ReceiptPort
    memory: MemoryPort
    #: None where no parcels are taken.
    parcels: ParcelPort | None = None
    #: None where nothing is marked.
    marked: MarkedPort | None = None


class Source(Protocol):
    """Fetches what a party has for us: polls a folder, a table, a service."""

    #: How long to rest when there was nothing to do.
    pause: timedelta

    def run_once(self, context: SourceContext) -> int:
        """Hand over what is there and bring back finished receipts; returns how many things were done.

        Raises Temporary when the other side is not there, BadSetup when the operator must act.
        """
        ...

    def check(self) -> str:
        """Really try the connection; what was found, in words.  Raises HubError."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A parcel that was handed over and whose verdict is due."""

    parcel_id: UUID
    dataset: str
    batch: str
    sent_at: datetime
    cd_ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """What a level above the receiver said of records of a parcel, after the receiver itself had answered."""

    #: The other side's id of it: the same news may come again.
    id: UUID
    parcel_id: UUID
    result: str
    accepted: int
    refused: int
    answer: Answer


@runtime_checkable
class Follows(Protocol):
    """A destination through which higher levels speak."""

    def follow(self, cursor: str) -> tuple[list[Later], str]:
        """What was said since `cursor` ('' from the beginning), and the next cursor.  Raises as `deliver`."""
        ...


@runtime_checkable
class Traces(Protocol):
    """A destination that can say where a record is with it and behind it."""

    def trace(self, cd_id: str) -> list[dict[str, Any]]:
        """The places of a record, the nearest first.  Raises as `deliver`."""
        ...


class Destination(Protocol):
    """Delivers parcels to one receiver."""

    def deliver(self, parcel: Parcel) -> Answer:
        """Hand a parcel over; what the receiver said.

        Raises SystemUnreachable (the whole destination is down; `answer_lost` when the request went out),
        SystemBusy, ReceiverRefused (this parcel as a whole), BadSetup.
        """
        ...

    def collect(self, awaited: Sequence[Awaited]) -> Iterable[tuple[UUID, Answer]]:
        """Late verdicts on parcels that were handed over, as far as they are there.

        A receiver that speaks by itself may name others too.  When the next one is asked for, the last one has been
        written down.
        """
        ...

    def stored(self, parcel: Parcel) -> bool | None:
        """Whether the receiver has this parcel, for `idempotent = query`; None when it cannot be asked."""
        ...

    def check(self) -> str:
        """Really try the connection; what was found, in words.  Raises HubError."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


@runtime_checkable
class Holding(Protocol):
    """A destination that can be asked which records its receiver has now."""

    def holding(self, dataset: str, cd_ids: Sequence[str]) -> set[str] | None:
        """Those of these records that it has; None when it cannot be asked after all.  Raises HubError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A durable queue, and which messages of an exchange come into it."""

    exchange: str
    kind: Literal["direct", "topic"] = "topic"
    key: str
    queue: str
    #: So many messages at most, the oldest are forgotten; 0: all, and what is given up goes to the dead letters.
    most: int = 0
    #: How often a message is handed out before it is given up.
    tries: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedMessage:
    """A message of the message broker, with the properties that clients of every make can set."""

    body: bytes
    id: str = ""
    content_type: str = ""
    correlation_id: str = ""
    reply_to: str = ""
    type: str = ""
    #: Who published it, when the client said so: the broker has checked it.
    user: str = ""
    #: Only those that are text.
    headers: Mapping[str, str] = field(default_factory=dict)


class MessageTransport(Protocol):
    """A connection of one's own to the message broker: made when first needed, and again when it was lost.

    Not for several threads.  What the bindings name is declared on every new connection.
    """

    def send(self, exchange: str, key: str, message: CarriedMessage) -> None:
        """Publish; when it returns, the broker keeps the message in at least one queue.

        Raises SystemUnreachable (`answer_lost` when it may have arrived), SystemBusy, ReceiverRefused (too large),
        NotAllowed.
        """
        ...

    def take(self, queue: str) -> CarriedMessage | None:
        """The next message of a queue; the same again until `done` or `give_up` was said.  Raises SystemUnreachable."""
        ...

    def done(self, queue: str) -> None:
        """The message in hand is dealt with.  Raises SystemUnreachable: it will come again."""
        ...

    def give_up(self, queue: str) -> None:
        """The message in hand goes to the dead letters.  Raises SystemUnreachable: it will come again."""
        ...

    def look(self, queue: str) -> tuple[int, int]:
        """How many messages wait in a queue, and how many clients consume it.  Raises SystemUnreachable."""
        ...

    def check(self) -> str:
        """Connect, declare, and say what answered.  Raises SystemUnreachable."""
        ...

    def close(self) -> None:
        """Let go of the connection; what is in hand comes again."""
        ...


#: Makes a transport with these bindings.
Transports = Callable[[Sequence[Binding]], MessageTransport]


class Lookup(Protocol):
    """Asks a base (法人库, 人口库, 地址库) what it knows of many keys at once."""

    def find(self, keys: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], Mapping[str, str]]:
        """Key -> its fields, as text; a key that is not known there is absent.  Ends within the time that is set.

        Raises Temporary when the base is not there or not now, BadSetup when the operator must act.
        """
        ...

    def check(self) -> str:
        """Really try it; what was found, in words.  Raises HubError."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
