"""How long each page of the console and of the sender's window takes over a year's records, while files come in.

`./run bench pages [records] [times] [sqlite] [ledger=URL]`: 5,000,000 records on PostgreSQL with RabbitMQ, or
1,000,000 on SQLite; `ledger=` names one that was filled before (and is then asked as it is).
Real processes; the ledger is filled past the road, the bulk road then runs over the same hub.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import func, select

from benchmarks.pages.ask import BOUND, measure, told
from benchmarks.pages.city import BULK, config
from benchmarks.pages.fill import Filler
from benchmarks.pages.routes import METRICS, Asked, asked, pages, unasked, values
from benchmarks.road import RunningHub, sink, write
from hub.bootstrap import build, ledger_url, prepare
from hub.deadlines import Deadlines
from hub.ledger import credentials, migrate
from hub.ledger.engine import Ledger
from hub.ledger.tables import case_, submission
from standards.registry import built_in

PARTY = "p01"
#: Records of one file of the bulk road, and how many files there are.
_FILE, _FILES = 5_000, 40


def main(arguments: list[str]) -> int:
    """Print the figures; 1 when a page is slower than it may be, or fails."""
    on_sqlite = "sqlite" in arguments
    numbers = [int(one) for one in arguments if one.isdigit()]
    records = numbers[0] if numbers else 1_000_000 if on_sqlite else 5_000_000
    times = numbers[1] if len(numbers) > 1 else 100
    there = next((one.removeprefix("ledger=") for one in arguments if one.startswith("ledger=")), "")
    with sink() as endpoint, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {} if on_sqlite else os.environ
        text = config(
            built_in(),
            state=str(folder / "state"),
            ledger=there or found.get("HUB_TEST_POSTGRES_URL", ""),
            broker=found.get("HUB_TEST_AMQP_URL", ""),
            endpoint=endpoint,
        )
        (folder / "state").mkdir()
        (folder / "hub.toml").write_text(text, "utf-8")
        filled, key = fill(folder / "hub.toml", 0 if there else records)
        result = {"ledger": "sqlite" if on_sqlite else "postgresql", **filled, **run(folder, text, key, times)}
    print(json.dumps(result, ensure_ascii=False, indent=2))
    return 1 if result["over"] or any(row["failed"] for row in result["pages"]) else 0


def fill(path: Path, records: int) -> tuple[dict[str, Any], str]:
    """A year's records, unless they are there; what there is, and a key of a party."""
    settings, _ = prepare(path)
    ledger, now = Ledger(ledger_url(settings, Path(settings.hub.state))), datetime.now(UTC)
    due, begin = Deadlines(settings.cases.working_days), time.monotonic()
    migrate.upgrade(ledger, now)
    filler = Filler(ledger, built_in(), now, lambda at: due(at).at)
    if records:
        filler.fill(records)
    _, key = ledger.write(lambda c: credentials.make(c, PARTY, now, note="bench"))
    print(f"filled in {time.monotonic() - begin:.0f} s", file=sys.stderr)
    with ledger.read() as connection:
        whole = func.coalesce(func.sum(submission.c.read), 0)
        read, handed = connection.execute(select(whole, func.count()).select_from(submission)).one()
        open_ones = select(func.count()).select_from(case_).where(case_.c.closed_at.is_(None))
        counts = {"records": read, "hand_overs": handed, "open_cases": connection.execute(open_ones).scalar_one()}
    ledger.close()
    return {**counts, "fill_seconds": round(time.monotonic() - begin)}, key


def run(folder: Path, text: str, key: str, times: int) -> dict[str, Any]:
    """Start the hub, let files come in, ask every page."""
    files = [write(folder / f"bulk{n}.csv", _FILE, 10_000_000 + n * _FILE) for n in range(_FILES)]
    hub = RunningHub(folder, text)
    try:
        wanted = addresses(folder / "hub.toml", times)
        clients = {"console": session(hub, "console", hub.operator_key), "sender": session(hub, "sender", key)}
        clients["metrics"] = clients["console"]
        quiet = told(measure(clients, wanted[:: max(1, times // 20)]))
        bulk = Bulk(hub, files)
        alone = bulk.rate(4)
        bulk.start()
        begin = time.monotonic()
        took = measure(clients, wanted)
        seconds = time.monotonic() - begin
        beside = bulk.stop()
    finally:
        hub.stop()
    rows, missing = told(took), unasked(pages(), wanted)
    calm = {row["page"]: row["p95_ms"] for row in quiet}
    every = sorted(one for some in took.values() for one, _ in some)
    return {
        "load": os.getloadavg()[0],
        "bulk_records_per_second": {"alone": round(alone), "while_pages_are_asked": round(beside)},
        "pages_per_second": round(len(every) / seconds, 1),
        "all": {"asked": len(every), "p50_ms": every[len(every) // 2], "p95_ms": every[len(every) * 95 // 100]},
        "not_asked": missing,
        "over": [row["page"] for row in rows if row["p95_ms"] > BOUND],
        "pages": [{**row, "p95_ms_without_bulk": calm.get(row["page"])} for row in rows],
    }


def addresses(path: Path, times: int) -> list[Asked]:
    """Every page, so many times, with real numbers."""
    settings, _ = prepare(path)
    hub = build(settings)
    try:
        generation, found = hub.generations.current(), []
        for room, party in (("console", ""), ("sender", PARTY)):
            with hub.ledger.read() as connection:
                known = values(connection, settings, generation.standard, party)
            found += asked(pages(), room, known, times)
        return found + [Asked(METRICS, METRICS)] * times
    finally:
        hub.ledger.close()


def session(hub: RunningHub, room: str, key: str) -> httpx2.Client:
    """Somebody who is logged in.  Raises RuntimeError when the door stays shut."""
    client = httpx2.Client(base_url=hub.client.base_url, timeout=600)
    answer = client.post(f"/{room}/login", data={"key": key})
    if answer.status_code != 303:
        raise RuntimeError(f"no way into /{room}: {answer.status_code}")
    return client


class Bulk:
    """Files that come in one after the other."""

    def __init__(self, hub: RunningHub, files: list[Path]) -> None:
        self._hub, self._files = hub, files
        self._next, self._read, self._began = 0, 0, 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _one(self) -> int:
        """The records of one file; it is read anew as repeats when all were."""
        file = self._files[self._next % len(self._files)]
        self._next += 1
        receipt: Any = self._hub.submit(file, BULK)
        return int(receipt["counts"]["read"])

    def rate(self, files: int) -> float:
        """Records a second when nothing else is asked."""
        self._one()
        begin = time.monotonic()
        return sum(self._one() for _ in range(files)) / (time.monotonic() - begin)

    def start(self) -> None:
        """Again and again from now on."""
        self._began = time.monotonic()
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._read += self._one()

    def stop(self) -> float:
        """End after the file in hand; records a second since the start."""
        self._stop.set()
        self._thread.join()
        return self._read / (time.monotonic() - self._began)
