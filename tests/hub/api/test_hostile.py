"""Whatever a sender pushes is kept and answered: no crash, no hang, no escape, bounded memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from demo.ecology import pieces, rows
from standards.digest import Sm3Stream
from tests.hub.faults.rig import HubProcess, pause
from tests.receiver import Receiver
from tests.shared_data import shared

MEGABYTE = 1024 * 1024
ENDED = ("judged", "settled")

#: In a loop of its own, because a city takes in many kinds: penalties as CSV, checks in the standard's words.
CONNECTIONS = ("ecology-penalties", "checks")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub on SQLite in a process of its own, whose memory can be measured."""
    receiver = Receiver().start()
    hub = HubProcess.make(tmp_path_factory.mktemp("hostile"), receiver)
    path = hub.folder / "hub.toml"
    path.write_text(path.read_text("utf-8").replace("\nread = { chunk = 250 }", ""), "utf-8")
    hub.start()
    yield hub
    hub.stop()
    receiver.stop()


def push(client: httpx2.Client, data: object, name: str, connection: str = "ecology-penalties") -> httpx2.Response:
    return client.post("/v1/submissions", params={"connection": connection, "name": name}, content=data)  # type: ignore[arg-type]


def judged(hub: HubProcess, client: httpx2.Client, number: str, seconds: float = 60) -> dict[str, object]:
    """The receipt once there is a verdict."""
    end = time.monotonic() + seconds
    while True:
        brief = client.get(f"/v1/receipts/{number}", params={"brief": True}).json()
        if brief["state"] in ENDED:
            receipt: dict[str, object] = client.get(f"/v1/receipts/{number}").json()
            return receipt
        assert time.monotonic() < end, (brief, hub.log())
        pause(0.05)


def peak_mb(hub: HubProcess) -> float:
    """Peak memory of the hub's process, without its children."""
    assert hub.process is not None
    status = Path(f"/proc/{hub.process.pid}/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@pytest.mark.parametrize("folder", ["hostile", "encoding"])
def test_every_hostile_file_is_kept_and_answered(hub: HubProcess, folder: str) -> None:
    root = shared(folder)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    with hub.client() as client:
        numbers: dict[str, tuple[Path, str]] = {}
        for n, path in enumerate(files):
            answer = push(client, path.read_bytes(), path.name, CONNECTIONS[n % 2])
            assert answer.status_code == 202, (path, answer.text)
            numbers[answer.json()["receipt_no"]] = (path, answer.text)

        for number, (path, _) in numbers.items():
            receipt = judged(hub, client, number, 120)
            counts = receipt["counts"]
            assert isinstance(counts, dict)
            assert counts["read"] == sum(counts[n] for n in ("accepted", "rejected", "held", "duplicate")), path
            assert counts["accepted"] == 0, (path, receipt)
            assert receipt["problem"] or counts["read"] or receipt["notes"] or path.stat().st_size < 30, (path, receipt)
            digest = Sm3Stream()
            digest.update(path.read_bytes())
            assert receipt["file"]["digest"] == digest.hexdigest(), path  # type: ignore[index]
        assert client.get("/readyz").status_code == 200
    assert peak_mb(hub) < 400
    assert not [p for p in hub.folder.rglob("*") if p.is_file() and p.suffix in (".kml", ".xlsx", ".html", ".txt")]


def test_the_workbook_with_ghost_rows_is_read_in_bounded_memory(hub: HubProcess) -> None:
    path = shared("complaint_cn/messages_labelled_ghost_rows.xlsx")
    with hub.client() as client:
        receipt = judged(hub, client, push(client, path.read_bytes(), path.name).json()["receipt_no"], 120)

    assert receipt["counts"]["read"] < 100_000  # type: ignore[index]
    assert peak_mb(hub) < 400


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "megabytes", [pytest.param(40, id="40MB"), pytest.param(2048, id="2GB", marks=pytest.mark.full)]
)
def test_an_enormous_file_is_streamed(hub: HubProcess, megabytes: int) -> None:
    """The same forty megabytes again and again: what is repeated are duplicates of what is there."""
    one = b"".join(pieces(rows(20_000, first=1)))
    header, _, body = one.partition(b"\n")
    times = max(1, megabytes * MEGABYTE // len(body))

    def stream() -> Iterator[bytes]:
        yield header + b"\n"
        for _ in range(times):
            yield body

    with hub.client() as client:
        client.timeout = 1800
        answer = push(client, stream(), "enormous.csv")
        assert answer.status_code == 202, answer.text
        receipt = judged(hub, client, answer.json()["receipt_no"], 3000)

    counts = receipt["counts"]
    assert isinstance(counts, dict)
    assert counts["read"] == 20_000 * times
    assert counts["accepted"] + counts["duplicate"] == counts["read"]
    assert peak_mb(hub) < 400
