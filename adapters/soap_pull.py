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
from typing import Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from adapters.base import Manifest, Surroundings
from adapters.soap.calling import SoapCallSettings, SoapService
from standards.clock import SHANGHAI, Clock, SystemClock
from standards.digest import sm3
from standards.errors import AnswerNotUnderstood, BadConfiguration
from standards.ports import HandOver, SourceContext

_MOST_PAGES = 10_000


class SoapPullSettings(SoapCallSettings):
    """Settings of a SOAP service that is asked."""

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
    size: PositiveInt = Field(100, description="With {page}: records of a full page; a page with fewer is the last.")
    start: str = Field("", description="{since} or {day} (YYYY-MM-DD) of the first round; empty: today.")
    since_format: str = Field("%Y-%m-%d %H:%M:%S", description="How {since} is written (strftime, China's time).")
    overlap_seconds: int = Field(60, ge=0, description="{since} is so much earlier, because clocks differ.")
    pause_seconds: PositiveFloat = Field(300, description="Rest between two rounds.")

    def asks(self, word: str) -> bool:
        """Whether an argument has this to be filled in."""
        return any(word in value for value in self.arguments.values())


class SoapPull:
    """Implements standards.ports.Source."""

    def __init__(self, settings: SoapPullSettings, around: Surroundings, *, clock: Clock | None = None) -> None:
        self.pause = timedelta(seconds=settings.pause_seconds)
        self._s = settings
        self._clock = clock or SystemClock()
        self._service = SoapService(settings, around.secret(settings.password) if settings.password else "")

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
        self._service.close()

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

    def _call(self, words: Mapping[str, str]) -> Any:
        arguments = {name: _fill(value, words) for name, value in self._s.arguments.items()}
        return self._service.call(self._s.operation, arguments)

    def _body(self, answer: Any) -> tuple[bytes, int | None]:
        """The bytes that are handed over, and how many records they are (None: one text)."""
        value = answer
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
