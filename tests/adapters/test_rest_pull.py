"""`rest_pull` asks page after page, goes on where it stood, and hands over only what is new."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.conformance import SourceConformance
from adapters.conformance.fakes import FakeIntake, FakeMemory, FakeReceipts
from adapters.conformance.parcels import around
from adapters.rest_pull import RestPull, RestPullSettings
from adapters.simulators.gateway import Gateway, NotSigned
from standards.clock import FrozenClock
from standards.errors import BadSetup, NotAllowed, SystemBusy, SystemUnreachable
from standards.ports import SourceContext

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Counterpart:
    """A service with a function of a test behind it; remembers what it was asked."""

    answer: Callable[[str, dict[str, str], dict[str, str]], Answer]
    asked: list[tuple[str, dict[str, str], dict[str, str], bytes]] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self, port: int = 0) -> Counterpart:
        counterpart = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                counterpart.asked.append((parts.path, query, headers, body))
                status, given, said = counterpart.answer(parts.path, query, headers)
                self.send_response(status)
                for name, value in {"content-type": "application/json", **given}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


@dataclass
class Asking:
    """A source and what it handed over."""

    counterpart: Counterpart
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(NOW))
    intake: FakeIntake = field(default_factory=FakeIntake)
    memory: FakeMemory = field(default_factory=FakeMemory)

    def once(self, url: str, **settings: Any) -> int:
        """One round with a source made anew, as after a restart."""
        given = RestPullSettings(url=self.counterpart.url + url, quick_tries=1, answer_seconds=5, **settings)
        source = RestPull(given, around(PULL_KEY="s3cret"), clock=self.clock)
        try:
            context = SourceContext(connection="pull", intake=self.intake, receipts=FakeReceipts(), memory=self.memory)
            return source.run_once(context)
        finally:
            source.close()

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(kept.body) for kept in self.intake.kept]


@pytest.fixture
def asking() -> Iterator[Asking]:
    made = Asking(Counterpart(lambda _p, _q, _h: (200, {}, b"[]")).start())
    yield made
    made.counterpart.stop()


def rows(count: int, first: int = 1) -> list[dict[str, int]]:
    return [{"id": n} for n in range(first, first + count)]


def test_pages_are_asked_for_until_one_is_not_full(asking: Asking) -> None:
    pages = {"1": rows(3), "2": rows(3, 4), "3": rows(1, 7)}
    asking.counterpart.answer = lambda _p, q, _h: (200, {}, json.dumps({"data": {"rows": pages[q["p"]]}}).encode())

    assert asking.once("/list", params={"p": "{page}", "n": "3"}, paging="page", size=3) == 3
    assert [[r["id"] for r in b["data"]["rows"]] for b in asking.bodies] == [[1, 2, 3], [4, 5, 6], [7]]
    assert asking.once("/list", params={"p": "{page}", "n": "3"}, paging="page", size=3) == 0, "nothing has changed"

    pages["3"] = rows(2, 7)
    assert asking.once("/list", params={"p": "{page}", "n": "3"}, paging="page", size=3) == 1


def test_offsets_cursors_and_links(asking: Asking) -> None:
    def by_offset(_p: str, q: dict[str, str], _h: dict[str, str]) -> Answer:
        start = int(q["o"])
        return 200, {}, json.dumps(rows(5)[start : start + 2]).encode()

    asking.counterpart.answer = by_offset
    assert asking.once("/list?o={offset}", paging="offset", first=0, size=2) == 3

    def by_cursor(_p: str, q: dict[str, str], _h: dict[str, str]) -> Answer:
        number = int(q.get("c") or 0)
        following = str(number + 1) if number < 2 else None
        return 200, {}, json.dumps({"rows": rows(1, number + 10), "meta": {"next": following}}).encode()

    asking.counterpart.answer = by_cursor
    assert asking.once("/c", params={"c": "{cursor}"}, paging="cursor", next="/meta/next") == 3

    def by_link(path: str, _q: dict[str, str], _h: dict[str, str]) -> Answer:
        following = {"/l/1": "/l/2", "/l/2": "3"}.get(path)
        return 200, {}, json.dumps({"rows": [path], "next": following}).encode()

    asking.counterpart.answer = by_link
    assert asking.once("/l/1", paging="link", next="/next") == 3
    assert [a[0] for a in asking.counterpart.asked][-3:] == ["/l/1", "/l/2", "/l/3"]


def test_since_is_where_the_last_round_began_less_the_overlap(asking: Asking) -> None:
    asking.counterpart.answer = lambda _p, q, _h: (200, {}, json.dumps([q]).encode())
    words: dict[str, Any] = {"params": {"from": "{since}"}, "start": "2026-11-01 00:00:00", "overlap_seconds": 60}
    asking.once("/new", **words)
    asking.clock.forward(timedelta(minutes=10))
    asking.once("/new", **words)
    assert [a[1]["from"] for a in asking.counterpart.asked] == ["2026-10-31 23:59:00", "2026-11-23 09:59:00"]


def test_a_round_that_fails_is_asked_for_again_from_where_it_stood(asking: Asking) -> None:
    words: dict[str, Any] = {"params": {"from": "{since}"}, "start": "2026-11-01 00:00:00"}
    asking.counterpart.answer = lambda _p, _q, _h: (503, {"retry-after": "7"}, b"")
    with pytest.raises(SystemBusy) as caught:
        asking.once("/new", **words)
    assert caught.value.retry_after == 7
    asking.counterpart.answer = lambda _p, _q, _h: (200, {}, b'[{"id": 1}]')
    assert asking.once("/new", **words) == 1
    assert len({a[1]["from"] for a in asking.counterpart.asked}) == 1


def test_days_are_asked_for_one_by_one_and_today_again(asking: Asking) -> None:
    asking.counterpart.answer = lambda _p, q, _h: (200, {}, json.dumps([q]).encode())
    words: dict[str, Any] = {"params": {"day": "{day}"}, "start": "2026-11-20"}
    assert asking.once("/feed", **words) == 4
    assert [a[1]["day"] for a in asking.counterpart.asked] == ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]
    assert asking.once("/feed", **words) == 0
    asking.clock.forward(timedelta(days=1))
    assert asking.once("/feed", **words) == 1
    assert [a[1]["day"] for a in asking.counterpart.asked][4:] == ["2026-11-23", "2026-11-23", "2026-11-24"]


def test_a_day_that_fails_is_not_passed_over(asking: Asking) -> None:
    def bad_day(_p: str, q: dict[str, str], _h: dict[str, str]) -> Answer:
        return (500, {}, b"") if q["day"] == "2026-11-22" else (200, {}, json.dumps([q]).encode())

    words: dict[str, Any] = {"params": {"day": "{day}"}, "start": "2026-11-20"}
    asking.counterpart.answer = bad_day
    with pytest.raises(Exception, match="500"):
        asking.once("/feed", **words)
    assert len(asking.bodies) == 2
    asking.counterpart.answer = lambda _p, q, _h: (200, {}, json.dumps([q]).encode())
    assert asking.once("/feed", **words) == 2


def test_what_has_not_changed_is_answered_with_304_and_not_handed_over(asking: Asking) -> None:
    def tagged(_p: str, _q: dict[str, str], h: dict[str, str]) -> Answer:
        return (304, {}, b"") if h.get("if-none-match") == '"v1"' else (200, {"etag": '"v1"'}, b'[{"id": 1}]')

    asking.counterpart.answer = tagged
    assert asking.once("/all") == 1
    assert asking.once("/all") == 0
    assert asking.counterpart.asked[1][2]["if-none-match"] == '"v1"'


def test_the_same_bytes_without_a_tag_are_not_handed_over_again(asking: Asking) -> None:
    asking.counterpart.answer = lambda _p, _q, _h: (200, {"content-type": "text/csv"}, "名称\n甲\n".encode("gb18030"))
    assert [asking.once("/csv"), asking.once("/csv")] == [1, 0]
    assert asking.intake.kept[0].hand_over.content_type == "text/csv"


def test_a_post_with_a_body_and_a_key_in_a_header(asking: Asking) -> None:
    asking.once("/q", method="POST", body='{"pageNo": {page}}', paging="page", key="env:PULL_KEY", key_header="x-token")
    path, _, headers, body = asking.counterpart.asked[0]
    assert (path, body, headers["x-token"]) == ("/q", b'{"pageNo": 1}', "s3cret")
    assert "authorization" not in headers


@pytest.mark.parametrize(("status", "error"), [(401, NotAllowed), (404, BadSetup), (429, SystemBusy)])
def test_refusals_are_told_by_who_must_act(asking: Asking, status: int, error: type[Exception]) -> None:
    asking.counterpart.answer = lambda _p, _q, _h: (status, {}, b"")
    with pytest.raises(error):
        asking.once("/x")


def test_a_service_that_is_not_there(asking: Asking) -> None:
    asking.counterpart.stop()
    with pytest.raises(SystemUnreachable):
        asking.once("/x")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"paging": "page"}, "needs {page}"),
        ({"paging": "link"}, "needs next"),
        ({"params": {"a": "{since}", "b": "{day}"}}, "not both"),
    ],
)
def test_settings_that_do_not_fit_are_told(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RestPullSettings(url="http://x/", **words)


def test_the_return_feed_of_the_nation_is_signed_asked_day_by_day_and_says_in_words_that_there_is_nothing(
    asking: Asking,
) -> None:
    """DOMAIN 1.8 and 6.2: four signing headers, a short-lived secret, a plain sentence where there are no data."""
    gateway = Gateway(FrozenClock(NOW), sharing={("R1", "S1"): "s3cret"})
    nothing = "没有数据或者时间格式错误"
    voided = [True]

    def answer(path: str, q: dict[str, str], headers: dict[str, str]) -> Answer:
        if path == "/secret":
            return 200, {}, gateway.refresh(asking.counterpart.asked[-1][3])
        try:
            gateway.caller(headers)
        except NotSigned:
            return 200, {}, json.dumps({"errCode": "-1", "errMsg": "未授权"}).encode()
        if voided:
            voided.clear()
            return 200, {}, json.dumps({"errCode": "-1", "errMsg": "密钥已失效"}).encode()
        if q["submitted_date"] == "2026-11-23":
            return 200, {"content-type": "text/plain; charset=utf-8"}, nothing.encode()
        return 200, {}, json.dumps(rows(2)).encode()

    asking.counterpart.answer = answer
    words: dict[str, Any] = {
        "params": {"cd_source": "140000", "submitted_date": "{day}", "table_id": "4"},
        "start": "2026-11-22",
        "nothing": nothing,
        "failed": "/errCode",
        "gateway": {
            "kind": "gjgxjhpt",
            "sid": "S1",
            "rid": "R1",
            "app_key": "env:PULL_KEY",
            "refresh_url": asking.counterpart.url + "/secret",
        },
    }
    assert asking.once("/feed", **words) == 1
    assert asking.bodies == [rows(2)]
    asking.counterpart.answer = lambda _p, _q, _h: (200, {}, b'{"errCode": "E-106", "errMsg": "x"}')
    with pytest.raises(NotAllowed):
        asking.once("/feed", **{k: v for k, v in words.items() if k != "gateway"})


class PullRig:
    """A service that lists everything it has."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        self.counterpart = Counterpart(lambda _p, _q, _h: (200, {}, json.dumps(self.rows).encode())).start()
        self.settings = RestPullSettings(url=f"{self.counterpart.url}/all", quick_tries=1, connect_seconds=2)
        self.opened: list[RestPull] = []

    def open(self) -> RestPull:
        self.opened.append(RestPull(self.settings, around()))
        return self.opened[-1]

    def put(self) -> bytes:
        self.rows.append({"id": f"R-{len(self.rows):03}"})
        return self.rows[-1]["id"].encode()

    def wait(self) -> None:
        pass

    def take_away(self) -> None:
        self.counterpart.stop()

    def bring_back(self) -> None:
        self.counterpart.start(int(self.settings.url.split(":")[2].partition("/")[0]))

    def close(self) -> None:
        for source in self.opened:
            source.close()
        self.counterpart.stop()


@pytest.mark.contract(suite="source", on="rest_pull")
class TestRestPull(SourceConformance):
    @pytest.fixture
    def rig(self) -> Iterator[PullRig]:
        rig = PullRig()
        yield rig
        rig.close()
