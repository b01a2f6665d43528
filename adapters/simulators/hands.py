"""The active half of a simulated system: it posts, calls, puts files into folders, writes rows, fetches its mailbox.

It is a patient sender: what it could not hand over it hands over again, with the same id.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import Column, MetaData, String, Table, create_engine, insert, select, update

from adapters.simulators.faults import Dice, Faults
from adapters.simulators.receiving import Receiving
from adapters.simulators.records import Made, written
from adapters.systems.definition import Feed
from standards.clock import SHANGHAI
from standards.digest import uuid7

_TIMEOUT = 30.0


@dataclass(slots=True)
class Door:
    """The hub as this party reaches it."""

    url: str
    key: str
    client: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        headers = {"authorization": f"Bearer {self.key}"}
        self.client = httpx2.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT, trust_env=False)

    def close(self) -> None:
        """Let go of the connections."""
        self.client.close()


@dataclass(slots=True)
class HandOver:
    """What waits to be handed over."""

    records: Sequence[Made]
    id: str = field(default_factory=lambda: str(uuid7()))
    #: Times it shall go out once more although it was taken.
    again: int = 0


def push(door: Door, connection: str, feed: Feed, what: HandOver, faults: Faults, dice: Dice) -> bool:
    """Post it; True when it is done with.  Raises httpx2.HTTPError when nobody answers."""
    records = list(what.records)
    if faults.out_of_order:
        records.reverse()
    body = written(feed, records, moment=datetime.now(SHANGHAI), sender=connection, parcel=what.id)
    if faults.slow:
        time.sleep(min(faults.slow, 2))
    if feed.channel == "soap":
        response = door.client.post("/soap", content=body, headers={"content-type": "text/xml; charset=utf-8"})
    else:
        response = door.client.post(
            "/v1/submissions",
            params={"connection": connection},
            content=body,
            headers={"idempotency-key": what.id, "content-type": _type(feed)},
        )
    if response.status_code >= 500 or response.status_code == 429:
        return False
    response.raise_for_status()
    # Its answer is lost, or it sends by mistake once more: the same hand-over with the same id.
    if what.again == 0 and (dice.falls(faults.lost_answer) or dice.falls(faults.duplicate)):
        what.again += 1
        return False
    return True


def _type(feed: Feed) -> str:
    return {"xml": "application/xml", "csv": "text/csv", "ndjson": "application/x-ndjson"}.get(
        feed.wire.rows, "application/json"
    )


def drop(folder: Path, feed: Feed, name: str, what: HandOver, faults: Faults, dice: Dice) -> None:
    """Put it into a folder: under another name first, or, when it is slow, half now and half later."""
    folder.mkdir(parents=True, exist_ok=True)
    records = list(reversed(what.records)) if faults.out_of_order else list(what.records)
    data = written(feed, records, moment=datetime.now(SHANGHAI), sender=name, parcel=what.id)
    ending = {"xml": ".xml", "csv": ".csv", "ndjson": ".ndjson"}.get(feed.wire.rows, ".json")
    path = folder / f"{name}-{what.id}{ending}"
    if faults.slow:
        with path.open("wb") as stream:
            stream.write(data[: len(data) // 2])
            stream.flush()
            time.sleep(min(faults.slow, 1))
            stream.write(data[len(data) // 2 :])
    else:
        hidden = folder / f".{path.name}.part"
        hidden.write_bytes(data)
        os.replace(hidden, path)
    if dice.falls(faults.duplicate):
        (folder / f"{name}-{what.id}-again{ending}").write_bytes(data)


class FrontTable:
    """A front-end table that the other side fills and we answer in."""

    def __init__(self, url: str, feed: Feed) -> None:
        self._feed = feed
        self._engine = create_engine(url)
        columns = [Column("jh_id", String(64), primary_key=True)]
        columns += [Column(name, String(4000)) for name in dict.fromkeys(n for row in feed.sample for n in row)]
        columns += [Column(name, String(4000)) for name in ("jh_flag", "jh_result", "jh_message", "jh_receipt")]
        self.table = Table(str(feed.settings["table"]), MetaData(), *columns)
        self.table.metadata.create_all(self._engine)

    def write(self, what: HandOver, faults: Faults, dice: Dice) -> None:
        """Insert the rows; a duplicate is a row of its own with the same content."""
        records = list(reversed(what.records)) if faults.out_of_order else list(what.records)
        empty = {column.name: None for column in self.table.columns}
        rows = [{**empty, "jh_id": f"{what.id}-{one.number}", "jh_flag": "0", **one.row} for one in records]
        rows += [{**row, "jh_id": f"{row['jh_id']}-d"} for row in rows if dice.falls(faults.duplicate)]
        with self._engine.begin() as connection:
            connection.execute(insert(self.table), rows)

    def hide(self, hidden: bool) -> None:
        """Rows that are not taken yet cannot be seen, as when the other side rebuilds them."""
        before, after = ("0", "x") if hidden else ("x", "0")
        with self._engine.begin() as connection:
            connection.execute(update(self.table).where(self.table.c.jh_flag == before).values(jh_flag=after))

    def answers(self) -> list[dict[str, Any]]:
        """What stands in the rows."""
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(select(self.table))]

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def fetch(door: Door, receiving: Receiving, datasets: Sequence[str], faults: Faults, dice: Dice) -> int:
    """Fetch the mailbox and confirm; how many parcels."""
    done = 0
    for letter in door.client.get("/v1/mailbox", params={"limit": 50}).raise_for_status().json():
        event = letter["event"]
        if event["data"]["dataset"] not in datasets:
            continue
        records = event["data"]["records"]
        refused = [r for r in records if faults.refuses(r["cd_id"])]
        receiving.records([r for r in records if r not in refused])
        if dice.falls(faults.lost_answer):
            receiving.store.lost += 1
            continue  # it lies in the mailbox still
        said = {"records": [{"cd_id": r["cd_id"], "code": "30001", "message": "演练：对方拒收"} for r in refused]}
        door.client.post(f"/v1/mailbox/{event['id']}/receipt", json=said).raise_for_status()
        done += 1
    return done
