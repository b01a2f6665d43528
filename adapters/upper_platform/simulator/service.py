"""The simulated centre's HTTP service: parcels through the gateway, receipts, and a door for whoever tests with it.

POST /parcels            a parcel (CloudEvent); answers with its verdict, or 202 when it judges later
POST /parcels/receipts   {"parcels": [id, …]}: verdicts
POST /gateway/secret     the sharing platform's short-lived secret
GET  /sim/counts  /sim/stored?dataset=&after=&limit=  /sim/arrivals?after=&limit=  /sim/faults  /sim/health
POST /sim/faults         change switches;  POST /sim/run  merge and judge now
POST /sim/reconcile      {"day": "2026-09-10"}: report that day into dn_data_reconciliation;
POST /sim/lose           {"dataset": …, "cd_ids": […]}: have these records no more
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from http.server import BaseHTTPRequestHandler
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from adapters.simulators.faults import Faults
from adapters.simulators.gateway import Gateway, NotSigned
from adapters.simulators.server import HttpServer
from adapters.upper_platform.simulator.centre import Centre
from standards.digest import sm3
from standards.parcel import AnswerLine, NotAParcel, from_event

_LARGEST = 256 * 1024 * 1024
_PAGE = 10_000


class Service:
    """A centre behind HTTP, on threads."""

    def __init__(
        self,
        centre: Centre,
        gateway: Gateway,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        level: str = "province",
        name: str = "省级监管数据中心（模拟）",
        judge_later: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.centre = centre
        self.gateway = gateway
        self.level = level
        self.name = name
        self.judge_later = judge_later
        self.sleep = sleep
        self._address = (host, port)
        self._server: HttpServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; the port stays the same over later stops and starts."""
        self._server = HttpServer(self._address, _Handler, self)
        self._address = (self._address[0], self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="centre")
        self._thread.start()

    def stop(self) -> None:
        """Nobody listens any more: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
            self._server = None
        if self._thread is not None:
            self._thread.join(10)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self._address[0]}:{self._address[1]}"

    @property
    def faults(self) -> Faults:
        """The switches."""
        return self.centre.faults

    def switch(self, **changes: Any) -> None:
        """Throw switches."""
        self.centre.faults = replace(self.centre.faults, **changes)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HttpServer

    def log_message(self, *_: Any) -> None:
        """Nothing: the arrivals are written down."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        centre = self.server.behind.centre
        limit = int(asked.get("limit", _PAGE))
        match parts.path:
            case "/sim/health":
                self._json(200, {"ok": True})
            case "/sim/counts":
                self._json(200, [asdict(c) | {"consistent": c.consistent} for c in centre.counts()])
            case "/sim/stored":
                # A page ends with its last key; the next begins behind it.
                after = (*asked.get("after", "").split("\t"), "", "")[:3]
                page = [asdict(s) for s in centre.stored(asked.get("dataset", ""), after, limit)]
                last = page[-1] if len(page) == limit else None
                behind = "\t".join((last["dataset"], last["cd_id"], last["revision"])) if last else ""
                self._json(200, {"stored": page, "next": behind})
            case "/sim/arrivals":
                self._json(200, {"arrivals": centre.arrivals(int(asked.get("after", 0)), limit)})
            case "/sim/faults":
                self._json(200, centre.faults.as_dict())
            case _:
                self._json(404, {"message": "nothing here"})

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > _LARGEST:
            self.close_connection = True
            self._json(413, {"message": "too large"})
            return
        body = self.rfile.read(length)
        path = urlsplit(self.path).path
        if path.startswith("/sim/"):
            self._control(path, body)
            return
        service = self.server.behind
        if service.faults.closed:
            self._hang_up()
            return
        if service.faults.slow:
            service.sleep(service.faults.slow)
        if service.centre.dice.falls(service.faults.failing):
            self._json(503, {"message": "simulated: not now"})
            return
        if path == "/gateway/secret":
            self._raw(200, service.gateway.refresh(body))
            return
        self._signed(path, body)

    def _control(self, path: str, body: bytes) -> None:
        service = self.server.behind
        if path == "/sim/faults":
            try:
                changes = msgspec.json.decode(body, type=dict[str, Any])
                service.centre.faults = Faults.of(service.faults.as_dict() | changes)
            except (ValueError, TypeError) as error:
                self._json(422, {"message": str(error)})
                return
            self._json(200, service.faults.as_dict())
        elif path == "/sim/run":
            self._json(200, {"moved": service.centre.run_once()})
        elif path in ("/sim/reconcile", "/sim/lose"):
            self._reconciling(path, body)
        else:
            self._json(404, {"message": "nothing here"})

    def _reconciling(self, path: str, body: bytes) -> None:
        centre = self.server.behind.centre
        try:
            said = msgspec.json.decode(body, type=dict[str, Any])
            if path == "/sim/lose":
                self._json(200, {"lost": centre.lose(said["dataset"], said["cd_ids"])})
            else:
                self._json(200, {"reports": centre.report(date.fromisoformat(said["day"]))})
        except (ValueError, TypeError, KeyError) as error:
            self._json(422, {"message": f"not understood: {error}"})

    def _signed(self, path: str, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            caller = self.server.behind.gateway.caller(headers)
        except NotSigned as error:
            # The sharing platform says no with status 200, provincial gateways with 401.
            status = 200 if "gjgxjhpt_rid" in headers else 401
            self._json(status, {"code": "-1", "message": str(error)})
            return
        digest = sm3(body).hex()
        if headers.get("x-body-sm3", digest) != digest:
            self._json(422, {"message": "the body is not what its digest says"})
        elif path == "/parcels":
            self._take(body, headers, caller, digest)
        elif path == "/parcels/receipts":
            self._receipts(body)
        else:
            self._json(404, {"message": "nothing here"})

    def _take(self, body: bytes, headers: dict[str, str], caller: str, digest: str) -> None:
        service = self.server.behind
        try:
            parcel = from_event(body, "", headers)
        except NotAParcel as error:
            self._json(422, {"message": str(error)[:200]})
            return
        if parcel.dataset not in service.centre.stores:
            self._json(422, {"message": f"no data set {parcel.dataset}"})
            return
        org = caller or parcel.origin
        lines = service.centre.take(parcel, org, judge=not service.judge_later)
        if service.centre.dice.falls(service.faults.lost_answer):
            self._hang_up()
            return
        reply = self._reply(str(parcel.id), "awaiting" if lines is None else "judged", lines or [])
        self._json(202 if lines is None else 200, reply | {"body_sm3": digest})

    def _receipts(self, body: bytes) -> None:
        try:
            asked = msgspec.json.decode(body, type=dict[str, list[str]]).get("parcels", [])
        except msgspec.MsgspecError as error:
            self._json(422, {"message": str(error)})
            return
        service = self.server.behind
        told = [self._reply(parcel, *service.centre.verdict_on(parcel)) for parcel in asked]
        self._json(200, {"receipts": told[::-1] if service.faults.out_of_order else told})

    def _reply(self, parcel: str, state: str, lines: list[AnswerLine]) -> dict[str, Any]:
        service = self.server.behind
        records = [
            {
                "cd_id": line.cd_id,
                "result": str(line.result),
                "code": line.code,
                "element": line.element,
                "message": line.message,
            }
            for line in lines
        ]
        return {
            "parcel_id": parcel,
            "receipt_no": f"SIM-{parcel[-12:]}",
            "state": state,
            "awaiting": state == "awaiting",
            "speaker": service.name,
            "level": service.level,
            "records": records,
        }

    def _json(self, status: int, content: Any) -> None:
        self._raw(status, msgspec.json.encode(content))

    def _raw(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        """Without a word."""
        self.close_connection = True
        self.connection.shutdown(SHUT_RDWR)
