"""How the gateways in front of upper platforms want requests signed (DOMAIN 6.2).

gjgxjhpt   the national data sharing and exchange platform: HMAC-SHA256 with a short-lived secret, which is fetched with
           the permanent app key and comes encrypted with it
x-tif      provincial gateways: SHA-256 over time, token and nonce

Neither covers the body, so a digest of our own goes with it (see `http.py`).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Literal, Protocol

import msgspec
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pydantic import Field

from adapters.base import AdapterSettings
from standards.clock import SHANGHAI, Clock
from standards.errors import AnswerNotUnderstood, NotAllowed

_BY_REFERENCE = r"^(env|file):"
#: A secret is fetched anew so long before it ends.
_EARLY = timedelta(seconds=60)
#: How long a secret is used whose end cannot be read.
_UNKNOWN_LIFE = timedelta(minutes=10)
#: Codes that mean: not on the authorisation list.
NOT_LISTED = frozenset({"-1", "E-106"})


class SharingSettings(AdapterSettings):
    """The national data sharing and exchange platform."""

    kind: Literal["gjgxjhpt"] = Field(description="国家数据共享交换平台.")
    sid: str = Field(min_length=1, description="Service code (gjgxjhpt_sid).")
    rid: str = Field(min_length=1, description="Identity of the requester (gjgxjhpt_rid).")
    app_key: str = Field(pattern=_BY_REFERENCE, description="Permanent app key, by reference: env:NAME or file:/path.")
    refresh_url: str = Field(pattern=r"^https?://", description="Where the short-lived secret is fetched.")


class TifSettings(AdapterSettings):
    """A provincial gateway of the x-tif family."""

    kind: Literal["x-tif"] = Field(description="省级接口网关 (x-tif).")
    paasid: str = Field(min_length=1, description="Identity of the caller (x-tif-paasid).")
    token: str = Field(pattern=_BY_REFERENCE, description="Token, by reference: env:NAME or file:/path.")
    service_id: str = Field("", description="Service (x-tif-serviceId), where the gateway asks for it.")


Gateway = Annotated[SharingSettings | TifSettings, Field(discriminator="kind")]


class Signer(Protocol):
    """Makes the headers of one request."""

    def headers(self) -> dict[str, str]:
        """Headers for a request that is sent now."""
        ...

    def refused(self) -> bool:
        """The gateway said no; True when another try with a fresh secret is worth it."""
        ...


class Unsigned:
    """No gateway in between."""

    def headers(self) -> dict[str, str]:
        """None."""
        return {}

    def refused(self) -> bool:
        """Nothing could be fetched anew."""
        return False


class TifSigner:
    """Signs for x-tif."""

    def __init__(self, settings: TifSettings, token: str, clock: Clock) -> None:
        self._settings = settings
        self._token = token
        self._clock = clock

    def headers(self) -> dict[str, str]:
        """With a new nonce each time."""
        timestamp = str(int(self._clock.now().timestamp()))
        nonce = secrets.token_hex(16)
        made = {
            "x-tif-paasid": self._settings.paasid,
            "x-tif-timestamp": timestamp,
            "x-tif-nonce": nonce,
            "x-tif-signature": tif_signature(timestamp, self._token, nonce),
        }
        return made | ({"x-tif-serviceId": self._settings.service_id} if self._settings.service_id else {})

    def refused(self) -> bool:
        """A token does not change by itself."""
        return False


@dataclass(slots=True)
class ShortSecret:
    """A caller's short-lived secret; one for all threads of this process, because a new one may void the one before."""

    text: str = ""
    until: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Secrets:
    """The short-lived secrets of this process, by who fetched them where."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, ...], ShortSecret] = {}
        self._lock = threading.Lock()

    def of(self, settings: SharingSettings, app_key: str) -> ShortSecret:
        """The one of a caller."""
        with self._lock:
            key = (settings.refresh_url, settings.rid, settings.sid, app_key)
            return self._held.setdefault(key, ShortSecret())


#: Each thread makes its own signer, and they must not void each other's secret.
_SECRETS = Secrets()


class SharingSigner:
    """Signs for the national sharing platform; keeps the short-lived secret until it ends or is refused."""

    def __init__(
        self,
        settings: SharingSettings,
        app_key: str,
        clock: Clock,
        post: Callable[[str, bytes], bytes],
        secrets_held: Secrets | None = None,
    ) -> None:
        self._settings = settings
        self._app_key = app_key
        self._clock = clock
        self._post = post
        self._secret = (_SECRETS if secrets_held is None else secrets_held).of(settings, app_key)
        #: What the last headers were signed with.
        self._used = ""

    def headers(self) -> dict[str, str]:
        """With the present time; fetches a secret when there is none or it ends."""
        now = self._clock.now()
        with self._secret.lock:
            if self._secret.until is None or now >= self._secret.until:
                self._fetch(now)
            self._used = self._secret.text
        return self._signed(self._used, now)

    def refused(self) -> bool:
        """The platform may have ended the secret early: forget it, unless another thread has a newer one already."""
        if not self._used:
            return False
        with self._secret.lock:
            if self._secret.text == self._used:
                self._secret.until = None
        self._used = ""
        return True

    def _signed(self, secret: str, now: datetime) -> dict[str, str]:
        rtime = str(int(now.timestamp() * 1000))
        sid, rid = self._settings.sid, self._settings.rid
        return {
            "gjgxjhpt_sid": sid,
            "gjgxjhpt_rid": rid,
            "gjgxjhpt_rtime": rtime,
            "gjgxjhpt_sign": sharing_sign(sid, rid, rtime, secret),
        }

    def _fetch(self, now: datetime) -> None:
        body = msgspec.json.encode(self._signed(self._app_key, now))
        try:
            answer = _REFRESHED.decode(self._post(self._settings.refresh_url, body))
        except msgspec.MsgspecError as error:
            raise AnswerNotUnderstood(
                "the answer with the short-lived secret cannot be read", what_zh="刷新密钥接口的应答无法识别"
            ) from error
        if str(answer.code) != "0" or answer.data is None:
            raise NotAllowed(
                f"no short-lived secret: the platform answered {answer.code}",
                what_zh=f"未取得临时密钥：平台返回 {answer.code}",
                hint="check service code, requester and app key, and that this address is on the authorisation list",
                hint_zh="请核对服务编码、请求者标识和应用密钥，并确认已列入授权名单",
            )
        try:
            self._secret.text = decrypt(self._app_key, answer.data.secret)
        except ValueError as error:
            raise NotAllowed(
                "the short-lived secret cannot be decrypted: the app key is not the right one",
                what_zh="临时密钥无法解密，应用密钥不正确",
            ) from error
        self._secret.until = _end_of(answer.data.secretEndTime, now)


class _Secret(msgspec.Struct):
    secret: str
    secretEndTime: str | int | None = None


class _Refreshed(msgspec.Struct):
    code: str | int
    message: str = ""
    data: _Secret | None = None


#: Made here: msgspec looks a type up at its first use, and crashes when two threads use it first at the same moment.
_REFRESHED = msgspec.json.Decoder(_Refreshed)


def _end_of(told: str | int | None, now: datetime) -> datetime:
    """When a secret ends: milliseconds, seconds or a time of day in China; the form is not documented."""
    text = str(told or "").strip()
    end = now + _UNKNOWN_LIFE
    if text.isdigit() and len(text) in (10, 13):
        end = datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), SHANGHAI)
    else:
        try:
            parsed = datetime.fromisoformat(text)
            end = parsed if parsed.tzinfo else parsed.replace(tzinfo=SHANGHAI)
        except ValueError:
            pass
    return max(end - _EARLY, now)


def sharing_sign(sid: str, rid: str, rtime: str, secret: str) -> str:
    """Base64(HMAC-SHA256(secret, sid + rid + rtime))."""
    return b64encode(hmac.digest(secret.encode(), f"{sid}{rid}{rtime}".encode(), "sha256")).decode("ascii")


def tif_signature(timestamp: str, token: str, nonce: str) -> str:
    """Hexadecimal SHA-256 of timestamp + token + nonce + timestamp."""
    return hashlib.sha256(f"{timestamp}{token}{nonce}{timestamp}".encode()).hexdigest()


def derived_key(app_key: str) -> bytes:
    """The AES key that Java's SHA1PRNG makes from a seed: the first 16 bytes of SHA1(SHA1(app key))."""
    return hashlib.sha1(hashlib.sha1(app_key.encode()).digest()).digest()[:16]  # noqa: S324 - the platform's way


def encrypt(app_key: str, text: str) -> str:
    """AES-128-ECB, PKCS5, Base64."""
    padder = padding.PKCS7(128).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = _cipher(app_key).encryptor()
    return b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")


def decrypt(app_key: str, text: str) -> str:
    """The other way.  Raises ValueError when the key is wrong."""
    decryptor = _cipher(app_key).decryptor()
    padded = decryptor.update(b64decode(text, validate=True)) + decryptor.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    return (unpadder.update(padded) + unpadder.finalize()).decode()


def _cipher(app_key: str) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(derived_key(app_key)), modes.ECB())  # noqa: S305 - the platform's way


def signer_of(
    gateway: Gateway | None, secret: Callable[[str], str], clock: Clock, post: Callable[[str, bytes], bytes]
) -> Signer:
    """What signs for a gateway; `post` fetches the short-lived secret of the sharing platform."""
    match gateway:
        case TifSettings() as tif:
            return TifSigner(tif, secret(tif.token), clock)
        case SharingSettings() as sharing:
            return SharingSigner(sharing, secret(sharing.app_key), clock, post)
    return Unsigned()


class SignedAnew(Mapping[str, str]):
    """Headers that are signed anew whenever they are read.

    A quick repeat inside the transport reads them again, so that it is no replay of an old nonce.
    """

    def __init__(self, plain: Mapping[str, str], signer: Signer) -> None:
        self._plain = plain
        self._signer = signer
        self._now: dict[str, str] = {}

    def __iter__(self) -> Iterator[str]:
        self._now = {**self._plain, **self._signer.headers()}
        return iter(self._now)

    def __getitem__(self, name: str) -> str:
        return self._now[name]

    def __len__(self) -> int:
        return len(self._plain) + 1
