"""A small identity provider (OpenID Connect) over HTTP: it keeps to the rules and says whom it is told to say."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "the-hub", "a-secret-of-the-provider"


class Provider:
    """Lets everybody in as `person`; `claims` win over what the token would say."""

    def __init__(self) -> None:
        self.person = ""
        self.claims: dict[str, Any] = {}
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.signing = self.key
        self._codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = provider.get(self.path)
                self._send(status, headers, body)

            def do_POST(self) -> None:
                held = self.rfile.read(int(self.headers["content-length"])).decode()
                status, body = provider.token(held, self.headers.get("authorization", ""))
                self._send(status, {}, body)

            def _send(self, status: int, headers: dict[str, str], body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "content-type": "application/json"}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def get(self, path: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        asked = urlsplit(path)
        if asked.path == "/.well-known/openid-configuration":
            at = {name: f"{self.issuer}/{name}" for name in ("authorize", "token", "keys")}
            return (
                200,
                {},
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": at["authorize"],
                    "token_endpoint": at["token"],
                    "jwks_uri": at["keys"],
                },
            )
        if asked.path == "/keys":
            return 200, {}, {"keys": [self.key.as_dict(private=False)]}
        if asked.path != "/authorize":
            return 404, {}, {}
        words = {name: values[0] for name, values in parse_qs(asked.query).items()}
        good = words.get("client_id") == CLIENT and words.get("code_challenge_method") == "S256" and words.get("nonce")
        if not good or words.get("response_type") != "code" or "openid" not in words.get("scope", ""):
            return 400, {}, {"error": "invalid_request"}
        code = secrets.token_urlsafe(16)
        self._codes[code] = words
        query = urlencode({"code": code, "state": words["state"]})
        return 302, {"location": f"{words['redirect_uri']}?{query}"}, {}

    def token(self, held: str, authorization: str) -> tuple[int, dict[str, Any]]:
        words = {name: values[0] for name, values in parse_qs(held).items()}
        asked = self._codes.pop(words.get("code", ""), None)
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(words.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or authorization != expected
            or challenge.decode().rstrip("=") != asked["code_challenge"]
            or words.get("redirect_uri") != asked["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "4711",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "preferred_username": self.person,
            **self.claims,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signing)
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": signed}
