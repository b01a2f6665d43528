"""Bases that are asked: a table and a service; many keys in one question, errors in our words."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adapters.conformance.parcels import around
from adapters.rest_lookup import RestLookup, RestLookupSettings
from adapters.table.lookup import TableLookup, TableLookupSettings
from standards.errors import AnswerNotUnderstood, BadSetup, SystemBusy, SystemUnreachable, Temporary
from standards.ports import Lookup

ROWS = [{"uscc": f"C{n:04}", "district": str(n % 2), "name": f"公司{n}", "state": "1"} for n in range(1300)]
ROWS.append({"uscc": "C9999", "district": "1", "name": "已注销", "state": "2"})


class Service:
    """A base behind HTTP that knows ROWS and counts its questions."""

    def __init__(self) -> None:
        self.status = 200
        self.body: bytes | None = None
        self.asked: list[dict[str, Any]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["content-length"])))
                service.asked.append(question)
                keys = {k if isinstance(k, str) else k[0] for k in question["codes"]}
                rows = [r for r in ROWS if r["uscc"] in keys and r["state"] == "1"]
                body = service.body or json.dumps({"data": {"list": rows}}).encode()
                self.send_response(service.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/q"


@pytest.fixture
def service() -> Iterator[Service]:
    held = Service()
    yield held
    held.server.shutdown()
    held.server.server_close()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE ent (uscc TEXT, district TEXT, name TEXT, state TEXT)")
        connection.executemany("INSERT INTO ent VALUES (:uscc, :district, :name, :state)", ROWS)
    return path


def table(path: Path, *key: str) -> TableLookup:
    settings = TableLookupSettings(
        url=f"sqlite:///{path}", table="ent", key=key or ("uscc",), columns=("name",), only={"state": "1"}
    )
    return TableLookup(settings, around())


def rest(service: Service, *key: str) -> RestLookup:
    settings = RestLookupSettings(url=service.url, keys="codes", records="/data/list", match=key or ("uscc",))
    return RestLookup(settings, around())


@pytest.mark.parametrize("kind", ["table", "rest"])
def test_many_keys_are_one_question_and_what_is_unknown_is_absent(kind: str, base: Path, service: Service) -> None:
    lookup: Lookup = table(base) if kind == "table" else rest(service)
    keys = [(f"C{n:04}",) for n in range(1200)] + [("nobody",), ("C9999",)]

    found = lookup.find(keys)

    assert set(found) == {(f"C{n:04}",) for n in range(1200)}
    assert found["C0007",]["name"] == "公司7"
    assert len(service.asked) in (0, 3)


@pytest.mark.parametrize("kind", ["table", "rest"])
def test_a_key_of_two_parts_fits_in_both(kind: str, base: Path, service: Service) -> None:
    lookup: Lookup = table(base, "uscc", "district") if kind == "table" else rest(service, "uscc", "district")

    assert set(lookup.find([("C0001", "1"), ("C0002", "1")])) == {("C0001", "1")}


def test_a_table_that_is_not_there_is_the_operators_and_a_base_that_is_away_the_machines(
    base: Path, tmp_path: Path
) -> None:
    wrong = TableLookup(TableLookupSettings(url=f"sqlite:///{base}", table="entt", key=("uscc",)), around())
    away = TableLookup(
        TableLookupSettings(url=f"sqlite:////{tmp_path}/none/base.db", table="ent", key=("uscc",)), around()
    )

    with pytest.raises(BadSetup):
        wrong.check()
    with pytest.raises(Temporary):
        away.check()


def test_a_service_that_fails_is_told_by_who_must_act(service: Service) -> None:
    lookup = rest(service)
    for status, expected in ((503, SystemBusy), (500, Temporary), (404, BadSetup)):
        service.status = status
        with pytest.raises(expected):
            lookup.find([("C0001",)])
    service.status, service.body = 200, b'{"data": 1}'
    with pytest.raises(AnswerNotUnderstood):
        lookup.find([("C0001",)])
    service.server.shutdown()
    service.server.server_close()
    with pytest.raises(SystemUnreachable):
        lookup.find([("C0001",)])
