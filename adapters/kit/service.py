"""A small HTTP service on a port of this machine, with fault switches: what a simulator of a system stands on.

class Simulator(Service):
    def answer(self, call: Call) -> tuple[int, object]:
        return 200, {"records": []}

with Simulator().start() as there:
    ...
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Service:
    """Answers requests until it is stopped; started again it listens on the same port.  One request at a time."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        #: Fault switches.  Answer so many requests by doing what they ask and cutting the line.
        self.lose_answers = 0
        #: Answer everything with this status instead of doing anything.
        self.status: int | None = None
        #: Think so long before each answer.
        self.slow_seconds = 0.0
        #: Every request that came, newest last.
        self.calls: list[Call] = []
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def answer(self, call: Call) -> tuple[int, object]:
        """What a request is answered with: status, and bytes or anything that JSON can hold."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Begin to listen."""
        self._server = _Server(("127.0.0.1", self.port), self._handler())
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self if self._server is not None else self.start()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    def _take(self, call: Call) -> tuple[int, bytes] | None:
        """Status and body of the answer; None when the line is to be cut."""
        with self._lock:
            self.calls.append(call)
            time.sleep(self.slow_seconds)
            if self.status is not None:
                return self.status, b"{}"
            status, said = self.answer(call)
            if self.lose_answers > 0:
                self.lose_answers -= 1
                return None
        return status, said if isinstance(said, bytes) else json.dumps(said, ensure_ascii=False).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            """HTTP/1.0: every answer closes its connection, so that a stopped service is really gone."""

            def _any(self) -> None:
                parts = urlsplit(self.path)
                call = Call(
                    method=self.command,
                    path=parts.path,
                    query=dict(parse_qsl(parts.query)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(int(self.headers.get("content-length", 0))),
                )
                answered = service._take(call)
                if answered is None:
                    self.connection.close()
                    return
                self.send_response(answered[0])
                self.send_header("content-type", "application/json; charset=utf-8")
                self.send_header("content-length", str(len(answered[1])))
                self.end_headers()
                self.wfile.write(answered[1])

            do_GET = do_POST = do_PUT = do_DELETE = _any

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A caller that was cut off is what was wanted."""
