"""What the rooms hand each other.  `hub/bootstrap.py` puts the pieces together; nobody fetches them from a global."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContext:
    """What a source is given to work with."""

    connection: str
    intake: IntakePort
    receipts: ReceiptPort
    memory: MemoryPort


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
        """Late verdicts on parcels that were handed over, as far as they are there."""
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
