"""A parcel: up to N records of one data set for one destination, as a CloudEvent; and what a receiver answers.

The same form travels between hubs and to every system that speaks our interface:

    {"specversion": "1.0", "id": "<parcel id>", "source": "/hub/<origin>", "type": "cn.gov.supervision.parcel",
     "subject": "<data set>", "time": "…", "datacontenttype": "application/json", "traceparent": "…",
     "data": {"dataset": …, "version": …, "batch": …, "hops": […], "records": [
        {"cd_id": …, "revision": 1, "operation": "i", "digest": "<SM3>", "common": {…}, "content": {…}}],
        "attachments": [{"id": "attachment:…", "name": …, "size": …, "type": …, "sm3": …}]}}  (where records name any)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from standards.digest import canonical_json, sm3

EVENT_TYPE = "cn.gov.supervision.parcel"
#: The mark of test records.  Who does not know it refuses the event, and so never takes it for data.
CANARY_TYPE = "cn.gov.supervision.canary"
EVENT_CONTENT_TYPE = "application/cloudevents+json"
#: A parcel that has passed this many hubs is going in circles.
MAX_HOPS = 8


class ParcelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record on its way."""

    cd_id: str
    revision: int
    operation: str
    #: SM3 of `content`, 64 hexadecimal digits.
    digest: str
    #: Canonical JSON of the data set's own elements.
    content: msgspec.Raw
    #: Common elements (DATASETS), filled by sender and hub.
    common: dict[str, str]

    def values(self) -> dict[str, str]:
        """Own and common elements together, as a front-end table has them."""
        own: dict[str, str] = msgspec.json.decode(self.content, type=dict[str, str])
        return {**self.common, **own}

    def own(self) -> dict[str, str]:
        """The data set's own elements."""
        result: dict[str, str] = msgspec.json.decode(self.content, type=dict[str, str])
        return result

    def digest_is_right(self) -> bool:
        """True when the content is what the digest says."""
        return sm3(canonical_json(self.own())).hex() == self.digest


class AttachmentReference(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a record names; the bytes stay with the hub that has them."""

    #: As the record names it: `attachment:<uuid>`.
    id: str
    name: str
    size: int
    type: str
    sm3: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is delivered in one go."""

    id: UUID
    #: Short name of the hub that sends it.
    origin: str
    destination: str
    direction: str
    dataset: str
    version: str
    #: cd_batch: date and running number of the day.
    batch: str
    created_at: datetime
    records: tuple[ParcelRecord, ...]
    lane: str = "bulk"
    traceparent: str = ""
    #: Hubs it has passed, oldest first.
    hops: tuple[str, ...] = ()
    #: How often it was tried before.
    attempt: int = 0
    #: What its records name.
    attachments: tuple[AttachmentReference, ...] = ()
    #: Test records: the receiver judges and answers them, and keeps none (see CANARY_TYPE).
    test: bool = False

    @property
    def type(self) -> str:
        """Type of its event."""
        return CANARY_TYPE if self.test else EVENT_TYPE

    def __len__(self) -> int:
        return len(self.records)


class _Data(msgspec.Struct, kw_only=True):
    dataset: str
    version: str
    batch: str = ""
    direction: str = "up"
    lane: str = "bulk"
    hops: list[str] = []
    records: list[ParcelRecord]
    attachments: list[AttachmentReference] | msgspec.UnsetType = msgspec.UNSET


class _Event(msgspec.Struct, kw_only=True):
    specversion: str
    id: str
    source: str
    type: str
    subject: str = ""
    time: datetime | None = None
    datacontenttype: str = "application/json"
    traceparent: str = ""
    data: _Data


_EVENT_DECODER = msgspec.json.Decoder(_Event)
_DATA_DECODER = msgspec.json.Decoder(_Data)


class NotAParcel(ValueError):
    """The bytes are no parcel; says why."""


def _data_of(parcel: Parcel) -> _Data:
    return _Data(
        dataset=parcel.dataset,
        version=parcel.version,
        batch=parcel.batch,
        direction=parcel.direction,
        lane=parcel.lane,
        hops=list(parcel.hops),
        records=list(parcel.records),
        attachments=list(parcel.attachments) or msgspec.UNSET,
    )


def to_event(parcel: Parcel) -> bytes:
    """The parcel as a structured CloudEvent (application/cloudevents+json)."""
    return msgspec.json.encode(
        _Event(
            specversion="1.0",
            id=str(parcel.id),
            source=f"/hub/{parcel.origin}",
            type=parcel.type,
            subject=parcel.dataset,
            time=parcel.created_at,
            traceparent=parcel.traceparent,
            data=_data_of(parcel),
        )
    )


def to_data(parcel: Parcel) -> bytes:
    """Only the data of the event, for the binary mode."""
    return msgspec.json.encode(_data_of(parcel))


def event_headers(parcel: Parcel) -> dict[str, str]:
    """HTTP headers of the binary mode (CloudEvents HTTP binding 1.0)."""
    return {
        "ce-specversion": "1.0",
        "ce-id": str(parcel.id),
        "ce-source": f"/hub/{parcel.origin}",
        "ce-type": parcel.type,
        "ce-subject": parcel.dataset,
        "ce-time": parcel.created_at.isoformat(),
        "content-type": "application/json",
        **({"traceparent": parcel.traceparent} if parcel.traceparent else {}),
    }


def attributes_of(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of a message of the binary mode as `from_event` reads them; empty when it is no such message.

    The CloudEvents AMQP binding allows `cloudEvents:` and `cloudEvents_`; many clients write `ce-`.
    """
    found = {}
    for name, value in headers.items():
        for head in ("cloudEvents:", "cloudEvents_", "ce-"):
            if name.startswith(head):
                found[f"ce-{name.removeprefix(head)}"] = value
    if found.get("ce-type") not in (EVENT_TYPE, CANARY_TYPE) or not found.get("ce-id"):
        return {}
    return found | ({"traceparent": headers["traceparent"]} if "traceparent" in headers else {})


def from_event(body: bytes, destination: str, headers: Mapping[str, str] | None = None) -> Parcel:
    """Read a parcel: structured, or binary when `headers` hold ce- attributes.  Raises NotAParcel."""
    try:
        if headers is not None and headers.get("ce-id"):
            data = _DATA_DECODER.decode(body)
            identifier, source, trace = headers["ce-id"], headers.get("ce-source", ""), headers.get("traceparent", "")
            time, type_ = None, headers.get("ce-type", EVENT_TYPE)
        else:
            event = _EVENT_DECODER.decode(body)
            type_ = event.type
            data, identifier, source, trace, time = event.data, event.id, event.source, event.traceparent, event.time
        if type_ not in (EVENT_TYPE, CANARY_TYPE):
            raise NotAParcel(f"the event's type is {type_}, not {EVENT_TYPE}")
        parcel_id = UUID(identifier)
        time = time or datetime.fromtimestamp((parcel_id.int >> 80) / 1000).astimezone()
    except (msgspec.MsgspecError, ValueError) as error:
        if isinstance(error, NotAParcel):
            raise
        raise NotAParcel(str(error)) from error
    return Parcel(
        id=parcel_id,
        origin=source.rpartition("/")[2],
        destination=destination,
        direction=data.direction,
        dataset=data.dataset,
        version=data.version,
        batch=data.batch,
        created_at=time,
        records=tuple(data.records),
        lane=data.lane,
        traceparent=trace,
        hops=tuple(data.hops),
        attachments=tuple(data.attachments) if data.attachments is not msgspec.UNSET else (),
        test=type_ == CANARY_TYPE,
    )


class Result(StrEnum):
    """What a receiver says of one record (CL_RECEIPT in words)."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DUPLICATE = "duplicate"  # it has this revision already: as good as accepted
    STALE = "stale"  # it has a newer revision: as good as accepted
    HELD = "held"  # it waits there for something else; a refusal may follow


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLine:
    """What a receiver says of one record of a parcel."""

    cd_id: str
    result: Result
    code: str = ""
    element: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a receiver says of a parcel.

    `awaiting` True: it has been handed over, the verdict comes later.  Otherwise every record without a line of its
    own is accepted.
    """

    awaiting: bool = False
    lines: tuple[AnswerLine, ...] = ()
    #: Who spoke, and of which level.
    speaker: str = ""
    level: str = ""
    receipt_no: str = ""
    #: Further facts worth keeping (counts, digests), never content.
    detail: Mapping[str, Any] = field(default_factory=dict)

    def refused(self) -> Iterator[AnswerLine]:
        """The lines that say no."""
        return (line for line in self.lines if line.result is Result.REFUSED)
