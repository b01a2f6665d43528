"""The road at 100,000 records against the baseline, in one run; memory against size; latency of single records.

Same PostgreSQL (fsync on), same RabbitMQ, same file, same endpoint.  The endpoint and the servers share the two cores
with whoever is measured, so only the ratio means something.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psycopg

from benchmarks.baseline import Baseline
from demo.ecology import HEADER, pieces, rows
from tests.services import ports

CONFIG = """
[hub]
name = "bench"
title = "bench"
level = "city"
region = "140200"
code = "11140200E9QM7HGU4X"

[ledger]
url = "{ledger}"

[broker]
url = "{broker}"

[api]
port = 0

[parties.ecology]
title = "市生态环境局"
code = "11140200A4L2GB1F45"

[parties.centre]
title = "省监管数据中心"
code = "11140000N8Y3CP4F3H"
kind = "platform"
level = "province"

[connections.penalties]
party = "ecology"
mapping = "demo_ecology/punish_action"

[destinations.province]
party = "centre"
adapter = "rest_push"
settings = {{ url = "{endpoint}" }}

[[routes]]
to = ["province"]
"""


@dataclass(frozen=True)
class Servers:
    """What both ways share."""

    postgres: str
    amqp: str
    endpoint: str

    def config(self) -> str:
        """The hub.toml of a hub that uses them."""
        return CONFIG.format(ledger=self.postgres, broker=self.amqp, endpoint=self.endpoint)


@contextmanager
def sink() -> Iterator[str]:
    """The endpoint in a process of its own."""
    port = ports.free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.sink", str(port)])
    url = f"http://127.0.0.1:{port}/parcels"
    for _ in range(200):
        try:
            httpx2.post(url, content=b"{}")
            break
        except httpx2.TransportError:
            time.sleep(0.05)
    try:
        yield url
    finally:
        process.terminate()
        process.wait()


def durable(postgres: str) -> None:
    """Make sure that the server writes through, as in production.  Raises RuntimeError when it does not."""
    with psycopg.connect(postgres.replace("postgresql+psycopg", "postgresql")) as connection:
        for name in ("fsync", "synchronous_commit"):
            row = connection.execute(f"SHOW {name}").fetchone()
            if row is None or row[0] != "on":
                raise RuntimeError(f"{name} is {row and row[0]}: nothing would be measured that counts")


class RunningHub:
    """`hub serve` in processes of its own."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        config = folder / "hub.toml"
        config.write_text(text, "utf-8")
        with (folder / "hub.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub", "serve", "--config", str(config)], stdout=log, stderr=log
            )
        state = folder / "state"
        end = time.monotonic() + 60
        while not (state / "address").exists():
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError((folder / "hub.log").read_text())
            time.sleep(0.05)
        self.operator_key = (state / "operator.key").read_text()
        self.client = httpx2.Client(
            base_url=(state / "address").read_text(),
            headers={"authorization": f"Bearer {self.operator_key}"},
            timeout=600,
        )
        while True:
            try:
                if self.client.get("/readyz").status_code == 200:
                    break
            except httpx2.TransportError:
                time.sleep(0.05)

    def memory(self) -> dict[str, float]:
        """Peak memory of each worker process in MB."""
        result = {}
        for line in (self.folder / "state" / "workers").read_text().splitlines():
            name, pid = line.split()
            status = Path(f"/proc/{pid}/status").read_text()
            result[name] = int(status.split("VmHWM:")[1].split()[0]) / 1024
        return result

    def submit(self, file: Path, connection: str = "penalties") -> dict[str, object]:
        """Hand a file over and wait until it is settled."""
        with file.open("rb") as stream:
            answer = self.client.post(
                "/v1/submissions",
                params={"connection": connection, "name": file.name},
                content=stream,
                headers={"content-length": str(file.stat().st_size)},
            )
        answer.raise_for_status()
        number = answer.json()["receipt_no"]
        while True:
            receipt: dict[str, object] = self.client.get(f"/v1/receipts/{number}", params={"brief": True}).json()
            if receipt["state"] == "settled":
                return receipt
            time.sleep(0.05)

    def stop(self) -> None:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def write(file: Path, count: int, first: int = 1) -> Path:
    """A file of that many records, one in a hundred with a fault."""
    with file.open("wb") as stream:
        for piece in pieces(rows(count, faults=0.01, first=first)):
            stream.write(piece)
    return file


def throughput(records: int, baseline_records: int) -> dict[str, object]:
    """Records a second of both ways and their ratio."""
    found = os.environ
    with sink() as endpoint, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        servers = Servers(found["HUB_TEST_POSTGRES_URL"], found["HUB_TEST_AMQP_URL"], endpoint)
        durable(servers.postgres)
        small, large = write(folder / "small.csv", baseline_records), write(folder / "large.csv", records, 1_000_000)
        base = Baseline(servers.postgres, servers.amqp, servers.endpoint).run(small)
        hub = RunningHub(folder, servers.config())
        try:
            hub.submit(write(folder / "warm.csv", records // 20, 500_000))
            memory_small = hub.memory()
            begin = time.perf_counter()
            receipt = hub.submit(large)
            seconds = time.perf_counter() - begin
            memory_large = hub.memory()
        finally:
            hub.stop()
    counts = receipt["counts"]
    assert isinstance(counts, dict)
    assert counts["read"] == records == counts["accepted"] + counts["rejected"], receipt
    ours, theirs = records / seconds, base.read / base.seconds
    return {
        "records": records,
        "seconds": round(seconds, 2),
        "records_per_second": round(ours),
        "baseline_records": base.read,
        "baseline_records_per_second": round(theirs),
        "ratio": round(ours / theirs, 1),
        "counts": counts,
        "peak_memory_mb": {
            name: {"twentieth": round(memory_small[name]), "whole": round(mb)} for name, mb in memory_large.items()
        },
    }


def latency(per_second: float, seconds: float) -> dict[str, object]:
    """How long one pushed record takes from the request to settled, at a steady rate."""
    found = os.environ
    header = ",".join(HEADER)
    with sink() as endpoint, tempfile.TemporaryDirectory() as name:
        servers = Servers(found["HUB_TEST_POSTGRES_URL"], found["HUB_TEST_AMQP_URL"], endpoint)
        durable(servers.postgres)
        hub = RunningHub(Path(name), servers.config())
        times: list[float] = []
        lock = threading.Lock()

        def one(body: bytes) -> None:
            begin = time.perf_counter()
            answer = hub.client.post(
                "/v1/submissions",
                params={"connection": "penalties", "wait": 30, "wait_for": "settled"},
                content=body,
            ).json()
            taken = time.perf_counter() - begin
            assert answer["state"] == "settled", answer
            with lock:
                times.append(taken)

        try:
            bodies = [
                f"{header}\n{','.join(row.values)}\n".encode("gb18030")
                for row in rows(int(per_second * seconds) + 20, first=5_000_000)
            ]
            for body in bodies[:20]:
                one(body)
            times.clear()
            threads = []
            begin = time.perf_counter()
            for n, body in enumerate(bodies[20:]):
                time.sleep(max(0.0, begin + n / per_second - time.perf_counter()))
                threads.append(threading.Thread(target=one, args=(body,)))
                threads[-1].start()
            for thread in threads:
                thread.join()
        finally:
            hub.stop()
    quantiles = statistics.quantiles(times, n=100)
    return {
        "records": len(times),
        "per_second": per_second,
        "p50_ms": round(statistics.median(times) * 1000),
        "p99_ms": round(quantiles[98] * 1000),
        "max_ms": round(max(times) * 1000),
    }


def main(arguments: list[str]) -> int:
    """`road [records] [baseline records]` or `latency [per second] [seconds]`."""
    match arguments:
        case ["latency", *numbers]:
            values = [float(n) for n in numbers]
            print(json.dumps(latency(*(values or [20.0, 30.0])), ensure_ascii=False, indent=2))
        case ["road", *numbers]:
            sizes = [int(n) for n in numbers]
            print(json.dumps(throughput(*(sizes or [100_000, 5_000])), ensure_ascii=False, indent=2))
        case _:
            print(main.__doc__)
            return 2
    return 0
