"""`rest_push` keeps to what every destination must keep to, and tells answers apart by who must act."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.conformance import DestinationConformance, Stored
from adapters.conformance.parcels import around, some
from adapters.rest_push import RestPush, RestPushSettings
from standards.errors import (
    AnswerNotUnderstood,
    BadSetup,
    HubError,
    NotAllowed,
    ReceiverRefused,
    SystemBusy,
    SystemUnreachable,
    Temporary,
)
from standards.parcel import Result, from_event
from tests.receiver import Receiver
from tests.services.tcp_proxy import TcpProxy


class PushRig:
    """A receiver on a port of this machine, with a proxy before it."""

    knows_revisions = True

    def __init__(self, make_proxy: Callable[[int], TcpProxy], **settings: Any) -> None:
        self.receiver = Receiver().start()
        self.receiver.refuse = self._refuse
        self.proxy = make_proxy(urlsplit(self.receiver.url).port or 0)
        quick = {"quick_tries": 1, "connect_seconds": 2, "answer_seconds": 5}
        given = RestPushSettings(url=self.proxy.url(self.receiver.url), **{**quick, **settings})
        self.destination: Any = RestPush(given, around(KEY="k-1"))

    @staticmethod
    def _refuse(record: dict[str, Any]) -> dict[str, Any] | None:
        if record["content"].get("area_number") != "000000":
            return None
        return {"code": "30001", "element": "area_number", "message": "区划未登记"}

    def stored(self) -> dict[str, Stored]:
        found = {}
        for key, revision, operation in self.receiver.history:
            times = self.receiver.history.count((key, revision, operation))
            found[key] = Stored(operation, self.receiver.contents[key, revision]["content_digest"], times)
        return found

    def spoil(self, content: dict[str, str]) -> tuple[dict[str, str], str]:
        return {**content, "area_number": "000000"}, "area_number"

    def work(self) -> None:
        pass

    def take_away(self) -> None:
        self.proxy.refuse()

    def bring_back(self) -> None:
        self.receiver.lose_answers = 0
        self.proxy.heal()

    def lose_answers(self) -> None:
        self.receiver.lose_answers = 1

    def close(self) -> None:
        self.destination.close()
        self.receiver.stop()


@pytest.fixture
def rig(tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[PushRig]:
    """A receiver and its destination."""
    rig = PushRig(tcp_proxy)
    yield rig
    rig.close()


@pytest.mark.contract(suite="destination", on="rest_push")
class TestRestPush(DestinationConformance):
    @pytest.fixture
    def rig(self, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[PushRig]:
        rig = PushRig(tcp_proxy)
        yield rig
        rig.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, NotAllowed),
        (404, BadSetup),
        (302, AnswerNotUnderstood),
        (413, ReceiverRefused),
        (422, ReceiverRefused),
        (429, SystemBusy),
        (500, Temporary),
        (502, SystemUnreachable),
        (503, SystemBusy),
        (504, SystemUnreachable),
    ],
)
def test_each_status_is_an_error_by_who_must_act(rig: PushRig, status: int, error: type[HubError]) -> None:
    rig.receiver.status = status

    with pytest.raises(HubError) as caught:
        rig.destination.deliver(some(1))

    assert type(caught.value) is error
    # Behind a gateway it may have arrived: a receiver that knows no repeats must not get it again unasked.
    assert getattr(caught.value, "answer_lost", False) is (status in (502, 504))
    assert caught.value.what_zh


def test_a_busy_receiver_says_when_to_come_again(rig: PushRig) -> None:
    rig.receiver.status = 429
    rig.receiver.headers = {"retry-after": "17"}

    with pytest.raises(SystemBusy) as caught:
        rig.destination.deliver(some(1))

    assert caught.value.retry_after == 17


def test_a_line_about_the_receiver_alone_is_no_receipt(rig: PushRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.receiver, "take", lambda _event: "all well")

    with pytest.raises(AnswerNotUnderstood):
        rig.destination.deliver(some(1))


def test_quick_tries_are_within_one_delivery_and_store_once(tcp_proxy: Callable[[int], TcpProxy]) -> None:
    rig = PushRig(tcp_proxy, quick_tries=3)
    rig.lose_answers()
    parcel = some(2)

    answer = rig.destination.deliver(parcel)

    assert {line.result for line in answer.lines} == {Result.DUPLICATE}
    assert rig.receiver.parcels == [str(parcel.id)] * 2
    assert {s.times for s in rig.stored().values()} == {1}
    rig.close()


def test_in_binary_mode_the_event_is_in_the_headers_and_reads_back_the_same() -> None:
    sent: list[tuple[bytes, Mapping[str, str]]] = []

    class Http:
        def request(self, _method: str, _url: str, *, content: bytes, headers: Mapping[str, str]) -> Any:
            sent.append((content, headers))
            return SimpleNamespace(content=b"")

    destination: Any = RestPush(RestPushSettings(url="http://127.0.0.1/", mode="binary"), around())
    destination._http = Http()
    parcel = some(3)

    answer = destination.deliver(parcel)

    [(body, headers)] = sent
    read = from_event(body, "province", headers)
    assert not answer.lines
    assert (read.id, read.dataset, read.batch) == (parcel.id, parcel.dataset, parcel.batch)
    assert [r.values() for r in read.records] == [r.values() for r in parcel.records]
    assert headers["idempotency-key"] == str(parcel.id)
