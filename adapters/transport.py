"""HTTP to the outside: one client, quick retries for what passes by itself, foreign errors in our names.

Quick retries live here and nowhere else: seconds, a few times, only where nothing can have arrived or the receiver
knows a repeat.  Patience for hours is the dispatcher's (hub.dispatch.retry).
"""

from __future__ import annotations

import email.utils
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import httpx2
from pydantic import Field, PositiveFloat
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from adapters.base import AdapterSettings
from standards.errors import (
    AnswerNotUnderstood,
    BadSetup,
    NotAllowed,
    ReceiverRefused,
    SystemBusy,
    SystemUnreachable,
    Temporary,
)
from standards.tracing import outgoing

T = TypeVar("T")

_GATEWAY = (502, 504)
_NOT_NOW = (429, 503)


class HttpSettings(AdapterSettings):
    """What every HTTP caller can be told."""

    url: str = Field(
        pattern=r"^https?://", description="Address of the service.", examples=["https://jh.example.gov.cn/parcels"]
    )
    connect_seconds: PositiveFloat = Field(10, description="Longest wait for a connection.")
    answer_seconds: PositiveFloat = Field(60, description="Longest wait for an answer.")
    quick_tries: int = Field(3, ge=1, le=10, description="Attempts within one delivery when no connection comes about.")
    ca_file: str = Field("", description="Certificates to trust besides the machine's own.")
    old_tls: bool = Field(False, description="Allow old ciphers of old government servers.")
    key: str = Field("", pattern=r"^$|^(env|file):", description="Bearer key, by reference: env:NAME or file:/path.")


class HttpTransport:
    """A client for one service; not shared between threads."""

    def __init__(
        self,
        settings: HttpSettings,
        *,
        key: str = "",
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._settings = settings
        headers = {"authorization": f"Bearer {key}"} if key else {}
        verify: ssl.SSLContext | bool = True
        if settings.ca_file or settings.old_tls:
            verify = _context(settings)
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(settings.answer_seconds, connect=settings.connect_seconds),
            headers=headers,
            verify=verify,
            transport=transport,
            follow_redirects=False,
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> httpx2.Response:
        """Send a request; the answer has status 2xx.

        `repeatable`: the receiver knows a repeat, so a lost answer may be asked for again at once.
        Raises SystemUnreachable, SystemBusy, Temporary, ReceiverRefused, NotAllowed, BadSetup.
        """

        def once() -> httpx2.Response:
            try:
                response = self._client.request(method, url, content=content, headers={**outgoing(), **(headers or {})})
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
                raise _unreachable(url, error, lost=False) from error
            except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
                raise BadSetup(f"not an address: {url}", what_zh=f"地址无效：{url}") from error
            except httpx2.TransportError as error:
                raise _unreachable(url, error, lost=content is not None) from error
            refuse_status(response)
            return response

        return self.quickly(once, repeatable=repeatable)

    def status_of(self, url: str) -> int:
        """The status a GET is answered with, whatever it is.  Raises SystemUnreachable when nothing answers."""
        try:
            return self._client.get(url).status_code
        except httpx2.TransportError as error:
            raise _unreachable(url, error, lost=False) from error

    def quickly(self, call: Callable[[], T], *, repeatable: bool) -> T:
        """Run a call a few times while no connection comes about."""

        def worth_it(error: BaseException) -> bool:
            return isinstance(error, SystemUnreachable) and (repeatable or not error.answer_lost)

        retrying = Retrying(
            stop=stop_after_attempt(self._settings.quick_tries),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            retry=retry_if_exception(worth_it),
            reraise=True,
        )
        return retrying(call)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


def _context(settings: HttpSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca_file or None)
    if settings.old_tls:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
    return context


def _unreachable(url: str, error: Exception, *, lost: bool) -> SystemUnreachable:
    host = url.split("/")[2] if "//" in url else url
    what = "the answer was lost" if lost else "no connection"
    return SystemUnreachable(
        f"{host}: {what} ({type(error).__name__})",
        what_zh=f"{host}：{'已发送但未收到应答' if lost else '无法建立连接'}（{type(error).__name__}）",
        answer_lost=lost,
    )


def refuse_status(response: httpx2.Response) -> None:
    """Raise for a status that is not 2xx, by who must act."""
    status = response.status_code
    asked = ("if-none-match", "if-modified-since")
    if status < 300 or (status == 304 and any(name in response.request.headers for name in asked)):
        return
    host = response.request.url.host
    said = f"{host} answered {status}"
    said_zh = f"{host} 返回状态码 {status}"
    after = retry_after(response.headers.get("retry-after"))
    if status in _NOT_NOW:
        raise SystemBusy(said, what_zh=said_zh, retry_after=after)
    if status in _GATEWAY:
        # The gateway cannot say whether the service behind it has acted.
        lost = response.request.method != "GET"
        raise SystemUnreachable(said, what_zh=said_zh, retry_after=after, answer_lost=lost)
    if status >= 500:
        raise Temporary(said, what_zh=said_zh, retry_after=after)
    if status in (401, 403):
        raise NotAllowed(said, what_zh=said_zh, hint="check the key and the rights", hint_zh="请检查密钥和权限")
    if status in (404, 405, 410):
        raise BadSetup(said, what_zh=said_zh, hint="check the address", hint_zh="请检查地址")
    if status < 400:
        raise AnswerNotUnderstood(said, what_zh=said_zh, hint="redirects are not followed", hint_zh="不跟随重定向")
    raise ReceiverRefused(said, what_zh=said_zh, params={"status": str(status)})


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110 10.2.3); None when there is none that can be read."""
    if header is None:
        return None
    if header.strip().isdigit():
        return min(float(header.strip()), 86_400)
    try:
        moment = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - (now or datetime.now(UTC))).total_seconds()), 86_400)
