"""A receiver of parcels over HTTP, with switches: what a destination of `rest_push` delivers to in tests."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Said = dict[str, Any]


@dataclass
class Receiver:
    """Stores each (cd_id, revision) once, ignores older revisions, and remembers every arrival."""

    #: What it answers to everything, instead of storing: a status, or 0 to cut the line.
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    #: Store, then cut the line without an answer; so many times.
    lose_answers: int = 0
    #: Says of a record why it is refused, or None.
    refuse: Callable[[dict[str, Any]], Said | None] = lambda _record: None
    #: Says of a whole parcel that it is refused (HTTP 422), without saying why.
    refuse_all: Callable[[dict[str, Any]], bool] = lambda _event: False
    #: Takes parcels and says that the verdict comes later; it never comes.
    silent: bool = False
    level: str = "province"
    #: Called before anything is done with a parcel.
    before: Callable[[dict[str, Any]], None] = lambda _event: None
    stored: dict[str, int] = field(default_factory=dict)
    history: list[tuple[str, int, str]] = field(default_factory=list)
    arrivals: Counter[tuple[str, int]] = field(default_factory=Counter)
    parcels: list[str] = field(default_factory=list)
    contents: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)
    requests: int = 0
    traces: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}/parcels"

    def start(self) -> Receiver:
        """Begin to listen on a free port."""
        self._server = _Server(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def take(self, event: dict[str, Any]) -> list[Said]:
        """Store a parcel; what is refused of it."""
        said = []
        with self._lock:
            self.parcels.append(event["id"])
            for record in event["data"]["records"]:
                key, revision = record["cd_id"], record["revision"]
                self.arrivals[key, revision] += 1
                refused = self.refuse(record)
                if refused is not None:
                    said.append({"cd_id": key, "result": "refused", **refused})
                elif revision <= self.stored.get(key, 0):
                    said.append({"cd_id": key, "result": "stale" if revision < self.stored[key] else "duplicate"})
                else:
                    self.stored[key] = revision
                    self.history.append((key, revision, record["operation"]))
                    self.contents[key, revision] = {**record["common"], **record["content"]}
        return said

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests += 1
                receiver.traces.append(self.headers.get("traceparent", ""))
                if receiver.status == 0:
                    self.connection.close()
                    return
                if receiver.status is not None:
                    self._answer(receiver.status, b"{}")
                    return
                event = json.loads(body)
                receiver.before(event)
                if receiver.refuse_all(event):
                    self._answer(422, b"{}")
                    return
                said = receiver.take(event)
                if receiver.lose_answers > 0:
                    receiver.lose_answers -= 1
                    self.close_connection = True
                    self.connection.close()
                    return
                if receiver.silent:
                    self._answer(202, b'{"awaiting": true}')
                    return
                self._answer(200, json.dumps({"records": said, "level": receiver.level, "speaker": "centre"}).encode())

            def do_GET(self) -> None:
                self._answer(200, b"{}")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A caller that was cut off is what we wanted."""
