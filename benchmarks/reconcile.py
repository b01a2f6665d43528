"""Two hubs with a million records each, five of which differ: how long until they are found, and how much is said.

`./run bench reconcile [records] [pg]`: two hubs as processes of their own, over HTTP; their ledgers (SQLite, or two
databases on the server that `./run bench` brings) are filled in bulk.  Meanwhile records are handed over to the lower
hub, new ones and new revisions, which travel to the upper one.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, delete, update
from sqlalchemy.engine import make_url

from hub.bootstrap import build, prepare
from hub.cli.client import Client
from hub.ledger import bulk, credentials
from hub.ledger.engine import Ledger
from hub.ledger.tables import delivery, origin_revision, parcel, record_head
from hub.ledger.types import month_of
from standards.clock import SystemClock
from standards.digest import sm3, uuid7s
from standards.registry import built_in
from standards.samples import valid_records

DATASET = "punish_action"
OWNER = "11140200A4L2GB1F45"
CONFIG = """
[hub]
name = "{name}"
title = "{name}"
level = "{level}"
region = "{region}"
code = "{code}"

[ledger]
url = "{ledger}"

[api]
port = {port}

[parties.bureau]
title = "市生态环境局"
code = "11140200A4L2GB1F45"

[parties.other]
title = "另一级枢纽"
code = "{other}"
kind = "hub"
level = "{other_level}"

{more}
"""
LOWER = """
[connections.penalties]
party = "bureau"
dataset = "punish_action"

[destinations.above]
party = "other"
adapter = "hub"
settings = {{ url = "{url}", key = "file:{key}" }}

[[routes]]
to = ["above"]
"""
UPPER = """
[connections.below]
party = "other"
adapter = "hub"
"""
CITY, PROVINCE = "11140200E9QM7HGU4X", "11140000N8Y3CP4F3H"
_PARCEL = 500
_FILE = 50_000
#: Records of one hand-over of the traffic, every second one of which is told again with other content.
_HANDED = 100
_RUNS = 3
#: Seconds of traffic before the first comparison, and of rest before the last.
_BEFORE = 10.0
_AFTER = 10.0


@dataclass(slots=True)
class Traffic:
    """Hands records over until it is told to stop."""

    client: Client
    handed: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Two hand-overs a second."""
        row = next(iter(valid_records(built_in().dataset(DATASET), built_in(), 1)))
        while not self._stop.wait(0.5):
            first = self.handed // 2
            rows = [row | {"punish_action_code": f"T{first + n}"} for n in range(_HANDED // 2)]
            again = [{**one, "administrative_cp": f"大同第{self.handed}商贸有限公司"} for one in rows]
            for some in (rows, again):
                self.client.post("/v1/submissions", some, connection="penalties")
            self.handed += _HANDED

    def stop(self) -> None:
        """No more."""
        self._stop.set()


def fill(lower: Ledger, upper: Ledger, count: int) -> list[bytes]:
    """The same records in both ledgers, delivered and accepted yesterday; the keys."""
    when = SystemClock().now() - timedelta(days=1)
    keys: list[bytes] = []
    for start in range(0, count, _FILE):
        size = min(_FILE, count - start)
        some = [sm3(f"{DATASET}\x1fCF{start + n}".encode())[:16] for n in range(size)]
        keys += some
        names = [f"{OWNER}-CF{start + n}" for n in range(size)]
        here, there = uuid7s(1)[0], uuid7s(1)[0]
        lower.write(lambda c, s=some, n=names, i=here: _delivered(c, s, n, i, when))  # type: ignore[misc]
        upper.write(lambda c, s=some, n=names, i=there: _reported(c, s, n, i, when))  # type: ignore[misc]
    return keys


def _heads(connection: Connection, keys: list[bytes], names: list[str], party: str, one: UUID, when: datetime) -> None:
    columns: dict[str, Any] = {
        "key_hash": keys,
        "owner": OWNER,
        "dataset": DATASET,
        "cd_id": names,
        "revision": 1,
        "operation": "i",
        "digest": [sm3(key) for key in keys],
        "bucket": [key[0] for key in keys],
        "subject": "91140200MA0G000000",
        "subject_index": None,
        "event_date": "2026-09-10",
        "party": party,
        "submission_id": one,
        "row_no": list(range(1, len(keys) + 1)),
        "updated_at": when,
    }
    bulk.insert(connection, record_head, columns, len(keys))


def _delivered(connection: Connection, keys: list[bytes], names: list[str], one: UUID, when: datetime) -> None:
    _heads(connection, keys, names, "bureau", one, when)
    firsts = list(range(1, len(keys) + 1, _PARCEL))
    sizes = [min(_PARCEL, len(keys) + 1 - first) for first in firsts]
    ids = uuid7s(len(firsts))
    parcels: dict[str, Any] = {
        "month": month_of(one),
        "id": ids,
        "destination": "above",
        "direction": "up",
        "lane": "bulk",
        "dataset": DATASET,
        "dataset_version": "1",
        "submission_id": one,
        "chunk": 0,
        "first_row": firsts,
        "last_row": [first + size - 1 for first, size in zip(firsts, sizes, strict=True)],
        "count": sizes,
        "state": "accepted",
        "created_at": when,
        "sent_at": when,
        "ended_at": when,
        "accepted": sizes,
    }
    bulk.insert(connection, parcel, parcels, len(firsts))
    deliveries: dict[str, Any] = {
        "month": month_of(one),
        "submission_id": one,
        "row_no": list(range(1, len(keys) + 1)),
        "destination": "above",
        "parcel_id": [ids[n // _PARCEL] for n in range(len(keys))],
    }
    bulk.insert(connection, delivery, deliveries, len(keys))


def _reported(connection: Connection, keys: list[bytes], names: list[str], one: UUID, when: datetime) -> None:
    _heads(connection, keys, names, "other", one, when)
    bulk.insert(connection, origin_revision, {"key_hash": keys, "owner": OWNER, "revision": 1}, len(keys))


def spoil(lower: Ledger, upper: Ledger, keys: list[bytes]) -> None:
    """Two are not there, two are another revision there, one is only there."""
    upper.write(lambda c: c.execute(delete(record_head).where(record_head.c.key_hash.in_(keys[:2]))))
    older = update(origin_revision).where(origin_revision.c.key_hash.in_(keys[2:4])).values(revision=2)
    upper.write(lambda c: c.execute(older))
    lower.write(lambda c: c.execute(delete(record_head).where(record_head.c.key_hash == keys[4])))


@contextmanager
def served(path: Path) -> Iterator[tuple[Client, int]]:
    """A hub as a process of its own, and its number."""
    address = path.parent / "state" / "address"
    with (path.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "serve", "--config", str(path)], stdout=log, stderr=log
        )
        try:
            end = time.monotonic() + 60
            while not address.exists():
                if process.poll() is not None or time.monotonic() > end:
                    raise SystemExit((path.parent / "log").read_text("utf-8")[-2000:])
                time.sleep(0.05)
            yield Client.find(path), process.pid
        finally:
            process.terminate()
            process.wait(60)


def cpu_seconds(pid: int) -> float:
    """Seconds of work of a process and of those it started, so far."""
    parts = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    own = (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return own + sum(cpu_seconds(int(child)) for child in children)


def databases(wanted: bool) -> tuple[str, str]:
    """Two fresh databases on the server of `./run bench`, or SQLite."""
    if not wanted:
        return "", ""
    server = make_url(os.environ.get("HUB_TEST_POSTGRES_URL") or os.environ["DATABASE_URL"])
    made = []
    with psycopg.connect(
        server.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as connection:
        for name in ("reconcile_lower", "reconcile_upper"):
            connection.execute(f"DROP DATABASE IF EXISTS {name}")
            connection.execute(f"CREATE DATABASE {name}")
            made.append(server.set(database=name).render_as_string(hide_password=False))
    return made[0], made[1]


def lay_out(folder: Path, urls: tuple[str, str]) -> tuple[Path, Path]:
    """Both settings files."""
    port = free_port()
    key = folder / "below.key"
    texts = {
        "upper": CONFIG.format(
            name="upper", level="province", region="140000", code=PROVINCE, ledger=urls[1], port=port, other=CITY,
            other_level="city", more=UPPER,
        ),
        "lower": CONFIG.format(
            name="lower", level="city", region="140200", code=CITY, ledger=urls[0], port=0, other=PROVINCE,
            other_level="province", more=LOWER.format(url=f"http://127.0.0.1:{port}", key=key),
        ),
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).mkdir()
        (folder / name / "hub.toml").write_text(text, "utf-8")
    return folder / "lower" / "hub.toml", folder / "upper" / "hub.toml"


def prepared(lower: Path, upper: Path, count: int) -> float:
    """Fill both ledgers and give the lower hub its key; how many seconds it took."""
    began = time.monotonic()
    key = upper.parent.parent / "below.key"
    key.touch()
    hubs = [build(prepare(path)[0]) for path in (lower, upper)]
    made = hubs[1].ledger.write(lambda c: credentials.make(c, "other", hubs[1].clock.now(), by="bench"))
    key.write_text(made[1], "ascii")
    keys = fill(hubs[0].ledger, hubs[1].ledger, count)
    spoil(hubs[0].ledger, hubs[1].ledger, keys)
    for hub in hubs:
        if hub.ledger.name == "postgresql":
            with hub.ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
        hub.ledger.close()
    return time.monotonic() - began


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def measure(count: int, urls: tuple[str, str]) -> list[dict[str, Any]]:
    """What each comparison found, how long it took, how much was said: some with traffic, one without."""
    with tempfile.TemporaryDirectory() as folder:
        lower, upper = lay_out(Path(folder), urls)
        filled = prepared(lower, upper, count)
        of_all = {"ledger": "postgresql" if urls[0] else "sqlite", "records": count, "filled_seconds": round(filled, 1)}
        return [{**of_all, **one} for one in compared(lower, upper)]


def compared(lower: Path, upper: Path) -> list[dict[str, Any]]:
    """Serve both and compare them."""
    with served(upper) as (_, above), served(lower) as (client, below):
        traffic = Traffic(Client.find(lower))
        thread = threading.Thread(target=traffic.run, daemon=True)
        thread.start()
        time.sleep(_BEFORE)
        runs = [_compare(client, traffic, (above, below)) for _ in range(_RUNS)]
        traffic.stop()
        thread.join(30)
        time.sleep(_AFTER)
        runs.append(_compare(client, traffic, (above, below)))
    return runs


def _compare(client: Client, traffic: Traffic, hubs: tuple[int, int]) -> dict[str, Any]:
    handed, work = traffic.handed, sum(map(cpu_seconds, hubs))
    began = time.monotonic()
    (found,) = client.post("/v1/reconciliations", {"destination": "above", "datasets": [DATASET]})
    took = time.monotonic() - began
    return {
        "seconds": round(took, 2),
        "seconds_of_work": round(found["ours"]["work"] + found["theirs"]["work"], 2),
        "cpu_seconds_of_both_hubs": round(sum(map(cpu_seconds, hubs)) - work, 2),
        "load_average": round(os.getloadavg()[0], 1),
        "bytes": found["bytes"],
        "handed_over_meanwhile": traffic.handed - handed,
        **{name: found[name] for name in ("missing", "extra", "differs", "under_way")},
        "ours": found["ours"]["records"],
        "theirs": found["theirs"]["records"],
    }


def main(arguments: list[str]) -> int:
    """Print what each comparison came to; 1 when the five were not found in 10 seconds and a megabyte."""
    count = int(arguments[0]) if arguments else 1_000_000
    runs = measure(count, databases("pg" in arguments))
    for one in runs:
        print(json.dumps(one))
    right = all((one["missing"], one["extra"], one["differs"]) == (2, 1, 2) for one in runs)
    right = right and all(one["handed_over_meanwhile"] for one in runs[:_RUNS])
    return 0 if right and all(one["seconds_of_work"] < 10 and one["bytes"] < 1_000_000 for one in runs) else 1
