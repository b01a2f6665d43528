"""`soap_pull` calls an old service by its stored WSDL, page after page and day after day."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.conformance import SourceConformance
from adapters.conformance.fakes import FakeIntake, FakeMemory, FakeReceipts
from adapters.conformance.parcels import around
from adapters.soap_pull import SoapPull, SoapPullSettings
from standards.clock import FrozenClock
from standards.errors import (
    AnswerNotUnderstood,
    BadConfiguration,
    HubError,
    NotAllowed,
    SystemBusy,
    SystemUnreachable,
    Temporary,
)
from standards.ports import SourceContext
from tests.adapters.test_rest_pull import NOW, Counterpart

WSDL = Path(__file__).with_name("old.wsdl")
Asked = dict[str, str]


def envelope(inner: str) -> bytes:
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body xmlns="urn:old">'
        f"{inner}</s:Body></s:Envelope>"
    ).encode()


def rows(count: int, first: int = 1) -> str:
    one = "<row><ajbh>A{}</ajbh><fkje>12.50</fkje><cfrq>2026-03-05</cfrq></row>"
    return "<queryResponse>" + "".join(one.format(n) for n in range(first, first + count)) + "</queryResponse>"


@dataclass
class Old:
    """The old service: says what a test has it say, and remembers the arguments."""

    says: Callable[[Asked], tuple[int, bytes]] = lambda _asked: (200, envelope(rows(1)))
    asked: list[Asked] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(NOW))
    intake: FakeIntake = field(default_factory=FakeIntake)
    memory: FakeMemory = field(default_factory=FakeMemory)
    counterpart: Counterpart = field(init=False)

    def __post_init__(self) -> None:
        self.counterpart = Counterpart(self._answer).start()

    def _answer(self, _path: str, _query: Asked, _headers: Asked) -> tuple[int, dict[str, str], bytes]:
        root = etree.fromstring(self.counterpart.asked[-1][3])
        body = root.find("{http://schemas.xmlsoap.org/soap/envelope/}Body")
        assert body is not None
        asked = {etree.QName(part).localname: part.text or "" for part in body[0]}
        self.asked.append(asked)
        self.tokens += [str(e.text) for e in root.iter("{*}Username")]
        status, said = self.says(asked)
        return status, {"content-type": "text/xml; charset=utf-8"}, said

    def once(self, operation: str = "query", **settings: Any) -> int:
        """One round with a source made anew, as after a restart."""
        given = {"wsdl": str(WSDL), "url": f"{self.counterpart.url}/old", "operation": operation, **settings}
        source = SoapPull(SoapPullSettings.model_validate(given), around(PW="s3"), clock=self.clock)
        context = SourceContext(connection="old", intake=self.intake, receipts=FakeReceipts(), memory=self.memory)
        try:
            return source.run_once(context)
        finally:
            source.close()


@pytest.fixture
def old() -> Iterator[Old]:
    made = Old()
    yield made
    made.counterpart.stop()


def test_records_are_handed_over_as_lines_page_after_page(old: Old) -> None:
    old.says = lambda asked: (200, envelope(rows(2 if asked["page"] == "1" else 1, int(asked["page"]) * 10)))
    words: dict[str, Any] = {"arguments": {"page": "{page}"}, "size": 2}
    assert old.once(**words) == 2
    lines = [json.loads(line) for kept in old.intake.kept for line in kept.body.decode().splitlines()]
    assert [line["ajbh"] for line in lines] == ["A10", "A11", "A20"]
    assert lines[0] == {"ajbh": "A10", "fkje": "12.50", "cfrq": "2026-03-05"}
    assert old.once(**words) == 0, "nothing has changed"


@pytest.mark.parametrize(
    ("form", "sent"), [("auto", "<a>名称</a>"), ("base64", base64.b64encode(b"<a>x</a>").decode())]
)
def test_one_string_is_handed_over_as_it_stands(old: Old, form: str, sent: str) -> None:
    escaped = sent.replace("<", "&lt;")
    old.says = lambda _asked: (200, envelope(f"<queryXmlResponse><return>{escaped}</return></queryXmlResponse>"))
    words: dict[str, Any] = {"arguments": {"since": "{since}"}, "start": "2026-11-01 00:00:00", "form": form}
    assert old.once("queryXml", **words) == 1
    assert old.intake.kept[0].body.decode() == ("<a>x</a>" if form == "base64" else "<a>名称</a>")
    old.clock.forward(timedelta(minutes=10))
    old.once("queryXml", **words)
    assert [a["since"] for a in old.asked] == ["2026-10-31 23:59:00", "2026-11-23 09:59:00"]


def test_days_are_asked_for_one_by_one_and_a_day_that_fails_is_not_passed_over(old: Old) -> None:
    fault = "<s:Fault xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><faultcode>s:Server</faultcode>"
    fault += "<faultstring>no</faultstring></s:Fault>"
    old.says = lambda asked: (500, envelope(fault)) if asked["day"] == "2026-11-22" else (200, envelope(rows(1)))
    words: dict[str, Any] = {"arguments": {"day": "{day}"}, "start": "2026-11-21"}
    with pytest.raises(Temporary):
        old.once(**words)
    old.says = lambda _asked: (200, envelope(rows(1)))
    assert old.once(**words) == 2
    assert [a["day"] for a in old.asked] == ["2026-11-21", "2026-11-22", "2026-11-22", "2026-11-23"]


def test_the_password_travels_in_a_username_token(old: Old) -> None:
    old.once(user="hub", password="env:PW")
    assert old.tokens == ["hub"]


def test_an_empty_answer_is_nothing(old: Old) -> None:
    old.says = lambda _asked: (200, envelope("<queryResponse/>"))
    assert old.once() == 0


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"", NotAllowed),
        (503, b"", SystemBusy),
        (500, b"<html>", Temporary),
        (200, b"no xml", AnswerNotUnderstood),
        (200, envelope("<other/>"), AnswerNotUnderstood),
    ],
)
def test_what_goes_wrong_is_told_by_who_must_act(old: Old, status: int, body: bytes, error: type[HubError]) -> None:
    old.says = lambda _asked: (status, body)
    with pytest.raises(error):
        old.once()


def test_a_service_that_is_not_there(old: Old) -> None:
    old.counterpart.stop()
    with pytest.raises(SystemUnreachable):
        old.once()


@pytest.mark.parametrize(
    "words", [{"wsdl": "/nowhere.wsdl"}, {"operation": "drop"}, {"arguments": {"colour": "red"}}, {"binding": "{x}y"}]
)
def test_settings_that_do_not_fit_the_wsdl_are_told(old: Old, words: dict[str, Any]) -> None:
    operation = words.pop("operation", "query")
    with pytest.raises(BadConfiguration):
        old.once(operation, **words)


class SoapRig:
    """An old service that lists everything it has."""

    def __init__(self) -> None:
        self.old = Old()
        self.count = 0
        self.old.says = lambda _asked: (200, envelope(rows(self.count, 100)))
        self.given = {"wsdl": str(WSDL), "url": f"{self.old.counterpart.url}/old", "operation": "query"}
        self.opened: list[SoapPull] = []

    def open(self) -> SoapPull:
        self.opened.append(SoapPull(SoapPullSettings.model_validate(self.given), around(), clock=self.old.clock))
        return self.opened[-1]

    def put(self) -> bytes:
        self.count += 1
        return f"A{self.count + 99}".encode()

    def wait(self) -> None:
        """Nothing needs time."""

    def take_away(self) -> None:
        self.old.counterpart.stop()

    def bring_back(self) -> None:
        self.old.counterpart.start(int(self.given["url"].split(":")[2].partition("/")[0]))

    def close(self) -> None:
        for source in self.opened:
            source.close()
        self.old.counterpart.stop()


@pytest.mark.contract(suite="source", on="soap_pull")
class TestSoapPull(SourceConformance):
    @pytest.fixture
    def rig(self) -> Iterator[SoapRig]:
        rig = SoapRig()
        yield rig
        rig.close()
