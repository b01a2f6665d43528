"""What stands before a hub at a site: a proxy that ends TLS and says for whom it asks."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

#: Where callers are said to come from: another machine.
ELSEWHERE = "10.1.2.3"


class Front:
    """Passes GET on to `address`, as a site's proxy does."""

    def __init__(self, address: str, certificate: Path, key: Path) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(address))
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def _handler(address: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            passed = {name: value for name in ("Authorization", "Accept") if (value := self.headers.get(name))}
            asked = Request(address + self.path, headers={**passed, "X-Forwarded-For": ELSEWHERE})
            try:
                with urlopen(asked, timeout=20) as answer:
                    self._answer(answer.status, answer.headers["content-type"], answer.read())
            except HTTPError as error:
                self._answer(error.code, error.headers["content-type"], error.read())

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
