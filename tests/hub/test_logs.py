"""Logs of a whole run: events with ids, one JSON object a line, and nothing of what was handed over."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters.rest_push import RestPush
from demo import ecology
from hub import logs
from hub.ledger.engine import Ledger
from standards.errors import HubError, UnreadablePayload
from standards.parcel import Answer, Parcel
from tests.hub import city as cities
from tests.hub.city import City, until
from tests.hub.conftest import POSTGRESQL, SQLITE

NAME, NUMBER, STREET, PHONE = "赵铁柱", "140202198503071237", "柳巷十七号", "13903520001"
PLANTED = (NAME, NUMBER, STREET, PHONE)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged meanwhile, by us and by libraries."""
    said = io.StringIO()
    before, handler = structlog.get_config(), logging.StreamHandler(said)
    logs.configure(json=True, stream=said, level=logging.DEBUG)
    logging.getLogger().addHandler(handler)
    yield said
    logging.getLogger().removeHandler(handler)
    structlog.configure(**before)


@pytest.fixture
def city(tmp_path: Path, stream: io.StringIO) -> Iterator[City]:
    yield from cities.running(tmp_path)


def events(said: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.getvalue().splitlines()]


def clean(said: io.StringIO) -> None:
    wrong = [line for line in said.getvalue().splitlines() if any(planted in line for planted in PLANTED)]
    assert not wrong


def planted_rows(count: int, **words: Any) -> bytes:
    """Penalties of a person, her number, address and telephone in every row."""
    body = b"".join(ecology.pieces(ecology.rows(count, **words))).decode("gb18030")
    head, *rows = body.splitlines()
    columns = head.split(",")
    made = [head]
    for row in rows:
        cells = row.split(",")
        for column, value in (("当事人", NAME), ("证件号码", NUMBER), ("注册地址", STREET), ("备注", PHONE)):
            cells[columns.index(column)] = value
        made.append(",".join(cells))
    return "\n".join(made).encode("gb18030")


def stumble(_self: object, _parcel: Parcel) -> Answer:
    """A destination whose foreign library puts content into its errors."""
    try:
        raise KeyError(NAME)
    except KeyError as error:
        raise ValueError(f"could not convert {NUMBER}") from error


def test_a_whole_run_logs_nothing_of_what_was_handed_over(
    city: City, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(record: dict[str, Any]) -> dict[str, str] | None:
        return {"code": "30001", "element": "case_name", "message": f"{NAME} {NUMBER}"}

    city.settled(city.submit(planted_rows(20), name=f"{NAME}.csv"))
    city.receiver.refuse = refuse
    city.settled(city.submit(planted_rows(20, first=100, faults=0.5), external_id=f"{NAME}-1"))
    city.settled(city.submit(planted_rows(3).replace(b",", b"\x00\xff", 1)))
    city.settled(city.submit(f'[{{"{NAME}": '.encode(), connection="market-penalties"))
    city.receiver.refuse = lambda _record: None
    city.receiver.status = 500
    broken = city.submit(planted_rows(2, first=300))
    until(lambda: "delivery failed" in stream.getvalue())
    city.receiver.status = None
    city.settled(broken)
    monkeypatch.setattr(RestPush, "deliver", stumble)
    city.submit(planted_rows(2, first=500))
    until(lambda: "the adapter stumbled" in stream.getvalue())

    city.hub.stop()
    clean(stream)
    said = events(stream)
    assert {"judged", "delivery_again", "adapter_error"} <= {one["action"] for one in said}
    assert all(one["event"] and one["level"] and one["timestamp"] for one in said)
    stumbled = next(one for one in said if one["action"] == "adapter_error")
    assert "ValueError" in stumbled["exception"]
    assert "in stumble" in stumbled["exception"], "where it happened is told"


@pytest.mark.parametrize("ledger_url", [SQLITE, POSTGRESQL], indirect=True)
def test_an_error_of_the_database_is_logged_without_its_values(ledger: Ledger, stream: io.StringIO) -> None:
    insert = text("INSERT INTO number (series, day, next) VALUES (:name, 'x', 1)")
    with ledger.engine.begin() as connection:
        connection.execute(insert, {"name": NAME})
    with ledger.engine.begin() as connection, pytest.raises(DBAPIError) as found:
        connection.execute(insert, {"name": NAME})

    structlog.get_logger().error("it stumbled", action="test", exc_info=found.value)

    clean(stream)
    assert NAME not in str(found.value).partition("DETAIL")[0], "PostgreSQL itself tells the key"
    assert "IntegrityError" in events(stream)[-1]["exception"]


def test_an_error_of_ours_keeps_its_words_and_a_foreign_one_its_kind_and_place(stream: io.StringIO) -> None:
    def ours() -> None:
        try:
            int(NUMBER + "x")
        except ValueError as error:
            raise UnreadablePayload("row 7 is no number") from error

    with pytest.raises(HubError) as found:
        ours()
    structlog.get_logger().warning("it stumbled", action="test", exc_info=found.value)

    told = events(stream)[-1]["exception"]
    clean(stream)
    assert "UnreadablePayload: row 7 is no number" in told
    assert "ValueError" in told
    assert "test_logs.py" in told


def test_a_library_that_logs_its_own_error_tells_kind_and_place_only() -> None:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(logs.Foreign("%(message)s"))
    foreign = logging.getLogger("uvicorn.error.tried")
    foreign.propagate = False
    foreign.addHandler(handler)

    try:
        int(NUMBER + NAME)
    except ValueError as error:
        foreign.error("Exception in ASGI application", exc_info=error)

    clean(said)
    assert "ValueError" in said.getvalue()
    assert "test_logs.py" in said.getvalue()
