"""Channel `hub`: another supervision exchange hub, above, below or beside this one.

A destination posts each parcel as a CloudEvent to the other hub's `/v1/parcels`; its verdict comes with the answer, or
is asked for later; what still higher levels say of the same records is fetched as news, so that only this side needs to
open connections.  A connection of this adapter takes the parcels another hub posts to our own door: its key belongs to
that hub's party, and each parcel names its data set.

With `[destinations.NAME.settings.amqp]` parcels and verdicts go through the other hub's RabbitMQ instead, where we are
a party with a user (`hub party amqp` there); what higher levels say later, and traces, still come over HTTPS.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from pydantic import Field, NonNegativeFloat

from adapters.base import AdapterSettings, Manifest, Surroundings
from adapters.hub_queue import HubQueue, QueueSettings
from adapters.transport import HttpSettings, HttpTransport
from standards.clock import Clock, SystemClock
from standards.digest import uuid7_before
from standards.errors import AnswerNotUnderstood
from standards.parcel import Answer, AnswerLine, Parcel, Result, to_event
from standards.ports import Awaited, Later

T = TypeVar("T")

_JSON = {"content-type": "application/json"}
_PAGE = 500
#: News are asked for again from so many seconds before the last one: the other ledger's transactions overlap.
_OVERLAP = 20.0
#: A verdict that a queue did not bring for so long is asked for.
_LOST_AFTER = timedelta(seconds=30)


class NeighbourSettings(AdapterSettings):
    """Nothing to set: the key belongs to the other hub's party (`hub key new`)."""


class HubSettings(HttpSettings):
    """Settings of a hub that parcels are delivered to."""

    url: str = Field(
        pattern=r"^https?://",
        description="Address of the other hub, without a path.",
        examples=["https://hub.province.example.gov.cn"],
    )
    wait_seconds: NonNegativeFloat = Field(5, le=60, description="How long the other hub may judge before it answers.")
    amqp: QueueSettings | None = Field(
        None, description="Parcels and verdicts through the other hub's RabbitMQ; empty: over HTTPS."
    )


class _Said(msgspec.Struct):
    cd_id: str
    result: Result = Result.REFUSED
    code: str = ""
    element: str = ""
    message: str = ""


class _Verdict(msgspec.Struct):
    receipt_no: str = ""
    awaiting: bool = False
    speaker: str = ""
    level: str = ""
    parcel: UUID | None = None
    records: list[_Said] = []


class _Reply(_Verdict):
    parcel_id: UUID | None = None
    #: Of a problem document.
    code: str = ""
    detail: str = ""


class _News(msgspec.Struct):
    id: UUID
    parcel: UUID
    level: str
    speaker: str
    result: str = ""
    accepted: int = 0
    refused: int = 0
    records: list[_Said] = []


#: Made here: msgspec looks a type up at its first use, and crashes when two threads use it first at the same moment.
_VERDICT, _VERDICTS = msgspec.json.Decoder(_Verdict), msgspec.json.Decoder(list[_Verdict])
_NEWS, _REPLY = msgspec.json.Decoder(list[_News]), msgspec.json.Decoder(_Reply)
_OBJECTS, _ANYTHING = msgspec.json.Decoder(list[dict[str, Any]]), msgspec.json.Decoder(object)


class NeighbourHub:
    """Implements standards.ports.Destination and Follows."""

    def __init__(self, settings: HubSettings, around: Surroundings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        key = around.secret(settings.key) if settings.key else ""
        self._http = HttpTransport(settings, key=key)
        self._base = settings.url.rstrip("/") + "/v1/parcels"
        self._queue: HubQueue | None = None
        if settings.amqp is not None:
            self._queue = HubQueue(settings.amqp, around.broker(around.secret(settings.amqp.url)), _reply)

    def deliver(self, parcel: Parcel) -> Answer:
        """Post or publish the parcel."""
        if self._queue is not None:
            return self._queue.send(parcel)
        headers = {"content-type": "application/cloudevents+json"}
        url = f"{self._base}?wait={self._settings.wait_seconds:g}"
        response = self._http.request("POST", url, content=to_event(parcel), headers=headers)
        return _answer(_decoded(response.content, _VERDICT))

    def collect(self, awaited: Sequence[Awaited]) -> Iterable[tuple[UUID, Answer]]:
        """The verdicts that are there by now; those that a queue should have brought long ago are asked for."""
        if self._queue is not None:
            yield from self._queue.answers(awaited)
            before = self._clock.now() - _LOST_AFTER
            awaited = [one for one in awaited if one.sent_at < before]
        if not awaited:
            return
        body = msgspec.json.encode({"parcels": [one.parcel_id for one in awaited]})
        response = self._http.request("POST", f"{self._base}/verdicts", content=body, headers=_JSON)
        for said in _decoded(response.content, _VERDICTS):
            if said.parcel is not None:
                yield said.parcel, _answer(said)

    def follow(self, cursor: str) -> tuple[list[Later], str]:
        """What higher levels said since; and from where to ask next time."""
        after = uuid7_before(UUID(cursor), _OVERLAP) if cursor else None
        found: list[Later] = []
        while True:
            where = f"&after={after}" if after is not None else ""
            response = self._http.request("GET", f"{self._base}/news?limit={_PAGE}{where}")
            page = _decoded(response.content, _NEWS)
            found += [_later(one) for one in page]
            if page:
                after = page[-1].id
                cursor = str(after)
            if len(page) < _PAGE:
                return found, cursor

    def trace(self, cd_id: str) -> list[dict[str, Any]]:
        """Where a record is there and above."""
        body = msgspec.json.encode({"record": cd_id})
        response = self._http.request("POST", self._settings.url.rstrip("/") + "/v1/trace", content=body, headers=_JSON)
        return _decoded(response.content, _OBJECTS)

    def ask(self, path: str, body: dict[str, Any]) -> Any:
        """POST something else to the other hub's `/v1`, as JSON; for reconciliation."""
        url = self._settings.url.rstrip("/") + f"/v1/{path}"
        response = self._http.request("POST", url, content=msgspec.json.encode(body), headers=_JSON)
        return _decoded(response.content, _ANYTHING)

    def stored(self, parcel: Parcel) -> bool | None:
        """A repeat is known by its id; nobody needs to ask."""
        return None

    def check(self) -> str:
        """Ask with our key."""
        self._http.request("GET", f"{self._base}/news?limit=1")
        also = f"; {self._queue.check()}" if self._queue is not None else ""
        return f"{self._settings.url}: ok{also}"

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()
        if self._queue is not None:
            self._queue.close()


def _decoded(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, ValueError) as error:
        raise AnswerNotUnderstood(f"not the answer of a hub: {error}", what_zh="对方不是监管数据交换枢纽") from error


def _lines(said: Sequence[_Said]) -> tuple[AnswerLine, ...]:
    return tuple(
        AnswerLine(cd_id=s.cd_id, result=s.result, code=s.code, element=s.element, message=s.message) for s in said
    )


def _answer(said: _Verdict) -> Answer:
    return Answer(
        awaiting=said.awaiting,
        lines=_lines(said.records),
        speaker=said.speaker,
        level=said.level,
        receipt_no=said.receipt_no,
    )


def _reply(body: bytes) -> tuple[UUID | None, Answer]:
    """A message of the other hub's queue: a verdict, or a problem document."""
    said = _decoded(body, _REPLY)
    if said.detail:
        line = AnswerLine(cd_id="", result=Result.REFUSED, code=said.code, message=said.detail)
        return None, Answer(lines=(line,))
    return said.parcel_id, _answer(said)


def _later(news: _News) -> Later:
    answer = Answer(lines=_lines(news.records), speaker=news.speaker, level=news.level)
    return Later(
        id=news.id,
        parcel_id=news.parcel,
        result=news.result,
        accepted=news.accepted,
        refused=news.refused,
        answer=answer,
    )


MANIFEST = Manifest(
    name="hub",
    title="枢纽级联",
    title_en="another hub",
    source_settings=NeighbourSettings,
    destination_settings=HubSettings,
    make_destination=NeighbourHub,
    pushed=True,
    follows=True,
    canary="through",
    about=__doc__ or "",
)
