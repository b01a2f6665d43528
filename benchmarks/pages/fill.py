"""A ledger as it stands after a year of work, written past the road with the ledger's own bulk writers.

Every table that pages read is filled as the road would: hand-overs with raw bytes, chunks with content, records,
heads, findings, parcels, deliveries, attempts, receipts, cases, holds, tallies, journal.  1 to 3 % of records are
faulty, a fiftieth came singly, one destination of two is paused with a backlog of some days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import text

from benchmarks.pages.around import Around
from benchmarks.pages.city import CREDIT, PROVINCE, Feed, feeds
from benchmarks.pages.rows import Rows, identifier_at
from benchmarks.pages.shapes import Shape, shape_of
from hub import evaluated
from hub.ledger import migrate, numbers
from hub.ledger.engine import Ledger
from hub.ledger.journal import digest_of
from hub.ledger.tables import (
    attempt,
    case_,
    chunk,
    delivery,
    finding,
    hold,
    item_use,
    journal,
    parcel,
    payload,
    receipt,
    record,
    record_head,
    submission,
)
from hub.ledger.types import month_of
from hub.packing import packed
from standards.calendar import WorkCalendar
from standards.clock import SHANGHAI, local
from standards.digest import sm3
from standards.registry import Standard

DAYS = 365
_CHUNK = 500
_WRITE_AT = 150_000
#: Sizes of hand-overs around the mean, and every so manieth record comes singly.
_SIZES = (0.2, 0.4, 0.7, 1.0, 1.2, 2.5)
_SINGLE = 50
_CODES = ("10001", "10002", "10004.date", "10005", "10006.uscc", "10004.decimal")
#: Of a hundred records: rejected, held, duplicate.
_REJECTED, _HELD, _DUPLICATE = 2.0, 0.2, 0.3
#: Share of cases that were mended.
_MENDED = 0.7
#: Days that the paused destination is behind.
_BEHIND = timedelta(days=3)


@dataclass(slots=True)
class Filler:
    """Fills one ledger."""

    ledger: Ledger
    standard: Standard
    now: datetime
    due: Callable[[datetime], datetime | None]
    random: Random = field(default_factory=lambda: Random(5))
    rows: Rows = field(default_factory=Rows)
    calendar: WorkCalendar = field(default_factory=WorkCalendar)
    uses: set[tuple[str, str, str]] = field(default_factory=set)
    tallies: Counter[tuple[str, str, str, str, str]] = field(default_factory=Counter)
    records: int = 0
    faulty: int = 0
    open_cases: int = 0
    _running: Counter[str] = field(default_factory=Counter)
    _shapes: dict[str, Shape] = field(default_factory=dict)
    _subjects: list[str] = field(default_factory=list)
    _writing: Future[None] | None = None

    def fill(self, count: int) -> None:
        """Write `count` records and what belongs to them."""
        self._shapes = {one.id: shape_of(self.standard, one.id) for one in self.standard}
        self._subjects = [f"91140200MA{n:07}X" for n in range(max(50, count // 20))]
        begin = self.now - timedelta(days=DAYS)
        self.ledger.write(lambda c: migrate.make_partitions(c, migrate.months_from(begin, 14)))
        with without_index(self.ledger), ThreadPoolExecutor(1) as pool:
            for moment, feed, size in hand_overs(count, feeds(self.standard), begin, self.random):
                self._hand_over(moment, feed, size)
                if self.rows.count >= _WRITE_AT:
                    self._write(pool)
            around = Around(self.standard, self.now, self.random, self.due)
            around.add(self.rows, max(1_200, min(20_000, count // 200)), self.tallies)
            used = sorted(self.uses)
            self.rows.add(
                item_use, len(used), {name: [one[i] for one in used] for i, name in enumerate(("day", "owner", "item"))}
            )
            self._write(pool)
            self._write(pool)
        today = self._day_of(self.now).replace("-", "")
        self.ledger.write(lambda c: numbers.raise_to(c, "receipt", today, 500_000))

    def _write(self, pool: Executor) -> None:
        """In a thread of its own, while the next rows are made."""
        if self._writing is not None:
            self._writing.result()
        rows, self.rows = self.rows, Rows()
        self._writing = pool.submit(self.ledger.write, rows.write)

    @staticmethod
    def _day_of(moment: datetime) -> str:
        return local(moment).date().isoformat()

    def _hand_over(self, moment: datetime, feed: Feed, size: int) -> None:
        shape, day = self._shapes[feed.dataset], self._day_of(moment)
        identifier = identifier_at(moment)
        month = month_of(identifier)
        self._running[day] += 1
        number = numbers.receipt_number(day.replace("-", ""), self._running[day])
        verdicts = self._verdicts(size)
        made = _Records.make(shape, feed, self.records, verdicts, moment, self._subjects, self.random)
        self.records += size
        counts = Counter(verdicts)
        held = {name: counts[name] for name in ("accepted", "rejected", "held", "duplicate")}
        raw = b"\n".join(made.lines)
        judged = moment + timedelta(seconds=5 + size / 1000)
        open_parcels = 0
        for destination in self._destinations(feed):
            open_parcels += self._parcels(identifier, month, feed, destination, made, judged)
        self.rows.add(
            submission,
            1,
            {
                **{"month": month, "id": identifier, "receipt_no": number, "version": 1, "party": feed.party},
                **{"connection": feed.connection, "dataset": feed.dataset, "lane": "bulk" if size > 1 else "now"},
                **{"name": f"{feed.dataset}-{day}.ndjson" if size > 1 else "", "size": len(raw)},
                **{"digest": sm3(raw).hex(), "format": "ndjson", "encoding": "utf-8", "generation": 1},
                "state": "judged" if open_parcels else "settled",
                **{"received_at": moment, "judged_at": judged, "settled_at": None if open_parcels else judged},
                **{"chunks": -(-size // _CHUNK), "read": size, **held, "open_parcels": open_parcels},
            },
        )
        part = {"month": month, "submission_id": identifier, "part": 0, "raw_size": len(raw), "data": packed(raw)}
        self.rows.add(payload, 1, part)
        self._contents(identifier, month, feed, made, judged)
        self._wrong(identifier, month, feed, shape, made, moment)
        self._told(identifier, month, feed, held, judged, size)
        told = [one for one, verdict in zip(made.days, verdicts, strict=True) if verdict == "accepted"]
        timely = evaluated.counters(told, local(moment).date(), shape.dataset, self.calendar)
        if evaluated.item_elements(shape.dataset):
            self.uses.update((day, feed.owner, f"140100{self.random.randrange(40):02}") for day in set(told))
        for name, n in (("read", size), *held.items(), *timely.items()):
            self.tallies[day, feed.party, feed.dataset, "", name] += n

    def _verdicts(self, size: int) -> list[str]:
        limits = (_REJECTED, _REJECTED + _HELD, _REJECTED + _HELD + _DUPLICATE)
        drawn = (self.random.random() * 100 for _ in range(size))
        return [
            "accepted" if x >= limits[2] else "rejected" if x < limits[0] else "held" if x < limits[1] else "duplicate"
            for x in drawn
        ]

    @staticmethod
    def _destinations(feed: Feed) -> tuple[str, ...]:
        return (PROVINCE, CREDIT) if feed.dataset.startswith("credit_") else (PROVINCE,)

    def _contents(self, identifier: Any, month: int, feed: Feed, made: _Records, at: datetime) -> None:
        size = len(made.verdicts)
        chunks = [n // _CHUNK for n in range(size)]
        line_of, indexes = Counter[int](), []
        for seq, verdict in zip(chunks, made.verdicts, strict=True):
            indexes.append(None if verdict == "rejected" else line_of[seq])
            line_of[seq] += verdict != "rejected"
        for seq in range(-(-size // _CHUNK)):
            part = range(seq * _CHUNK, min(size, (seq + 1) * _CHUNK))
            lines = [made.lines[n] for n in part if indexes[n] is not None]
            self.rows.add(
                chunk,
                1,
                {
                    **{"month": month, "submission_id": identifier, "seq": seq, "dataset": feed.dataset},
                    **{"dataset_version": self._shapes[feed.dataset].dataset.version, "mapping": ""},
                    **{"first_row": part.start + 1, "count": len(part), "stored_at": at},
                    "content": packed(b"\n".join(lines)) if lines else None,
                },
            )
        new = [n for n, verdict in enumerate(made.verdicts) if verdict == "accepted"]
        self.rows.add(
            record,
            size,
            {
                **{"month": month, "submission_id": identifier, "row_no": list(range(1, size + 1)), "chunk": chunks},
                **{"idx": indexes, "place": [f"line:{n}" for n in range(1, size + 1)], "verdict": made.verdicts},
                **{"key_hash": made.keys, "owner": feed.owner, "cd_id": made.identities, "revision": 1},
                **{"operation": "i", "digest": made.digests, "event_date": made.days},
            },
        )
        self.rows.add(
            record_head,
            len(new),
            {
                **{"key_hash": [made.keys[n] for n in new], "owner": feed.owner, "dataset": feed.dataset},
                **{"cd_id": [made.identities[n] for n in new], "revision": 1, "operation": "i"},
                **{"digest": [made.digests[n] for n in new], "bucket": [made.keys[n][0] for n in new]},
                **{"subject": [made.subjects[n] for n in new], "event_date": [made.days[n] for n in new]},
                **{"party": feed.party, "submission_id": identifier, "row_no": [n + 1 for n in new], "updated_at": at},
            },
        )

    def _parcels(self, identifier: Any, month: int, feed: Feed, destination: str, made: _Records, at: datetime) -> int:
        """Parcels, deliveries, attempts and receipts; how many are open."""
        rows = [n + 1 for n, verdict in enumerate(made.verdicts) if verdict == "accepted"]
        waits = destination == CREDIT and at > self.now - _BEHIND
        opened = 0
        for start in range(0, len(rows), _CHUNK):
            its = rows[start : start + _CHUNK]
            one, ended = identifier_at(at, start), at + timedelta(seconds=self.random.uniform(0.2, 90))
            refused = 0 if waits or self.random.random() > 0.002 else 1
            state = "waiting" if waits else "partly" if refused else "accepted"
            self.rows.add(
                parcel,
                1,
                {
                    **{"month": month_of(one), "id": one, "destination": destination, "direction": "up"},
                    **{"lane": "bulk", "dataset": feed.dataset, "dataset_version": "1", "submission_id": identifier},
                    **{"chunk": start // _CHUNK, "first_row": its[0], "last_row": its[-1], "count": len(its)},
                    **{"state": state, "attempts": 0 if waits else 1, "created_at": at, "published_at": at},
                    **{"sent_at": None if waits else at, "ended_at": None if waits else ended},
                    **{"accepted": 0 if waits else len(its) - refused, "refused": refused},
                },
            )
            self.rows.add(
                delivery,
                len(its),
                {
                    **{"month": month, "submission_id": identifier, "row_no": its, "destination": destination},
                    "parcel_id": one,
                },
            )
            day = self._day_of(at)
            self.tallies[day, feed.party, feed.dataset, destination, "routed"] += len(its)
            opened += waits
            if waits:
                continue
            tried = {"month": month_of(one), "parcel_id": one, "no": 1, "started_at": at, "ended_at": ended}
            self.rows.add(attempt, 1, {**tried, "outcome": "delivered"})
            self._spoke(identifier, month, one, destination, len(its) - refused, refused, ended)
            self.tallies[day, feed.party, feed.dataset, destination, "delivered"] += len(its) - refused
            self.tallies[day, feed.party, feed.dataset, destination, "refused"] += refused
        return opened

    def _spoke(self, identifier: Any, month: int, one: Any, speaker: str, ok: int, bad: int, at: datetime) -> None:
        self.rows.add(
            receipt,
            1,
            {
                **{"month": month, "id": identifier_at(at), "submission_id": identifier, "parcel_id": one},
                **{"level": "province" if one else "city", "speaker": speaker},
                **{"result": ("partly" if bad else "accepted") if one else "judged"},
                **{"accepted": ok, "refused": bad, "received_at": at},
            },
        )

    def _wrong(self, identifier: Any, month: int, feed: Feed, shape: Shape, made: _Records, at: datetime) -> None:
        """Findings and cases of rejected records, holds of held ones."""
        wrong = [n for n, verdict in enumerate(made.verdicts) if verdict == "rejected"]
        codes = [self.random.choice(_CODES) for _ in wrong]
        self.faulty += len(wrong)
        self.rows.add(
            finding,
            len(wrong),
            {
                **{"month": month, "submission_id": identifier, "row_no": [n + 1 for n in wrong], "no": 1},
                **{"party": feed.party, "dataset": feed.dataset, "element": shape.element, "field": shape.element},
                **{"place": [f"line:{n + 1}" for n in wrong], "code": codes, "severity": "error", "value": "?"},
            },
        )
        for code in codes:
            self.tallies[self._day_of(at), feed.party, feed.dataset, "", f"finding.{code}"] += 1
        due = self.due(at)
        old = at < self.now - timedelta(days=90)
        closed = [at + timedelta(hours=20) if old or self.random.random() < _MENDED else None for _ in wrong]
        self.open_cases += closed.count(None)
        self.rows.add(
            case_,
            len(wrong),
            {
                **{"id": [identifier_at(at, n) for n in wrong], "class_": "2", "party": feed.party},
                **{"state": ["4" if one else "1" for one in closed], "dataset": feed.dataset, "owner": feed.owner},
                **{"key_hash": [made.keys[n] for n in wrong], "submission_id": identifier, "code": codes},
                **{"row_no": [n + 1 for n in wrong], "opened_at": at, "last_at": at, "due_at": due},
                **{"closed_at": closed, "closed_by": ["data" if one else "" for one in closed]},
                **{"element": shape.element, "cause": [cause_of(feed.party, feed.dataset, code) for code in codes]},
            },
        )
        waiting = [n for n, verdict in enumerate(made.verdicts) if verdict == "held"]
        ended = None if at > self.now - timedelta(days=3) else at + timedelta(hours=30)
        self.rows.add(
            hold,
            len(waiting),
            {
                **{"submission_id": identifier, "row_no": [n + 1 for n in waiting], "owner": feed.owner},
                **{"key_hash": [made.keys[n] for n in waiting], "party": feed.party, "dataset": feed.dataset},
                **{"code": "30004", "opened_at": at, "due_at": at + timedelta(days=30), "ended_at": ended},
            },
        )

    def _told(self, identifier: Any, month: int, feed: Feed, held: dict[str, int], at: datetime, size: int) -> None:
        self._spoke(identifier, month, None, "bench", held["accepted"], held["rejected"], at)
        entries = [("received", "{}"), ("chunk_judged", f'{{"chunk":0,"first_row":1,"read":{size}}}')]
        self.rows.add(
            journal,
            len(entries),
            {
                **{"at": at, "action": [action for action, _ in entries], "actor": "bench"},
                **{"submission_id": identifier, "parcel_id": None, "detail": [detail for _, detail in entries]},
                "digest": [digest_of(at, action, "bench", identifier, None, detail) for action, detail in entries],
            },
        )


def cause_of(*words: str) -> str:
    """What stands for a failure group."""
    return sm3("\x1f".join(words).encode()).hex()[:16]


@dataclass(frozen=True, slots=True)
class _Records:
    """The records of one hand-over, column by column."""

    verdicts: list[str]
    lines: list[bytes]
    keys: list[bytes]
    identities: list[str]
    digests: list[bytes]
    days: list[str]
    subjects: list[str]

    @classmethod
    def make(
        cls,
        shape: Shape,
        feed: Feed,
        first: int,
        verdicts: list[str],
        at: datetime,
        subjects: list[str],
        random: Random,
    ) -> _Records:
        """Numbered from `first`; what they tell of happened within nine days before."""
        size = len(verdicts)
        recent = [(at - timedelta(days=n)).strftime("%Y-%m-%d") for n in range(9)]
        chosen = [recent[int(random.random() * random.random() * 9)] for _ in range(size)]
        days = chosen if shape.has_day else [""] * size
        whom = [subjects[int(random.random() * len(subjects))] for _ in range(size)]
        names = [f"{1402000000000000 + first + n}" for n in range(size)]
        keys = list(map(shape.key, names, days, whom))
        lines = list(map(shape.line, names, days, whom))
        return cls(
            verdicts,
            lines,
            [shape.hashed(key) for key in keys],
            [shape.identity(feed.owner, key) for key in keys],
            list(map(sm3, lines)),
            days,
            whom if shape.has_subject else [""] * size,
        )


def hand_overs(count: int, used: list[Feed], begin: datetime, random: Random) -> Iterator[tuple[datetime, Feed, int]]:
    """When what comes through which connection, with how many records: a file a day of each, in the order of time."""
    weights = [one.weight for one in used]
    singles = count // _SINGLE
    each = max(20, (count - singles) // (DAYS * len(used)))
    files = max(1, (count - singles) // each)
    left, alone = count, 0
    midnight = datetime.combine(local(begin).date() + timedelta(days=1), time(), SHANGHAI)
    last = midnight + timedelta(days=DAYS - 1)
    for n in range(files):
        at = midnight + (last - midnight) * n / files
        while alone < singles * (n + 1) // files and left > 1:
            alone, left = alone + 1, left - 1
            yield at, used[alone % len(used)], 1
        feed = random.choices(used, weights)[0]
        size = min(left, max(1, round(each * random.choice(_SIZES)))) if n < files - 1 else left
        if size:
            left -= size
            yield at, feed, size


@contextmanager
def without_index(ledger: Ledger) -> Iterator[None]:
    """The index of random keys is made at the end, as a restore would; with it what vacuum does over night."""
    if ledger.name != "postgresql":
        yield
        return
    ledger.write(lambda c: c.execute(text("ALTER TABLE record_head DROP CONSTRAINT pk_record_head")))
    yield
    key = "ALTER TABLE record_head ADD CONSTRAINT pk_record_head PRIMARY KEY (key_hash, owner)"
    ledger.write(lambda c: c.execute(text(key)))
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
