"""The HTTP side of a simulated system.

GET/POST /<feed>…        the feed: pages of what it has, or what is handed to it
GET  /sim/counts         what each feed announced, sent, received
GET  /sim/faults         the switches;  POST /sim/faults {"slow": 1, …}  throws them
POST /sim/announce       {"feed": …, "count": …}: so many new records
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from adapters.simulators.server import HttpServer

_LARGEST = 64 * 1024 * 1024


class HangUp(Exception):
    """The caller gets no answer."""


class Refused(Exception):
    """The caller gets an error status."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Answers(Protocol):
    """What stands behind the service."""

    def answer(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> tuple[bytes, str]:
        """The answer and its content type.  Raises HangUp, Refused."""
        ...

    def control(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """The door for whoever tests; raises KeyError for what is not there."""
        ...


class Service:
    """Listens on a port that stays the same over stops and starts."""

    def __init__(self, behind: Answers, port: int = 0) -> None:
        self._behind = behind
        self._address = ("127.0.0.1", port)
        self._server: HttpServer | None = None

    def start(self) -> None:
        """Listen."""
        self._server = HttpServer(self._address, _Handler, self._behind)
        self._address = ("127.0.0.1", self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="simulator").start()

    def stop(self) -> None:
        """Nobody listens: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
            self._server = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HttpServer

    def do_GET(self) -> None:
        """Answer."""
        self._respond("GET")

    def do_POST(self) -> None:
        """Answer."""
        self._respond("POST")

    def do_PUT(self) -> None:
        """Answer."""
        self._respond("PUT")

    def _respond(self, method: str) -> None:
        size = min(int(self.headers.get("content-length") or 0), _LARGEST)
        body = self.rfile.read(size)
        parts = urlsplit(self.path)
        try:
            if parts.path.startswith("/sim/"):
                told = self.server.behind.control(method, parts.path[5:], json.loads(body or b"{}"))
                said, kind = json.dumps(told, ensure_ascii=False, default=str).encode(), "application/json"
            else:
                query = dict(parse_qsl(parts.query))
                headers = {name.lower(): value for name, value in self.headers.items()}
                said, kind = self.server.behind.answer(method, parts.path, query, headers, body)
        except HangUp:
            self.close_connection = True
            return
        except Refused as error:
            self._send(error.status, b"", "text/plain")
            return
        except KeyError as error:
            self._send(404, str(error).encode(), "text/plain")
            return
        self._send(200, said, kind)

    def _send(self, status: int, said: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""
