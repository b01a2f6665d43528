"""Attachments: kept once, scanned, named by records, and fetched by those who may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from hub import serve
from hub.bootstrap import prepare
from hub.ledger import attachments, credentials
from hub.ledger.tables import attachment_part
from hub.serve import Running
from standards.digest import sm3
from standards.parcel import from_event
from standards.registry import built_in
from standards.samples.valid import valid_records
from tests.hub.city import config, until

MORE = """
[connections.dynamics]
party = "ecology"
dataset = "supervise_dynamic"

[destinations.market]
party = "market"
adapter = "mailbox"

[destinations.box]
party = "centre"
adapter = "mailbox"

[attachments]
max_mb = 9
scan = ["{scanner}"]
scan_seconds = "1s"

[[routes]]
to = ["market"]
attachments = "forward"

[[routes]]
to = ["box"]
attachments = "{policy}"
"""
SCANNER = """#!/bin/sh
grep -q EICAR "$1" && exit 1
grep -q BROKEN "$1" && exit 3
grep -q SLOW "$1" && sleep 5
exit 0
"""


def started(folder: Path, policy: str = "reference") -> Running:
    scanner = folder / "scanner"
    scanner.write_text(SCANNER)
    scanner.chmod(0o755)
    path = folder / "hub.toml"
    text = config("http://127.0.0.1:9", more=MORE.format(scanner=scanner, policy=policy))
    path.write_text(text.replace('[[routes]]\nto = ["province"]', "", 1), "utf-8")
    return serve.start(*prepare(path))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Running]:
    running = started(tmp_path)
    yield running
    running.stop()


def client(running: Running, party: str) -> httpx2.Client:
    now = running.hub.clock.now()
    key = running.hub.ledger.write(lambda c: credentials.make(c, party, now, by="test"))[1]
    return httpx2.Client(base_url=running.address, headers={"authorization": f"Bearer {key}"}, timeout=30)


def put(who: httpx2.Client, body: bytes, name: str = "现场.jpg", connection: str = "dynamics") -> httpx2.Response:
    return who.post("/v1/attachments", params={"connection": connection, "name": name}, content=body)


def parts(running: Running) -> int:
    with running.hub.ledger.read() as connection:
        return connection.execute(select(func.count()).select_from(attachment_part)).scalar_one()


def handed_over(who: httpx2.Client, named: str) -> dict[str, Any]:
    standard = built_in()
    record = next(valid_records(standard.dataset("supervise_dynamic"), standard, 1))
    body = json.dumps({**record, "attachments": named}).encode()
    said: dict[str, Any] = who.post("/v1/submissions?connection=dynamics&wait=20", content=body).json()
    return said


def lying(who: httpx2.Client) -> Any:
    found: list[Any] = []
    until(lambda: bool(found.extend(who.get("/v1/mailbox").json()) or found))
    return from_event(json.dumps(found[0]["event"]).encode(), "")


def test_bytes_are_kept_once_and_come_back_as_they_were(hub: Running) -> None:
    body = bytes(range(256)) * 20_000  # more than a piece
    with client(hub, "ecology") as ecology, client(hub, "market") as market:
        first = put(ecology, body)
        kept = parts(hub)
        again, other = put(ecology, body), put(ecology, body, "副本.jpg")
        fetched = ecology.get(f"/v1/attachments/{first.json()['id'].removeprefix('attachment:')}")
        elsewhere = put(market, body, connection="market-penalties")

    assert first.status_code == 201
    assert first.json() | {"id": ""} == {
        "id": "", "name": "现场.jpg", "size": len(body), "type": "image/jpeg", "sm3": sm3(body).hex(),
        "scanned": True, "repeated": False,
    }  # fmt: skip
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["repeated"] is True
    assert other.json()["id"] != first.json()["id"] != elsewhere.json()["id"]
    assert parts(hub) == kept == 2
    assert fetched.content == body
    assert fetched.headers["content-type"] == "image/jpeg"
    assert fetched.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("word", "status"), [("EICAR", 422), ("BROKEN", 503), ("SLOW", 503)])
def test_what_the_scanner_does_not_pass_is_not_kept(hub: Running, word: str, status: int) -> None:
    with client(hub, "ecology") as ecology:
        said = put(ecology, word.encode())

    assert said.status_code == status
    assert said.json()["detail"]
    assert parts(hub) == 0


def test_what_is_too_large_or_somebody_elses_is_refused(hub: Running) -> None:
    with client(hub, "ecology") as ecology, client(hub, "market") as market:
        assert put(ecology, b"x" * (10 * 1024 * 1024)).status_code == 413
        assert put(market, b"x").status_code == 403
        theirs = put(ecology, b"y").json()["id"].removeprefix("attachment:")
        assert market.get(f"/v1/attachments/{theirs}").status_code == 404
    assert httpx2.post(f"{hub.address}/v1/attachments?connection=dynamics&name=x", content=b"z").status_code == 401


def test_a_receiver_fetches_what_its_records_name_where_the_route_forwards(hub: Running) -> None:
    with client(hub, "ecology") as ecology, client(hub, "market") as market, client(hub, "centre") as centre:
        one = put(ecology, b"evidence", "证据.pdf").json()
        other = put(ecology, b"not named").json()
        receipt = handed_over(ecology, one["id"])
        parcel, referred = lying(market), lying(centre)
        path = "/v1/attachments/" + one["id"].removeprefix("attachment:")
        mine, theirs = market.get(path), centre.get(path)
        unnamed = market.get("/v1/attachments/" + other["id"].removeprefix("attachment:"))

    assert receipt["counts"]["accepted"] == 1
    for each in (parcel, referred):
        [said] = each.attachments
        assert (said.id, said.name, said.size, said.type, said.sm3) == (
            one["id"], "证据.pdf", 8, "application/pdf", sm3(b"evidence").hex(),
        )  # fmt: skip
    assert mine.content == b"evidence"
    assert theirs.status_code == unnamed.status_code == 404


def test_a_route_may_tell_nothing_of_attachments(tmp_path: Path) -> None:
    running = started(tmp_path, "no")
    with client(running, "ecology") as ecology, client(running, "centre") as centre:
        handed_over(ecology, put(ecology, b"evidence").json()["id"])
        parcel = lying(centre)
    running.stop()

    assert parcel.attachments == ()


def test_an_attachment_that_is_not_there_or_not_ones_own_is_told_and_opens_nothing(hub: Running) -> None:
    with client(hub, "ecology") as ecology, client(hub, "market") as market:
        theirs = put(market, b"secret", connection="market-penalties").json()["id"]
        receipt = handed_over(ecology, theirs)
        parcel = lying(market)

    [finding] = [f for row in receipt["records"] for f in row["findings"]]
    assert finding["code"] == "30004.attachment"
    assert receipt["counts"]["accepted"] == 1
    assert parcel.attachments == ()


def test_bytes_go_with_the_last_attachment_that_has_them(hub: Running) -> None:
    with client(hub, "ecology") as ecology:
        put(ecology, b"same", "a")
        put(ecology, b"same", "b")
    ledger, now = hub.hub.ledger, hub.hub.clock.now()

    assert ledger.write(lambda c: attachments.prune(c, now, 1)) == 1
    assert parts(hub) == 1
    assert ledger.write(lambda c: attachments.prune(c, now, 10)) == 1
    assert parts(hub) == 0
