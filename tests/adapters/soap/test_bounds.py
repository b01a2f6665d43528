"""Large messages: taken in pieces from those who have a key, refused early to all others, in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from demo.ecology import HEADER, pieces, rows
from tests.adapters.soap.test_incoming import envelope
from tests.hub.api.test_hostile import peak_mb
from tests.hub.faults.rig import HubProcess, pause
from tests.receiver import Receiver

#: A hub at rest has about 150 MB; one tree of such a message had 700.
PEAK_MB = 400
MEGABYTES = 20


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    receiver = Receiver().start()
    hub = HubProcess.make(tmp_path_factory.mktemp("bounds"), receiver)
    path = hub.folder / "hub.toml"
    path.write_text(path.read_text("utf-8").replace("port = 0", "port = 0\nmax_body_mb = 24"), "utf-8")
    hub.start()
    yield hub
    hub.stop()
    receiver.stop()


def say(hub: HubProcess, data: bytes, *, with_key: bool = True) -> httpx2.Response:
    with hub.client() as client:
        if not with_key:
            del client.headers["authorization"]
        return client.post("/soap", content=data, headers={"content-type": "text/xml"}, timeout=120)


def word(answer: httpx2.Response, name: str) -> str:
    return answer.text.partition(f"<{name}>")[2].partition("<")[0]


def receipt(hub: HubProcess, number: str, seconds: float = 120) -> dict[str, object]:
    end = time.monotonic() + seconds
    with hub.client() as client:
        while (found := client.get(f"/v1/receipts/{number}").json())["state"] not in ("judged", "settled"):
            assert time.monotonic() < end, (found["state"], hub.log())
            pause(0.1)
    return dict(found)


def filled(inner: str) -> bytes:
    return (inner * (MEGABYTES * 1024 * 1024 // len(inner))).encode()


def stated(text: str, inner: bytes) -> bytes:
    head, _, tail = text.partition("@")
    return head.encode() + inner + tail.encode()


SUBMIT = envelope("submit", "<connection>ecology-penalties</connection>@")
TEXT = envelope("submitXml", "<connection>ecology-penalties</connection><content>@</content>")
KEYLESS = {
    "elements": stated(envelope("fetch", "@"), filled("<a/>")),
    "records": stated(SUBMIT, filled("<record><field><name>a</name><value>1</value></field></record>")),
    "text": stated(TEXT, filled("x")),
    "nested": filled("<a>"),
    "spaces": filled(" "),
}


@pytest.mark.parametrize("what", KEYLESS)
def test_a_large_message_without_a_key_is_refused_in_bounded_memory(hub: HubProcess, what: str) -> None:
    with ThreadPoolExecutor(4) as many:
        answers = list(many.map(lambda _: say(hub, KEYLESS[what], with_key=False), range(4)))

    assert {answer.status_code for answer in answers} == {500}
    assert {word(answer, "code") for answer in answers} <= {"wrong-key", "bad-request", "payload-too-large"}
    assert peak_mb(hub) < PEAK_MB


def test_a_large_message_flows_through(hub: HubProcess) -> None:
    """The same penalties again and again, as fields and as one text: what is repeated are duplicates."""
    few = list(rows(2000, first=1))
    as_fields = "".join(
        "<record>"
        + "".join(f"<field><name>{n}</name><value>{v}</value></field>" for n, v in zip(HEADER, row.values, strict=True))
        + "</record>"
        for row in few
    )
    text = b"".join(pieces(iter(few), encoding="utf-8"))
    head, _, body = text.partition(b"\n")
    times = MEGABYTES * 1024 * 1024 // len(as_fields.encode())
    long = stated(TEXT, head + b"\n" + body * times)

    taken = [say(hub, message) for message in (stated(SUBMIT, as_fields.encode() * times), long)]

    for answer in taken:
        assert answer.status_code == 200, answer.text
        counts = receipt(hub, word(answer, "receiptNo"))["counts"]
        assert isinstance(counts, dict)
        assert counts["read"] == 2000 * times
        assert counts["accepted"] + counts["duplicate"] == counts["read"]
    assert peak_mb(hub) < PEAK_MB


def test_a_large_message_that_breaks_off_is_not_taken(hub: HubProcess) -> None:
    with hub.client() as client:
        before = len(client.get("/v1/submissions", params={"limit": 1000}).json())
        answers = [say(hub, message) for message in (KEYLESS["records"][:-30], KEYLESS["text"][:-30])]
        after = len(client.get("/v1/submissions", params={"limit": 1000}).json())

    assert [word(answer, "code") for answer in answers] == ["bad-request"] * 2
    assert after == before


def test_more_than_the_door_takes_is_refused(hub: HubProcess) -> None:
    answer = say(hub, stated(SUBMIT, filled("<record><field><name>a</name></field></record>") * 2))

    assert word(answer, "code") == "payload-too-large"
