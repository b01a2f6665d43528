"""The upper platform by its HTTP services: a parcel is posted as a CloudEvent through a signing gateway.

The form of a provincial centre's services is not public, so this is the hub's own profile: the parcel's id is the
`Idempotency-Key`; the answer says which records are refused and in which element; what is judged later is asked for.

    → POST url            the CloudEvent, x-body-sm3: <SM3 of the body>, the gateway's headers
    ← {"receipt_no": "…", "awaiting": false, "level": "province", "body_sm3": "…",
       "records": [{"cd_id": "…", "result": "refused", "code": "…", "element": "…", "message": "…"}]}
    → POST receipts_url   {"parcels": ["<id>", …]}
    ← {"receipts": [{"parcel_id": "…", "state": "judged|awaiting|unknown", … as above …}]}

A gateway of the national sharing platform says no with status 200 and {"code": "-1", …} or {"errCode": …}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import httpx2
import msgspec

from adapters.base import Surroundings
from adapters.signing import NOT_LISTED, SignedAnew, signer_of
from adapters.transport import HttpTransport
from adapters.upper_platform.settings import CentreService
from standards.clock import Clock
from standards.digest import sm3
from standards.errors import AnswerNotUnderstood, NotAllowed
from standards.parcel import Answer, AnswerLine, Parcel, Result, to_event
from standards.ports import Awaited

T = TypeVar("T")

#: Parcels asked about in one question.
_ASKED = 200
#: How often a refused request is signed with a fresh secret: another process of ours may just have voided this one.
_FRESH_SECRETS = 2


class _Said(msgspec.Struct):
    cd_id: str
    result: Result = Result.REFUSED
    code: str = ""
    element: str = ""
    message: str = ""


class _Reply(msgspec.Struct):
    receipt_no: str = ""
    awaiting: bool = False
    speaker: str = ""
    level: str = ""
    body_sm3: str = ""
    records: list[_Said] = []
    parcel_id: str = ""
    state: str = ""
    # How gateways say no.
    code: str | int | None = None
    message: str = ""
    errCode: str | int | None = None
    errMsg: str = ""


class _Receipts(msgspec.Struct):
    receipts: list[_Reply] = []
    code: str | int | None = None
    message: str = ""


#: Made here: msgspec looks a type up at its first use, and crashes when two threads use it first at the same moment.
_REPLY, _RECEIPTS = msgspec.json.Decoder(_Reply), msgspec.json.Decoder(_Receipts)


class CentreByHttp:
    """Implements standards.ports.Destination."""

    def __init__(
        self,
        settings: CentreService,
        around: Surroundings,
        clock: Clock,
        *,
        speaker: str,
        level: str,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._speaker = speaker
        self._level = level
        key = around.secret(settings.key) if settings.key else ""
        self._http = HttpTransport(settings, key=key, transport=transport)
        self._signer = signer_of(settings.gateway, around.secret, clock, self._post_plain)
        self._ask_at: datetime | None = None

    def _post_plain(self, url: str, body: bytes) -> bytes:
        """For the secret itself, which is signed inside the body."""
        return self._http.request("POST", url, content=body, headers={"content-type": "application/json"}).content

    def deliver(self, parcel: Parcel) -> Answer:
        """Post the parcel."""
        body = to_event(parcel)
        digest = sm3(body).hex()
        headers = {"content-type": "application/cloudevents+json", "idempotency-key": str(parcel.id)}
        reply = self._post(self._settings.url, body, digest, headers, _REPLY)
        if reply.body_sm3 and reply.body_sm3.lower() != digest:
            raise AnswerNotUnderstood(
                "the platform received another body than was sent: its digest differs",
                what_zh="上级平台收到的内容与发送的不一致（摘要不同）",
                hint="something between here and there changes the content; compare with the gateway's owner",
                hint_zh="传输途中内容被改动，请与网关管理方核对",
            )
        detail = {"body_sm3": digest, "body_sm3_confirmed": bool(reply.body_sm3)}
        return self._answer(reply, detail)

    def collect(self, awaited: Sequence[Awaited]) -> Iterable[tuple[UUID, Answer]]:
        """Ask for verdicts that come later."""
        now = self._clock.now()
        if not self._settings.receipts_url or (self._ask_at is not None and now < self._ask_at):
            return
        for start in range(0, len(awaited), _ASKED):
            for reply in self._ask([p.parcel_id for p in awaited[start : start + _ASKED]]):
                if reply.state == "judged":
                    yield UUID(reply.parcel_id), self._answer(reply, {})
        self._ask_at = now + timedelta(seconds=self._settings.ask_seconds)

    def stored(self, parcel: Parcel) -> bool | None:
        """Whether the platform knows the parcel; None when it cannot be asked."""
        if not self._settings.receipts_url:
            return None
        return any(r.parcel_id == str(parcel.id) and r.state != "unknown" for r in self._ask([parcel.id]))

    def check(self) -> str:
        """Ask about no parcel, signed like everything else; without receipts_url see whether anything answers."""
        if not self._settings.receipts_url:
            status = self._http.status_of(self._settings.url)
            self._signer.headers()
            return f"{self._settings.url}：HTTP {status}"
        self._ask([])
        return f"{self._settings.receipts_url}：网关签名已通过 (the gateway accepts our signature)"

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _ask(self, parcels: Sequence[UUID]) -> list[_Reply]:
        body = msgspec.json.encode({"parcels": [str(p) for p in parcels]})
        headers = {"content-type": "application/json"}
        return self._post(self._settings.receipts_url, body, sm3(body).hex(), headers, _RECEIPTS).receipts

    def _post(self, url: str, body: bytes, digest: str, headers: dict[str, str], decoder: msgspec.json.Decoder[T]) -> T:
        signed = SignedAnew({**headers, self._settings.digest_header: digest}, self._signer)

        def once() -> T:
            return _read(self._http.request("POST", url, content=body, headers=signed).content, decoder)

        return self._with_fresh_secret(once)

    def _with_fresh_secret(self, call: Callable[[], T]) -> T:
        for _ in range(_FRESH_SECRETS):
            try:
                return call()
            except NotAllowed:
                if not self._signer.refused():
                    raise
        return call()

    def _answer(self, reply: _Reply, detail: dict[str, Any]) -> Answer:
        lines = tuple(
            AnswerLine(cd_id=s.cd_id, result=s.result, code=s.code, element=s.element, message=s.message)
            for s in reply.records
        )
        return Answer(
            awaiting=reply.awaiting,
            lines=lines,
            speaker=reply.speaker or self._speaker,
            level=reply.level or self._level,
            receipt_no=reply.receipt_no,
            detail=detail,
        )


def _read(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The answer, unless a gateway says no in it."""
    try:
        said = _REPLY.decode(body or b"{}")
        _refuse(said)
        return decoder.decode(body or b"{}")
    except msgspec.MsgspecError as error:
        raise AnswerNotUnderstood(
            f"the answer is not one of ours: {error}",
            what_zh="上级平台应答格式无法识别",
            hint="see docs/adapters/upper_platform",
        ) from error


def _refuse(said: _Reply) -> None:
    code = said.errCode if said.errCode is not None else said.code
    if code is None or str(code) in ("0", "200"):
        return
    words = (said.errMsg or said.message)[:120]
    if str(code) in NOT_LISTED:
        raise NotAllowed(
            f"the gateway answered {code}: {words}",
            what_zh=f"网关返回 {code}：{words}",
            hint="check requester, service code and key, and the authorisation list",
            hint_zh="请核对请求者标识、服务编码、密钥和授权名单",
        )
    raise AnswerNotUnderstood(f"the gateway answered {code}: {words}", what_zh=f"网关返回 {code}：{words}")
