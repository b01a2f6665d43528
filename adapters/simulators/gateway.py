"""The gateway in front of a simulated receiver: checks signatures as the real ones do (DOMAIN 6.2)."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from adapters.signing import encrypt, sharing_sign, tif_signature
from standards.clock import Clock

#: Clock skew that is tolerated; what the real gateways tolerate is not known for sure (DOMAIN 6.2, b).
SKEW = timedelta(seconds=180)


class NotSigned(Exception):
    """The gateway says no; the text says why."""


@dataclass(slots=True)
class Gateway:
    """Who may call.  Without any caller everybody may."""

    clock: Clock
    #: paasid -> token
    tif: Mapping[str, str] = field(default_factory=dict)
    #: (rid, sid) -> app key
    sharing: Mapping[tuple[str, str], str] = field(default_factory=dict)
    secret_life: timedelta = timedelta(minutes=30)
    _secrets: dict[tuple[str, str], tuple[str, datetime]] = field(default_factory=dict)
    _nonces: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def caller(self, headers: Mapping[str, str]) -> str:
        """Who signed the request.  Raises NotSigned.  Header names are in lower case."""
        with self._lock:
            return self._caller(headers)

    def _caller(self, headers: Mapping[str, str]) -> str:
        if not self.tif and not self.sharing:
            return ""
        if "x-tif-paasid" in headers:
            return self._tif(headers)
        if "gjgxjhpt_rid" in headers:
            return self._sharing(headers)
        raise NotSigned("the request is not signed")

    def _tif(self, headers: Mapping[str, str]) -> str:
        paasid, timestamp = headers["x-tif-paasid"], headers.get("x-tif-timestamp", "")
        nonce, signature = headers.get("x-tif-nonce", ""), headers.get("x-tif-signature", "")
        token = self.tif.get(paasid)
        if token is None or not hmac.compare_digest(tif_signature(timestamp, token, nonce), signature):
            raise NotSigned("the signature is wrong")
        self._timely(timestamp, 1)
        now = self.clock.now()
        self._nonces = {n: at for n, at in self._nonces.items() if now - at <= 2 * SKEW}
        if nonce in self._nonces:
            raise NotSigned("the nonce was used before")
        self._nonces[nonce] = now
        return paasid

    def _sharing(self, headers: Mapping[str, str]) -> str:
        caller = (headers["gjgxjhpt_rid"], headers.get("gjgxjhpt_sid", ""))
        secret, until = self._secrets.get(caller, ("", datetime.min.replace(tzinfo=self.clock.now().tzinfo)))
        if self.clock.now() >= until:
            raise NotSigned("the secret has ended")
        self._check_sharing(headers, secret)
        return caller[0]

    def _check_sharing(self, headers: Mapping[str, str], secret: str) -> None:
        rtime = headers.get("gjgxjhpt_rtime", "")
        right = sharing_sign(headers.get("gjgxjhpt_sid", ""), headers.get("gjgxjhpt_rid", ""), rtime, secret)
        if not hmac.compare_digest(right, headers.get("gjgxjhpt_sign", "")):
            raise NotSigned("the signature is wrong")
        self._timely(rtime, 1000)

    def _timely(self, told: str, units: int) -> None:
        if not told.isdigit() or abs(int(told) / units - self.clock.now().timestamp()) > SKEW.total_seconds():
            raise NotSigned("the time is not now")

    def refresh(self, body: bytes) -> bytes:
        """The endpoint where a short-lived secret is fetched."""
        try:
            asked = msgspec.json.decode(body, type=dict[str, str])
            caller = (asked["gjgxjhpt_rid"], asked["gjgxjhpt_sid"])
            app_key = self.sharing[caller]
            self._check_sharing(asked, app_key)
        except (msgspec.MsgspecError, KeyError, NotSigned):
            return b'{"code": "-1", "message": "not on the authorisation list", "data": null}'
        secret = secrets.token_hex(16)
        until = self.clock.now() + self.secret_life
        self._secrets[caller] = (secret, until)
        data = {"secret": encrypt(app_key, secret), "secretEndTime": str(int(until.timestamp() * 1000))}
        return msgspec.json.encode({"code": "0", "message": "success", "data": data})

    def end_secrets(self) -> None:
        """As when the platform restarts: every secret is void before its time."""
        self._secrets.clear()
