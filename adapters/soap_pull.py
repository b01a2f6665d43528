"""Channel `soap_pull`: a SOAP service of the other side is asked again and again, and what it answers is handed over.

The WSDL is a file beside the settings, so that nothing depends on the other side's `?wsdl`.  An answer of one string (a
whole XML document, JSON, CSV, perhaps base64) is handed over as it stands; an answer of records as NDJSON.  `{since}`,
`{day}` and `{page}` in the arguments are filled in as for `rest_pull`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import requests
import zeep
from pydantic import Field, PositiveFloat, PositiveInt
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import Fault, TransportError
from zeep.helpers import serialize_object
from zeep.wsse.username import UsernameToken

from adapters.base import AdapterSettings, Manifest, Surroundings
from standards.clock import SHANGHAI, Clock, SystemClock
from standards.digest import sm3
from standards.errors import (
    AnswerNotUnderstood,
    BadConfiguration,
    BadSetup,
    NotAllowed,
    SystemBusy,
    SystemUnreachable,
    Temporary,
)
from standards.ports import HandOver, SourceContext

_MOST_PAGES = 10_000


class SoapPullSettings(AdapterSettings):
    """Settings of a SOAP service that is asked."""

    wsdl: str = Field(
        min_length=1,
        description="WSDL file on this machine; an absolute path is best.",
        examples=["/etc/hub/old-system.wsdl"],
    )
    url: str = Field(
        pattern=r"^https?://",
        description="Address of the service; wins over the one in the WSDL.",
        examples=["http://10.1.2.3:8080/services/Case"],
    )
    binding: str = Field("", description="Binding, {namespace}name; empty: the first.")
    operation: str = Field(description="Operation that is called.", examples=["queryCases"])
    arguments: dict[str, str] = Field(
        {},
        description="Its arguments; {since} {day} {page} are filled in.",
        examples=[{"kssj": "{since}", "pageNo": "{page}"}],
    )
    result: str = Field("", description="Where the records are in the answer, such as return.rows; empty: all of it.")
    form: Literal["auto", "text", "base64"] = Field(
        "auto", description="What one string in the answer is: text as it stands, or base64 of it; auto: text."
    )
    user: str = Field("", description="WS-Security UsernameToken: name.")
    password: str = Field(
        "", pattern=r"^$|^(env|file):", description="Its password, by reference: env:NAME or file:/path."
    )
    digest: bool = Field(False, description="Send the password as a digest.")
    size: PositiveInt = Field(100, description="With {page}: records of a full page; a page with fewer is the last.")
    start: str = Field("", description="{since} or {day} (YYYY-MM-DD) of the first round; empty: today.")
    since_format: str = Field("%Y-%m-%d %H:%M:%S", description="How {since} is written (strftime, China's time).")
    overlap_seconds: int = Field(60, ge=0, description="{since} is so much earlier, because clocks differ.")
    connect_seconds: PositiveFloat = Field(10, description="Longest wait for a connection.")
    answer_seconds: PositiveFloat = Field(60, description="Longest wait for an answer.")
    pause_seconds: PositiveFloat = Field(300, description="Rest between two rounds.")
    ca_file: str = Field("", description="Certificates to trust instead of the machine's own.")
    lenient: bool = Field(False, description="Read answers that do not quite fit the WSDL; what is not in it is lost.")

    def asks(self, word: str) -> bool:
        """Whether an argument has this to be filled in."""
        return any(word in value for value in self.arguments.values())


class SoapPull:
    """Implements standards.ports.Source."""

    def __init__(self, settings: SoapPullSettings, around: Surroundings, *, clock: Clock | None = None) -> None:
        self.pause = timedelta(seconds=settings.pause_seconds)
        self._s = settings
        self._clock = clock or SystemClock()
        self._password = around.secret(settings.password) if settings.password else ""
        self._session = requests.Session()
        self._session.verify = settings.ca_file or True
        self._service: Any = None

    def run_once(self, context: SourceContext) -> int:
        """Ask for what is new; how many answers were handed over."""
        now = self._clock.now().astimezone(SHANGHAI)
        if self._s.asks("{day}"):
            return self._days(context, now.date())
        mark = context.memory.recall("since") or self._s.start
        since = _moment(mark) - timedelta(seconds=self._s.overlap_seconds) if mark else now
        done = self._pages(context, {"{since}": since.strftime(self._s.since_format)}, "all")
        context.memory.remember("since", now.isoformat())
        return done

    def check(self) -> str:
        """Call the operation once."""
        now = self._clock.now().astimezone(SHANGHAI)
        words = {"{since}": now.strftime(self._s.since_format), "{day}": now.date().isoformat(), "{page}": "1"}
        body, _ = self._body(self._call(words))
        return f"{self._s.operation}: {len(body)} B"

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _days(self, context: SourceContext, today: date) -> int:
        mark = context.memory.recall("day") or self._s.start
        day = date.fromisoformat(mark) if mark else today
        done = 0
        while day <= today:
            done += self._pages(context, {"{day}": day.isoformat()}, day.isoformat())
            day += timedelta(days=1)
            context.memory.remember("day", min(day, today).isoformat())
        return done

    def _pages(self, context: SourceContext, words: Mapping[str, str], name: str) -> int:
        done = 0
        for page in range(1, _MOST_PAGES + 1):
            body, count = self._body(self._call({**words, "{page}": str(page)}))
            digest = sm3(body).hex()
            seen = f"page:{name}:{page}"
            if body.strip() and count != 0 and context.memory.recall(seen) != digest:
                context.intake.receive(
                    HandOver(
                        connection=context.connection,
                        name=f"{name}-{page}",
                        content_type="application/x-ndjson" if count is not None else "",
                        actor="soap_pull",
                    ),
                    [body],
                )
                context.memory.remember(seen, digest)
                done += 1
            if not self._s.asks("{page}") or count is None or count < self._s.size:
                return done
        raise AnswerNotUnderstood("the pages never end", what_zh=f"超过 {_MOST_PAGES} 页仍未结束")

    # One call

    def _operation(self) -> Any:
        if self._service is None:
            timeouts = (self._s.connect_seconds, self._s.answer_seconds)
            transport = zeep.Transport(session=self._session, operation_timeout=timeouts)
            token = UsernameToken(self._s.user, self._password, use_digest=self._s.digest) if self._s.user else None
            if not Path(self._s.wsdl).is_file():
                raise BadConfiguration(f"no file {self._s.wsdl}", what_zh=f"没有 WSDL 文件 {self._s.wsdl}")
            try:
                client = zeep.Client(
                    self._s.wsdl,
                    wsse=token,
                    transport=transport,
                    plugins=[] if self._s.lenient else [_Announced()],
                    settings=zeep.Settings(strict=not self._s.lenient),
                )
                binding = self._s.binding or str(next(iter(client.wsdl.bindings)))
                self._service = client.create_service(binding, self._s.url)
                getattr(self._service, self._s.operation)
            except (ZeepError, ValueError, AttributeError, StopIteration) as error:
                self._service = None
                raise BadConfiguration(
                    f"{self._s.wsdl} does not offer {self._s.operation}: {error}",
                    what_zh=f"WSDL 中没有可用的操作 {self._s.operation}",
                ) from error
        return getattr(self._service, self._s.operation)

    def _call(self, words: Mapping[str, str]) -> Any:
        operation = self._operation()
        arguments = {name: _fill(value, words) for name, value in self._s.arguments.items()}
        host = self._s.url.split("/")[2]
        try:
            return operation(**arguments)
        except Fault as error:
            raise Temporary(
                f"{host} answers with a fault: {error.message}"[:300], what_zh=f"{host} 返回 SOAP 错误"
            ) from error
        except TransportError as error:
            raise _status(host, error.status_code) from error
        except (requests.ConnectionError, requests.Timeout) as error:
            raise SystemUnreachable(f"{host}: {type(error).__name__}", what_zh=f"{host} 无法连接") from error
        except TypeError as error:
            raise BadConfiguration(
                f"the arguments do not fit: {error}"[:300], what_zh="调用参数与 WSDL 不符"
            ) from error
        except (ZeepError, ValueError, AttributeError) as error:  # zeep stumbles over what is no XML at all
            raise AnswerNotUnderstood(f"{host}: {error}"[:300], what_zh=f"{host} 的应答与 WSDL 不符") from error

    def _body(self, answer: Any) -> tuple[bytes, int | None]:
        """The bytes that are handed over, and how many records they are (None: one text)."""
        value = serialize_object(answer, dict)
        for part in self._s.result.split(".") if self._s.result else ():
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            return b"", 0
        if isinstance(value, bytes):
            return value, None
        if isinstance(value, str):
            return self._text(value), None
        records = value if isinstance(value, list) else [value]
        lines = (json.dumps(record, ensure_ascii=False, default=_plain) for record in records)
        return "".join(f"{line}\n" for line in lines).encode(), len(records)

    def _text(self, value: str) -> bytes:
        if self._s.form != "base64":
            return value.encode()
        try:
            return base64.b64decode(value, validate=False)
        except binascii.Error as error:
            raise AnswerNotUnderstood("the answer is no base64", what_zh="应答不是 base64") from error


class _Announced(zeep.Plugin):
    """The answer must be what the WSDL announces: zeep itself takes anything else for an empty answer."""

    def ingress(self, envelope: Any, http_headers: Any, operation: Any) -> tuple[Any, Any]:
        """Look at the first element of the body."""
        body = envelope.find("{*}Body")
        found = None if body is None else next(iter(body), None)
        expected = getattr(operation.output.body, "qname", None)
        if found is None or (
            expected is not None
            and not str(found.tag).endswith("}Fault")
            and found.tag not in (expected.text, expected.localname)
        ):
            raise AnswerNotUnderstood(
                f"not the answer that the WSDL announces ({expected})", what_zh="应答不是 WSDL 所声明的元素"
            )
        return envelope, http_headers


def _status(host: str, status: int) -> Exception:
    if status < 300:
        return AnswerNotUnderstood(f"{host} answered no XML", what_zh=f"{host} 的应答不是 XML")
    said, said_zh = f"{host} answered {status}", f"{host} 返回状态码 {status}"
    if status in (401, 403):
        return NotAllowed(said, what_zh=said_zh)
    if status in (429, 503):
        return SystemBusy(said, what_zh=said_zh)
    return Temporary(said, what_zh=said_zh) if status >= 500 else BadSetup(said, what_zh=said_zh)


def _fill(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadConfiguration(f"start = {text} is no time", what_zh=f"start = {text} 不是有效时间") from error
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def _plain(value: object) -> str:
    """What JSON has no word for."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "seconds")
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


MANIFEST = Manifest(
    name="soap_pull",
    title="SOAP 轮询",
    title_en="asked over SOAP",
    source_settings=SoapPullSettings,
    make_source=SoapPull,
    about=__doc__ or "",
)
