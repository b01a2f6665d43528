"""`/soap`: the same as the HTTP interface, for callers that speak SOAP."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID

import structlog
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from adapters.formats.parcel import MAX_BYTES
from adapters.soap import envelope
from adapters.soap.contract import wsdl
from adapters.soap.incoming import Incoming
from adapters.soap.message import SOAP_11, Message
from adapters.soap.refusal import BadRequest, see_wsdl
from hub.api.access import Doorkeeper, TheHub, demand, may_use, noted
from hub.api.bodies import beginning, flow
from hub.api.mailbox import mailboxes
from hub.api.parcels import neighbours
from hub.api.problems import WrongKey
from hub.bootstrap import Hub
from hub.ledger.credentials import Holder
from standards.errors import HubError, PayloadTooLarge, UnknownName, problem_document
from standards.parcel import AnswerLine, Result, to_event
from standards.ports import HandOver, ReceiptView
from standards.rights import Right
from standards.states import word
from standards.tracing import incoming

log = structlog.get_logger()

router = APIRouter(tags=["SOAP"])

T = TypeVar("T")

_XML = "text/xml; charset=utf-8"
_STATES = ("judged", "settled")
#: What each operation needs, as its twin in the other interface does.
_RIGHTS = {
    "submit": Right.HAND_OVER,
    "submitXml": Right.HAND_OVER,
    "sendParcel": Right.HAND_OVER,
    "getReceipt": Right.SEE,
    "fetch": Right.UNMASK,
    "confirm": Right.HAND_OVER,
}
#: So much of a message is read before its key is looked at, and no more without one.
_FIRST = 1 << 20
#: Characters of a sender's own id, as at the other door.
_ID = 200


@router.get("/soap", summary="接口约定 the contract (WSDL 1.1)", response_class=Response)
def contract(hub: TheHub, request: Request) -> Response:
    """Types, operations and the declared fault; the address is `hub.public_url`, else the one that was called."""
    base = hub.settings.hub.public_url or str(request.base_url)
    standard = hub.generations.current().standard
    titles = {name: standard.dataset(name).title for name in standard.ids()}
    return Response(wsdl(f"{base.rstrip('/')}/soap", titles), media_type=_XML)


@router.post(
    "/soap",
    summary="调用 SOAP 服务 call the service",
    response_class=Response,
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/xml": {}, "application/soap+xml": {}}},
        "x-caller": "With a key, in the message or the header.",
    },
    responses={
        200: {"content": {"text/xml": {}}, "description": "应答 the answer of the operation"},
        500: {"content": {"text/xml": {}}, "description": "约定的错误 the declared fault `HubFault`"},
    },
)
async def call(request: Request, hub: TheHub) -> Response:
    """An envelope of the contract (`GET /soap?wsdl`); every refusal is the declared fault `HubFault`, status 500."""
    work = _Call(hub, request)
    try:
        name, value = await work.run()
        body = envelope.answer(work.version, work.asked.operation, name, value)
        return Response(body, media_type=envelope.media_type(work.version))
    except ClientDisconnect:
        log.info("the sender went away half-way", action="sender_gone", path="/soap")
        return Response(status_code=499)
    except HubError as error:
        problem = problem_document(error)
    except Exception as error:
        log.error("a request stumbled", action="request_error", path="/soap", exc_info=error)
        problem = problem_document(HubError("internal error", what_zh="内部错误，已记录"))
    return Response(envelope.fault(work.version, problem), 500, media_type=envelope.media_type(work.version))


class _Call:
    """One call under way."""

    def __init__(self, hub: Hub, request: Request) -> None:
        self.hub = hub
        self.http = request
        self.asked = Message()
        self.version = SOAP_11
        self._incoming: Incoming | None = None
        self._stream = _limited(request.stream(), hub.settings.api.max_body_mb)
        self._whole = False

    async def run(self) -> tuple[str, dict[str, Any]]:
        """Name and value of what is answered."""
        await self._begin()
        who = await run_in_threadpool(self._caller)
        right = _RIGHTS[self.asked.operation]
        demand(who, right, regional=False)
        await run_in_threadpool(noted, self.http, who, right, keys=False)
        match self.asked.operation:
            case "submit":
                return "receipt", await self._submit(who, "application/x-ndjson")
            case "submitXml":
                return "receipt", await self._submit(who, "")
            case "sendParcel":
                return "verdict", await self._parcel(who)
        await self._take(b"".join)
        match self.asked.operation:
            case "getReceipt":
                return "receipt", await run_in_threadpool(self._receipt, who, self.asked.text("receiptNo"), False)
            case "fetch":
                return "letters", await run_in_threadpool(self._fetch, who)
            case _:
                return "state", await run_in_threadpool(self._confirm, who)

    async def _begin(self) -> None:
        """Read so much of the message that it shows who calls what."""
        first, self._whole = await beginning(self._stream, _FIRST)
        self.version = envelope.version_of(first)
        content_type = self.http.headers.get("content-type", "")
        self._incoming = await run_in_threadpool(Incoming, first, whole=self._whole, content_type=content_type)
        self.asked = self._incoming.message
        self.version = self.asked.version

    async def _take(self, work: Callable[[Iterator[bytes]], T]) -> T:
        """What `work` makes of the records or the long text, and the message read to its end."""
        assert self._incoming is not None
        incoming = self._incoming
        if self._whole:
            return await run_in_threadpool(work, incoming.payload())
        return await flow(self._stream, lambda rest: work(incoming.payload(rest)))

    def _caller(self) -> Holder:
        keeper: Doorkeeper = self.http.app.state.doorkeeper
        if key := self.asked.text("key").strip():
            return keeper.holder(f"Bearer {key}")
        if not self.asked.token:
            return keeper.holder(self.http.headers.get("authorization"))
        if self.asked.token_kind == "PasswordDigest":  # noqa: S105 - a kind of password
            raise WrongKey(
                "the UsernameToken holds a digest",
                what_zh="UsernameToken 中是密码摘要（PasswordDigest）",
                hint="send the key as PasswordText",
                hint_zh="请以 PasswordText 方式发送密钥",
            )
        who = keeper.holder(f"Bearer {self.asked.token}")
        if self.asked.username not in ("", who.id, who.party or "operator"):
            raise WrongKey(
                "the key is not that of the user who is named",
                what_zh="UsernameToken 中的用户名与密钥不符",
                hint="the username is the name of the party or the id of the key",
                hint_zh="用户名填接入方名称或密钥编号",
            )
        return who

    async def _wait(self, receipt_no: str) -> None:
        seconds = self.asked.number("waitSeconds")
        if seconds > 0:
            longest = self.hub.settings.api.max_wait.total_seconds()
            await self.http.app.state.waiting.until(receipt_no, _STATES, min(seconds, longest))

    async def _submit(self, who: Holder, content_type: str) -> dict[str, Any]:
        connection = self.asked.text("connection").strip()
        mark = await run_in_threadpool(self._may_submit, who, connection)
        external_id = self.asked.text("id").strip()
        if len(external_id) > _ID:
            raise BadRequest(f"an id of more than {_ID} characters", what_zh=f"报送编号 id 超过 {_ID} 个字符")
        hand_over = HandOver(
            connection=connection,
            external_id=external_id,
            content_type=content_type,
            traceparent=incoming(self.http.headers.get("traceparent")),
            actor=who.id,
        )
        kept = await self._take(lambda pieces: self.hub.intake.receive(hand_over, chain(mark, pieces)))
        await self._wait(kept.receipt_no)
        return await run_in_threadpool(self._receipt, who, kept.receipt_no, kept.repeated)

    def _may_submit(self, who: Holder, connection: str) -> list[bytes]:
        """Raises unless the caller may hand this over; gives the BOM where the connection is set to another encoding.

        What we hand on is UTF-8, whatever the mapping's files are otherwise written in.
        """
        if not connection:
            raise see_wsdl("the connection is not named", "没有写接入名称 connection")
        may_use(self.hub, who, connection)
        generation = self.hub.generations.current()
        dataset, said = generation.dataset_of(connection), self.asked.text("dataset").strip()
        if said and said != dataset:
            raise BadRequest(
                f"the connection {connection} takes {dataset}, not {said[:100]}",
                what_zh=f"接入 {connection} 的数据集是 {dataset}，不是 {said[:100]}",
                hint="use the connection of this data set, or leave 'dataset' out",
                hint_zh="请改用该数据集的接入，或去掉 dataset",
            )
        read = {**generation.file_of(connection)[0].read, **generation.connection(connection).read}
        return [] if read.get("encoding", "auto") in ("auto", "utf-8") else [BOM_UTF8]

    def _receipt(self, who: Holder, receipt_no: str, repeated: bool) -> dict[str, Any]:
        after = max(0, self.asked.number("after"))
        view = self.hub.receipts.receipt(receipt_no.strip(), after=after)
        if view is None or (not who.is_operator and view.document["party"] != who.party):
            raise UnknownName(f"no receipt {receipt_no[:100]}", what_zh=f"没有编号为 {receipt_no[:100]} 的回执")
        return _receipt(view, repeated, first=after == 0)

    def _fetch(self, who: Holder) -> dict[str, Any]:
        letters = mailboxes(self.hub).waiting(who.party, max(1, min(50, self.asked.number("limit", 10))))
        return {
            "letter": [
                {
                    "parcel": letter.facts["parcel"],
                    "dataset": letter.facts["dataset"],
                    "batch": letter.facts["batch"],
                    "count": letter.facts["count"],
                    "dueAt": letter.facts["due_at"],
                    "event": to_event(letter.parcel).decode(),
                }
                for letter in letters
            ]
        }

    def _confirm(self, who: Holder) -> dict[str, Any]:
        try:
            parcel = UUID(self.asked.text("parcel").strip())
            lines = [
                AnswerLine(
                    cd_id=line["cdId"],
                    result=Result(line["result"]),
                    code=line.get("code", ""),
                    element=line.get("element", ""),
                    message=line.get("message", ""),
                )
                for line in self.asked.children("line")
            ]
        except ValueError as error:
            raise BadRequest(str(error), what_zh=f"参数无效：{error}") from error
        state = mailboxes(self.hub).confirm(who.party, parcel, lines)
        return {"parcel": str(parcel), "state": state, "stateZh": word(state)}

    async def _parcel(self, who: Holder) -> dict[str, Any]:
        face = neighbours(self.hub)
        receipt_no = await self._take(lambda pieces: face.take(_joined(pieces), {}, who.party, who.id))
        await self._wait(receipt_no)
        said = await run_in_threadpool(face.verdict, receipt_no)
        lines = [{"cdId": line.pop("cd_id"), **line} for line in said.get("records", [])]
        return {"receiptNo": receipt_no, "awaiting": said["awaiting"], "level": said["level"], "line": lines}


async def _limited(stream: AsyncIterator[bytes], megabytes: int) -> AsyncIterator[bytes]:
    """The same pieces.  Raises PayloadTooLarge when there are more than the door takes."""
    total = 0
    async for piece in stream:
        total += len(piece)
        if total > megabytes << 20:
            raise PayloadTooLarge(
                f"more than {megabytes} MB in one message",
                what_zh=f"SOAP 报文超过 {megabytes} MB",
                hint="split it",
                hint_zh="请分批报送",
            )
        yield piece


def _joined(pieces: Iterable[bytes]) -> bytes:
    """A parcel as a whole."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) > MAX_BYTES:
            raise PayloadTooLarge("too large for a parcel", what_zh="交换包过大")
    return bytes(held)


def _receipt(view: ReceiptView, repeated: bool, *, first: bool) -> dict[str, Any]:
    d = view.document
    counts = {name: getattr(view, name) for name in ("read", "accepted", "rejected", "held", "duplicate")}
    findings = [_finding(one, record["row"]) for record in d["records"] for one in record["findings"]]
    if first:
        findings += [_finding(note, 0) for note in d["notes"]]
    if first and d["problem"]:
        words = d["problem"]
        about = {"place": "", "element": "", "code": words["code"], "severity": "error", "value": ""}
        findings.insert(0, _finding({**about, "text": words["what_zh"], "hint": words["hint_zh"]}, 0))
    return {
        "receiptNo": view.receipt_no,
        "state": view.state,
        "stateZh": d["state_zh"],
        "repeated": repeated,
        **counts,
        **({"next": d["next"]} if "next" in d else {}),
        "findings": findings,
    }


def _finding(one: dict[str, Any], row: int) -> dict[str, Any]:
    return {
        "row": row,
        **{name: one[name] or "" for name in ("place", "element", "code", "severity", "value", "text", "hint")},
    }
