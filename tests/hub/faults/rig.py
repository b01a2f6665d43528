"""A hub in processes of its own that a test may kill, a receiver that counts, and what must be true in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from demo.ecology import Row, pieces, rows
from tests.hub.city import ECOLOGY, config
from tests.receiver import Receiver

#: The shares of 100,000 records that are handed over one after the other.
FILES = 8

_PAUSE = threading.Event()


def pause(seconds: float) -> None:
    """Wait between two looks."""
    _PAUSE.wait(seconds)


@dataclass
class HubProcess:
    """`hub serve`, started again as often as wanted."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls, folder: Path, receiver: Receiver, **changes: object) -> HubProcess:
        """Settings as the other tests of the road have them, with small chunks and parcels: more moments to die at."""
        folder.mkdir(parents=True, exist_ok=True)
        text = config(receiver.url, parcel=100, lease="30s", **changes)
        text = text.replace(
            'mapping = "demo_ecology/punish_action"', 'mapping = "demo_ecology/punish_action"\nread = { chunk = 250 }'
        )
        (folder / "hub.toml").write_text(text, "utf-8")
        return cls(folder)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def start(self) -> None:
        """Start it and wait until it answers."""
        (self.state / "address").unlink(missing_ok=True)
        with (self.folder / "hub.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub", "serve", "--config", str(self.folder / "hub.toml")],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.until(lambda: (self.state / "address").exists() and self.is_ready(), 60)

    def is_ready(self) -> bool:
        try:
            return self.client().get("/healthz").status_code == 200
        except httpx2.TransportError:
            return False

    def client(self) -> httpx2.Client:
        """A client with the operator's key."""
        return httpx2.Client(
            base_url=(self.state / "address").read_text("ascii"),
            headers={"authorization": f"Bearer {(self.state / 'operator.key').read_text('ascii')}"},
            timeout=30,
        )

    def until(self, true: Callable[[], bool], seconds: float) -> None:
        """Wait until something is true; fails with the end of the hub's log."""
        end = time.monotonic() + seconds
        while not true():
            assert self.process is not None
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < end, f"it did not become true in {seconds} s\n{self.log()}"
            pause(0.02)

    def log(self) -> str:
        return (self.folder / "hub.log").read_text("utf-8", "replace")[-6000:]

    def kill_worker(self, role: str) -> None:
        """SIGKILL to the first worker of a role."""
        for line in (self.state / "workers").read_text("ascii").splitlines():
            name, pid = line.split()
            if name.startswith(role):
                os.kill(int(pid), signal.SIGKILL)
                return
        raise AssertionError(f"no worker {role}")

    def kill(self) -> None:
        """SIGKILL to all of it, as when the power goes."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """In order."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass
class Handed:
    """What was handed over, by its id, and what the answers were."""

    files: dict[str, list[Row]] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, records: int) -> Handed:
        """Generated records, one in a hundred with a fault, in several files."""
        each = records // FILES
        return cls({f"file-{n}": list(rows(each, faults=0.01, first=1 + n * each)) for n in range(FILES)})

    def hand_over(self, hub: HubProcess, seconds: float = 120) -> None:
        """As a stubborn sender does: with an id, again and again, until there is an answer."""
        for name, source in self.files.items():
            body = b"".join(pieces(iter(source)))
            end = time.monotonic() + seconds
            while name not in self.receipts:
                assert time.monotonic() < end, hub.log()
                try:
                    answer = hub.client().post(
                        "/v1/submissions",
                        params={"connection": "ecology-penalties"},
                        headers={"idempotency-key": name},
                        content=body,
                    )
                except (httpx2.TransportError, FileNotFoundError):
                    pause(0.1)
                    continue
                if answer.status_code in (200, 202):
                    self.receipts[name] = answer.json()["receipt_no"]
                else:
                    assert answer.status_code in (429, 500, 503), answer.text
                    pause(0.1)

    @property
    def keys(self) -> set[str]:
        """cd_id of everything that must arrive."""
        return {f"{ECOLOGY}-{row.key}" for source in self.files.values() for row in source if not row.fault}

    def settled(self, hub: HubProcess) -> bool:
        """Every hand-over has an answer and is settled."""
        if len(self.receipts) < len(self.files):
            return False
        try:
            client = hub.client()
            return all(
                client.get(f"/v1/receipts/{number}", params={"brief": True}).json().get("state") == "settled"
                for number in self.receipts.values()
            )
        except (httpx2.TransportError, FileNotFoundError):
            return False

    def check(self, hub: HubProcess, receiver: Receiver) -> None:
        """Stored once per key and revision; every fault told at its row; counts add up."""
        assert set(receiver.stored) == self.keys
        assert set(receiver.stored.values()) == {1}
        assert Counter(key for key, _, _ in receiver.history) == Counter(self.keys), "each revision is stored once"
        for name, source in self.files.items():
            receipt = self._whole(hub, self.receipts[name])
            counts = receipt["counts"]
            wrong = {n: row.fault for n, row in enumerate(source, 1) if row.fault}
            assert counts["read"] == len(source)
            assert (counts["accepted"], counts["rejected"]) == (len(source) - len(wrong), len(wrong))
            assert counts["held"] == counts["duplicate"] == 0
            told = {record["row"]: {f["code"] for f in record["findings"]} for record in receipt["records"]}
            assert set(told) == set(wrong)
            assert all(code in told[n] for n, code in wrong.items())
            states = {state: n for d in receipt["deliveries"] for state, n in d["states"].items()}
            assert states == {"accepted": counts["accepted"]}

    def _whole(self, hub: HubProcess, number: str) -> dict[str, Any]:
        client = hub.client()
        receipt: dict[str, Any] = client.get(f"/v1/receipts/{number}").json()
        after = receipt.get("next")
        while after:
            more = client.get(f"/v1/receipts/{number}", params={"after": after}).json()
            receipt["records"] += more["records"]
            after = more.get("next")
        return receipt
