"""Channel `rest_pull`: a service of the other side is asked again and again, and what it answers is handed over.

Paging by number, by offset or by what the answer says comes next; `{since}` is where the last round began, `{day}` one
day after the other up to today (the return feeds of DOMAIN 1.8).  An answer that has not changed (304, or the same
bytes) is not handed over again.  Each page is kept as it came, and only then the mark moves on: a crash repeats pages,
and what was taken before is a duplicate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, Self
from urllib.parse import urlencode, urljoin

import httpx2
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from adapters.base import Manifest, Surroundings
from adapters.signing import NOT_LISTED, Gateway, SignedAnew, signer_of
from adapters.transport import HttpSettings, HttpTransport
from standards.clock import SHANGHAI, Clock, SystemClock
from standards.digest import sm3
from standards.errors import AnswerNotUnderstood, BadConfiguration, NotAllowed
from standards.ports import HandOver, SourceContext

#: Pages of one round; a service that never ends is told.
_MOST_PAGES = 10_000
#: Attempts with a signature: a short-lived secret may just have ended.
_FRESH_SECRETS = 2


class RestPullSettings(HttpSettings):
    """Settings of a service that is asked."""

    url: str = Field(
        pattern=r"^https?://",
        description="Address; {since} {day} {page} {offset} {cursor} are filled in, here and in params and body.",
        examples=["https://cgj.example.gov.cn/api/cases?since={since}&page={page}"],
    )
    method: Literal["GET", "POST"] = Field("GET", description="How it is asked.")
    params: dict[str, str] = Field({}, description="Query parameters.")
    body: str = Field("", description="JSON body of a POST.")
    headers: dict[str, str] = Field({}, description="Further headers.")
    key_header: str = Field("", description="Header that takes the key; empty: Authorization: Bearer.")
    records: str = Field(
        "",
        description="JSON pointer of the list of records, which shows the end of the pages; empty: it is found.",
    )
    paging: Literal["none", "page", "offset", "cursor", "link"] = Field(
        "none",
        description="page, offset: counted by us; cursor, link: where `next` in the answer says.",
        examples=["page"],
    )
    first: int = Field(1, description="First page number (page) or first offset (offset: usually 0).")
    size: PositiveInt = Field(100, description="Records of a full page: a page with fewer is the last.")
    next: str = Field("", description="JSON pointer of the cursor or link to the next page; empty there: the last one.")
    since_format: str = Field("%Y-%m-%d %H:%M:%S", description="How {since} is written (strftime, China's time).")
    start: str = Field("", description="{since} or {day} (YYYY-MM-DD) of the first round; empty: today.")
    overlap_seconds: int = Field(60, ge=0, description="{since} is so much earlier, because clocks differ.")
    day_format: str = Field("%Y-%m-%d", description="How {day} is written.")
    pause_seconds: PositiveFloat = Field(300, description="Rest between two rounds.")
    gateway: Gateway | None = Field(
        None, description="How the gateway in front of it wants requests signed; empty: not."
    )
    nothing: str = Field(
        "", description="What the service says in plain words when it has no data; told as no records."
    )
    failed: str = Field("", description="JSON pointer of an error code; a value there means the request failed.")

    @model_validator(mode="after")
    def _paging_is_whole(self) -> Self:
        text = " ".join((self.url, self.body, *self.params.values()))
        wanted = {"page": "{page}", "offset": "{offset}", "cursor": "{cursor}"}.get(self.paging)
        if wanted and wanted not in text:
            raise ValueError(f"paging = {self.paging} needs {wanted} in url, params or body")
        if self.paging in ("cursor", "link") and not self.next:
            raise ValueError(f"paging = {self.paging} needs next = a JSON pointer")
        if "{since}" in text and "{day}" in text:
            raise ValueError("either {since} or {day}, not both")
        if self.start and "{day}" in text:
            date.fromisoformat(self.start)
        return self

    @property
    def by_day(self) -> bool:
        """True when days are asked for one by one."""
        return any("{day}" in text for text in (self.url, self.body, *self.params.values()))


@dataclass(frozen=True, slots=True)
class Round:
    """What is filled in during one round."""

    since: str
    day: str


class RestPull:
    """Implements standards.ports.Source."""

    def __init__(self, settings: RestPullSettings, around: Surroundings, *, clock: Clock | None = None) -> None:
        self.pause = timedelta(seconds=settings.pause_seconds)
        self._s = settings
        self._clock = clock or SystemClock()
        key = around.secret(settings.key) if settings.key else ""
        self._http = HttpTransport(settings, key="" if settings.key_header else key)
        self._headers = dict(settings.headers)
        if settings.key_header and key:
            self._headers[settings.key_header] = key
        self._signer = signer_of(settings.gateway, around.secret, self._clock, self._post_plain)

    def _post_plain(self, url: str, body: bytes) -> bytes:
        return self._http.request("POST", url, content=body, headers={"content-type": "application/json"}).content

    def run_once(self, context: SourceContext) -> int:
        """Ask for what is new; how many pages were handed over."""
        return self._days(context) if self._s.by_day else self._round(context)

    def check(self) -> str:
        """Ask for the first page."""
        now = self._clock.now().astimezone(SHANGHAI)
        this = Round(now.strftime(self._s.since_format), now.strftime(self._s.day_format))
        response = self._ask(this, self._s.first, "", {})
        return f"{self._s.url.partition('?')[0]}: HTTP {response.status_code}, {len(response.content)} B"

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    # Rounds

    def _round(self, context: SourceContext) -> int:
        began = self._clock.now().astimezone(SHANGHAI)
        mark = context.memory.recall("since") or self._s.start
        since = _moment(mark) - timedelta(seconds=self._s.overlap_seconds) if mark else began
        done = self._pages(context, Round(since.strftime(self._s.since_format), ""), "all")
        context.memory.remember("since", began.isoformat())
        return done

    def _days(self, context: SourceContext) -> int:
        """One day after the other; today again and again."""
        today = self._clock.now().astimezone(SHANGHAI).date()
        mark = context.memory.recall("day") or self._s.start
        day = date.fromisoformat(mark) if mark else today
        done = 0
        while day <= today:
            done += self._pages(context, Round("", day.strftime(self._s.day_format)), day.isoformat())
            day += timedelta(days=1)
            context.memory.remember("day", min(day, today).isoformat())
        return done

    def _pages(self, context: SourceContext, this: Round, name: str) -> int:
        done = 0
        for number, response in enumerate(self._answers(context, this, name)):
            if number >= _MOST_PAGES:
                raise AnswerNotUnderstood("the pages never end", what_zh=f"超过 {_MOST_PAGES} 页仍未结束")
            body = response.content
            digest = sm3(body).hex()
            seen = f"page:{name}:{number}"
            if not body.strip() or context.memory.recall(seen) == digest:
                continue
            context.intake.receive(
                HandOver(
                    connection=context.connection,
                    name=f"{name}-{number + 1}",
                    content_type=response.headers.get("content-type", "").partition(";")[0],
                    actor="rest_pull",
                ),
                [body],
            )
            context.memory.remember(seen, digest)
            done += 1
        return done

    def _answers(self, context: SourceContext, this: Round, name: str) -> Iterator[httpx2.Response]:
        """Page after page that has records."""
        counted, cursor, link = self._s.first, "", ""
        while True:
            first = counted == self._s.first and not cursor and not link
            headers = self._unchanged(context, name) if first and self._s.paging == "none" else {}
            response = self._ask(this, counted, cursor, headers, link)
            if response.status_code == 304:
                return
            count, following = self._read(response)
            if count != 0:
                yield response
            if first and self._s.paging == "none":
                self._remember_tag(context, name, response)
                return
            match self._s.paging:
                case "page" | "offset":
                    if count is None or count < self._s.size:
                        return
                    counted += 1 if self._s.paging == "page" else self._s.size
                case "cursor":
                    if not following or following == cursor:
                        return
                    cursor = following
                case _:
                    if not following:
                        return
                    link = urljoin(self._s.url, following)

    def _ask(
        self, this: Round, counted: int, cursor: str, headers: Mapping[str, str], link: str = ""
    ) -> httpx2.Response:
        number = str(counted)
        filled = {"{since}": this.since, "{day}": this.day, "{page}": number, "{offset}": number, "{cursor}": cursor}
        url = link or _fill(self._s.url, filled)
        params = {name: _fill(value, filled) for name, value in self._s.params.items()} if not link else {}
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        body = _fill(self._s.body, filled).encode() if self._s.method == "POST" else None
        sent = {**self._headers, **headers, **({"content-type": "application/json"} if body else {})}
        for _ in range(_FRESH_SECRETS):
            response = self._http.request(self._s.method, url, content=body, headers=SignedAnew(sent, self._signer))
            why = self._refusal(response)
            if not why:
                return response
            if why not in NOT_LISTED or not self._signer.refused():
                break
        host = response.request.url.host
        raise NotAllowed(f"{host} refused: {why}", what_zh=f"{host} 拒绝请求：{why}")

    def _refusal(self, response: httpx2.Response) -> str:
        """The error code in an answer with status 200; '' when there is none."""
        if not self._s.failed or response.status_code == 304:
            return ""
        try:
            found = _at(json.loads(response.content), self._s.failed)
        except ValueError:
            return ""
        return "" if found in (None, "", 0, "0") else str(found)

    def _read(self, response: httpx2.Response) -> tuple[int | None, str]:
        """How many records an answer has (None: not JSON), and where the next page is."""
        if self._s.nothing and self._s.nothing in response.text[:1000]:
            return 0, ""
        if "json" not in response.headers.get("content-type", "json"):
            return None, ""
        try:
            value = json.loads(response.content)
        except ValueError:
            return None, ""
        records = _at(value, self._s.records) if self._s.records else _list_in(value)
        following = _at(value, self._s.next) if self._s.next else None
        return (len(records) if isinstance(records, list) else None), "" if following is None else str(following)

    # What has not changed

    def _unchanged(self, context: SourceContext, name: str) -> dict[str, str]:
        known = json.loads(context.memory.recall(f"tag:{name}") or "{}")
        return {header: value for header, value in known.items() if value}

    def _remember_tag(self, context: SourceContext, name: str, response: httpx2.Response) -> None:
        tags = {
            "if-none-match": response.headers.get("etag", ""),
            "if-modified-since": response.headers.get("last-modified", ""),
        }
        if any(tags.values()):
            context.memory.remember(f"tag:{name}", json.dumps(tags))


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadConfiguration(f"start = {text} is no time", what_zh=f"start = {text} 不是有效时间") from error
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def _fill(text: str, filled: Mapping[str, str]) -> str:
    for word, value in filled.items():
        text = text.replace(word, value)
    return text


def _at(value: Any, pointer: str) -> Any:
    """The value at a JSON pointer; None when there is none."""
    for part in pointer.strip("/").split("/"):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _list_in(value: Any) -> Any:
    """The answer itself, or the first list in it, one or two steps down."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        for inner in value.values():
            if isinstance(inner, list):
                return inner
        for inner in value.values():
            if isinstance(inner, dict) and isinstance(found := _list_in(inner), list):
                return found
    return None


MANIFEST = Manifest(
    name="rest_pull",
    title="接口轮询",
    title_en="asked over HTTP",
    source_settings=RestPullSettings,
    make_source=RestPull,
    about=__doc__ or "",
)
