"""Failure case 15 at its size: over millions of rows a search, a list and a deletion take what they take over few."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlalchemy import func, select, text

from benchmarks.pages import fill
from benchmarks.pages.city import config
from hub.bootstrap import ledger_url, prepare
from hub.ledger import retention
from hub.ledger.engine import Ledger
from hub.ledger.tables import delivery, record, record_head
from standards.registry import built_in

_SMALL, _LARGE = 7_000, 700_000
#: Rows of the large ledger, of records, heads and deliveries alone.
_ROWS = 2_000_000
_TIMES = 40
#: How much longer a query may take over a hundred times as many rows; and what a median may shake by, in seconds.
_BOUND, _SHAKE = 4.0, 0.002
#: What people and the road ask, by name; the words are drawn from the ledger itself.
ASKED = {
    "hand-overs of a party": "SELECT * FROM submission WHERE party = :party ORDER BY received_at DESC LIMIT 100",
    "a receipt": "SELECT * FROM submission WHERE month = :month AND receipt_no = :receipt_no",
    "records of a subject": "SELECT * FROM record_head WHERE subject = :subject AND subject <> '' LIMIT 100",
    "a record": "SELECT * FROM record_head WHERE key_hash = :key_hash",
    "open cases of a party": "SELECT * FROM case_ WHERE party = :party AND closed_at IS NULL LIMIT 100",
    "parcels of a hand-over": "SELECT * FROM parcel WHERE submission_id = :id",
    "journal of a hand-over": "SELECT * FROM journal WHERE submission_id = :id",
}


@dataclass
class Full:
    """A filled ledger, and words that are in it."""

    ledger: Ledger
    words: list[dict[str, Any]]

    @classmethod
    def of(cls, folder: Path, records: int) -> Full:
        """That many records."""
        (folder / "state").mkdir(parents=True)
        path = folder / "hub.toml"
        path.write_text(
            config(built_in(), state=str(folder / "state"), ledger="", broker="", endpoint="http://127.0.0.1:9/"),
            "utf-8",
        )
        fill(path, records)
        settings, _ = prepare(path)
        ledger = Ledger(ledger_url(settings, Path(settings.hub.state)))
        with ledger.read() as connection:
            many = connection.execute(text("SELECT count(*) FROM submission")).scalar_one()
            found = [
                connection.execute(
                    text(
                        "SELECT s.id, s.month, s.party, s.receipt_no, h.subject, h.key_hash FROM submission s "
                        "JOIN record_head h ON h.rowid = :head LIMIT 1 OFFSET :place"
                    ),
                    {"head": 1 + n * (records // 2) // _TIMES, "place": n * many // _TIMES},
                ).one_or_none()
                for n in range(_TIMES)
            ]
        return cls(ledger, [dict(row._mapping) for row in found if row is not None])

    def rows(self) -> int:
        """Records, heads and deliveries."""
        with self.ledger.read() as connection:
            counts = [connection.execute(select(func.count()).select_from(t)) for t in (record, record_head, delivery)]
            return sum(one.scalar_one() for one in counts)

    def took(self) -> dict[str, float]:
        """The median of each query; each is asked once before it is measured."""
        found = {}
        with self.ledger.read() as connection:
            for name, statement in ASKED.items():
                plan = connection.execute(text(f"EXPLAIN QUERY PLAN {statement}"), self.words[0])
                assert all("SCAN" not in row[3] or "INDEX" in row[3] for row in plan), name
                times = []
                for words in self.words:
                    connection.execute(text(statement), words).all()
                    began = time.perf_counter()
                    connection.execute(text(statement), words).all()
                    times.append(time.perf_counter() - began)
                found[name] = median(times)
        return found

    def deleting(self) -> float:
        """The median of taking a small range of what is old away."""
        before, times = datetime.now(UTC) - timedelta(days=30), []
        for _ in range(9):
            began = time.perf_counter()
            assert self.ledger.write(partial(retention.prune_content, before=before, limit=20)) > 0
            times.append(time.perf_counter() - began)
        return median(times)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Full, Full]]:
    made = Full.of(tmp_path / "small", _SMALL), Full.of(tmp_path / "large", _LARGE)
    yield made
    for one in made:
        one.ledger.close()
    shutil.rmtree(tmp_path)


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_15_search_list_and_deletion_stay_as_quick_over_millions_of_rows(both: tuple[Full, Full]) -> None:
    small, large = both
    assert large.rows() >= _ROWS
    assert min(len(small.words), len(large.words)) >= _TIMES // 2

    few, many = small.took(), large.took()
    few["deleting a small range"], many["deleting a small range"] = small.deleting(), large.deleting()

    for name, seconds in many.items():
        print(f"{name}: {few[name] * 1000:.2f} ms over few, {seconds * 1000:.2f} ms over {large.rows():,} rows")
    slower = {name: (few[name], n) for name, n in many.items() if n > _BOUND * few[name] + _SHAKE}
    assert slower == {}
