"""`/soap`: the same as the HTTP interface, for callers that speak SOAP."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from adapters.soap import envelope
from adapters.soap.contract import wsdl
from adapters.soap.envelope import BadRequest
from hub.api.access import Doorkeeper, TheHub, may_use
from hub.api.mailbox import mailboxes
from hub.api.parcels import neighbours
from hub.api.problems import document
from hub.bootstrap import Hub
from hub.ledger.credentials import Holder
from standards.errors import HubError, PayloadTooLarge, UnknownName
from standards.parcel import AnswerLine, Result, to_event
from standards.ports import HandOver, ReceiptView
from standards.states import word
from standards.tracing import accept
from standards.xml import TREE_LIMIT

router = APIRouter(tags=["SOAP"])

_XML = "text/xml; charset=utf-8"
_STATES = ("judged", "settled")


@router.get("/soap", summary="接口约定 the contract (WSDL 1.1)", response_class=Response)
def contract(hub: TheHub, request: Request) -> Response:
    """Types, operations and the declared fault; the address is `hub.public_url`, else the one that was called."""
    base = hub.settings.hub.public_url or str(request.base_url)
    datasets = hub.generations.current().standard.ids()
    return Response(wsdl(f"{base.rstrip('/')}/soap", datasets), media_type=_XML)


@router.post("/soap", summary="调用 SOAP 服务 call the service", response_class=Response)
async def call(request: Request, hub: TheHub) -> Response:
    """An envelope of the contract; every refusal is the declared fault `HubFault` with status 500."""
    data = bytearray()
    version = envelope.SOAP_11
    try:
        async for piece in request.stream():
            data += piece
            if len(data) > TREE_LIMIT:
                raise PayloadTooLarge(
                    f"more than {TREE_LIMIT >> 20} MB in one envelope", what_zh=f"SOAP 报文超过 {TREE_LIMIT >> 20} MB"
                )
        version = envelope.version_of(bytes(data))
        asked = await run_in_threadpool(envelope.read, bytes(data))
        work = _Call(hub, request, asked)
        name, value = await work.run()
        body = envelope.answer(asked.version, asked.operation, name, value)
        return Response(body, media_type=envelope.media_type(asked.version))
    except HubError as error:
        body = envelope.fault(version, document(error))
        return Response(body, 500, media_type=envelope.media_type(version))


class _Call:
    """One call under way."""

    def __init__(self, hub: Hub, request: Request, asked: envelope.Request) -> None:
        self.hub = hub
        self.http = request
        self.asked = asked

    async def run(self) -> tuple[str, dict[str, Any]]:
        """Name and value of what is answered."""
        who = await run_in_threadpool(self._caller)
        match self.asked.operation:
            case "submit":
                lines = (
                    json.dumps({"@place": f"/submit/record[{n}]", **record}, ensure_ascii=False) + "\n"
                    for n, record in enumerate(self.asked.records(), 1)
                )
                return "receipt", await self._submit(who, "".join(lines).encode(), "application/x-ndjson")
            case "submitXml":
                return "receipt", await self._submit(who, self.asked.text("content").encode(), "")
            case "getReceipt":
                return "receipt", await run_in_threadpool(self._receipt, who, self.asked.text("receiptNo"), False)
            case "fetch":
                return "letters", await run_in_threadpool(self._fetch, who)
            case "confirm":
                return "state", await run_in_threadpool(self._confirm, who)
            case _:
                return "verdict", await self._parcel(who)

    def _caller(self) -> Holder:
        keeper: Doorkeeper = self.http.app.state.doorkeeper
        key = self.asked.text("key").strip() or self.asked.token
        return keeper.holder(f"Bearer {key}" if key else self.http.headers.get("authorization"))

    async def _wait(self, receipt_no: str, seconds: int) -> None:
        if seconds > 0:
            longest = self.hub.settings.api.max_wait.total_seconds()
            await self.http.app.state.waiting.until(receipt_no, _STATES, min(seconds, longest))

    async def _submit(self, who: Holder, data: bytes, content_type: str) -> dict[str, Any]:
        connection = self.asked.text("connection").strip()
        await run_in_threadpool(may_use, self.hub, who, connection)
        hand_over = HandOver(
            connection=connection,
            external_id=self.asked.text("id").strip()[:200],
            content_type=content_type,
            traceparent=accept(self.http.headers.get("traceparent")),
            actor=who.id,
        )
        kept = await run_in_threadpool(self.hub.intake.receive, hand_over, [data])
        await self._wait(kept.receipt_no, self.asked.number("waitSeconds"))
        return await run_in_threadpool(self._receipt, who, kept.receipt_no, kept.repeated)

    def _receipt(self, who: Holder, receipt_no: str, repeated: bool) -> dict[str, Any]:
        view = self.hub.receipts.receipt(receipt_no)
        if view is None or (not who.is_operator and view.document["party"] != who.party):
            raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有编号为 {receipt_no} 的回执")
        return _receipt(view, repeated)

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
        receipt_no = await run_in_threadpool(face.take, self.asked.text("event").encode(), {}, who.party, who.id)
        await self._wait(receipt_no, self.asked.number("waitSeconds"))
        said = await run_in_threadpool(face.verdict, receipt_no)
        lines = [{"cdId": line.pop("cd_id"), **line} for line in said.get("records", [])]
        return {"receiptNo": receipt_no, "awaiting": said["awaiting"], "level": said["level"], "line": lines}


def _receipt(view: ReceiptView, repeated: bool) -> dict[str, Any]:
    d = view.document
    counts = {name: getattr(view, name) for name in ("read", "accepted", "rejected", "held", "duplicate")}
    findings = [_finding(one, record["row"]) for record in d["records"] for one in record["findings"]]
    findings += [_finding(note, 0) for note in d["notes"]]
    if d["problem"]:
        words = d["problem"]
        about = {"place": "", "element": "", "code": words["code"], "severity": "error", "value": ""}
        findings.insert(0, _finding({**about, "text": words["what_zh"], "hint": words["hint_zh"]}, 0))
    return {
        "receiptNo": view.receipt_no,
        "state": view.state,
        "stateZh": d["state_zh"],
        "repeated": repeated,
        **counts,
        "findings": findings,
    }


def _finding(one: dict[str, Any], row: int) -> dict[str, Any]:
    return {
        "row": row,
        **{name: one[name] or "" for name in ("place", "element", "code", "severity", "value", "text", "hint")},
    }
