"""What real databases complain about becomes our own error, by who must act, and never tells a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from adapters.table.database import Database
from adapters.table.settings import DatabaseSettings
from standards.errors import (
    BadConfiguration,
    BadSetup,
    HubError,
    NotAllowed,
    ReceiverRefused,
    SystemBusy,
    SystemUnreachable,
)
from tests.adapters.passwords import without_password

SECRET = "张三三三三三三三三三三"
TABLE = "CREATE TABLE fronts (cd_id VARCHAR(10) PRIMARY KEY, set_date VARCHAR(10) NOT NULL, fine DECIMAL(6,2))"


class Place:
    """A database with a small table."""

    def __init__(self, url: str) -> None:
        self.url = url
        address, password = without_password(url)
        self.settings = DatabaseSettings(
            url=address,
            password="env:pw" if password else "",
            connect_seconds=1,
            statement_seconds=1 if self.kind == "postgresql" else 10,
        )
        self.password = password
        self.database = Database(self.settings, lambda _: password)
        self.run(TABLE)
        self.run("INSERT INTO fronts VALUES ('here', '2025-07-01', 1)")

    def run(self, statement: str) -> None:
        self.database.write(lambda connection: connection.execute(text(statement)))

    @property
    def kind(self) -> str:
        return make_url(self.url).get_backend_name()


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """One on each kind of database that can be had here."""
    names = {"postgresql": "postgres_url", "mysql": "mariadb_url"}
    name = names.get(request.param)
    place = Place(request.getfixturevalue(name) if name else f"sqlite:///{tmp_path}/front.db")
    yield place
    place.database.close()


@pytest.mark.parametrize(
    ("statement", "error", "code", "column"),
    [
        ("INSERT INTO fronts VALUES ('a', NULL, 1)", ReceiverRefused, "10001", "set_date"),
        ("INSERT INTO fronts (cd_id) VALUES ('a')", ReceiverRefused, "10001", "set_date"),
        (f"INSERT INTO fronts VALUES ('{SECRET}', '2025-07-01', 1)", ReceiverRefused, "10003", None),
        ("INSERT INTO fronts VALUES ('a', '2025-07-01', 99999999)", ReceiverRefused, "10004", None),
        ("INSERT INTO fronts VALUES ('here', '2025-07-01', 1)", ReceiverRefused, "20002", None),
        ("INSERT INTO fronts (cd_id, nowhere) VALUES ('a', 'b')", BadSetup, None, None),
        ("INSERT INTO nowhere VALUES (1)", BadSetup, None, None),
    ],
)
def test_each_complaint_is_an_error_by_who_must_act(
    place: Place, statement: str, error: type[HubError], code: str | None, column: str | None
) -> None:
    if place.kind == "sqlite" and code in ("10003", "10004"):
        place.run(statement)  # SQLite keeps whatever it is given
        return

    with pytest.raises(HubError) as caught:
        place.run(statement)

    assert type(caught.value) is error
    assert caught.value.params.get("code") == code
    if column:
        assert caught.value.params["element"] == column
    assert SECRET not in f"{caught.value.what}{caught.value.what_zh}{caught.value.hint}"


def test_a_wrong_password_is_the_operators_business(place: Place) -> None:
    if place.kind == "sqlite":
        return
    database = Database(place.settings, lambda _: "wrong")

    with pytest.raises(NotAllowed) as caught:
        database.read(lambda connection: connection.execute(text("SELECT 1")))

    assert "口令" in (caught.value.hint_zh or "")
    assert "wrong" not in caught.value.what.removeprefix("the database")


def test_a_row_that_is_locked_by_others_is_busy_not_wrong(place: Place) -> None:
    other = Database(place.settings, lambda _: place.password)

    def change(connection: Connection) -> None:
        if place.kind == "mysql":
            connection.execute(text("SET innodb_lock_wait_timeout = 1"))
        connection.execute(text("UPDATE fronts SET fine = 3"))

    with place.database.engine().connect() as holder:
        holder.execute(text("UPDATE fronts SET fine = 2"))

        with pytest.raises(SystemBusy):
            other.write(change)

        holder.rollback()
    other.close()


def test_a_database_that_is_not_there_is_unreachable_or_the_operators_business(place: Place, tmp_path: Path) -> None:
    elsewhere: dict[str, Callable[[], str]] = {
        "sqlite": lambda: f"sqlite:///{tmp_path}/nowhere/front.db",
        "postgresql": lambda: make_url(place.settings.url).set(port=1).render_as_string(),
        "mysql": lambda: make_url(place.settings.url).set(port=1).render_as_string(),
    }
    settings = place.settings.model_copy(update={"url": elsewhere[place.kind]()})

    with pytest.raises(SystemUnreachable) as caught:
        Database(settings, lambda _: place.password).read(lambda connection: None)

    assert not caught.value.answer_lost


def test_a_missing_driver_is_told_with_what_to_install() -> None:
    database = Database(DatabaseSettings(url="oracle+cx_oracle://u@h/db"), lambda _: "")

    with pytest.raises(BadConfiguration) as caught:
        database.engine()

    assert "缺少数据库驱动" in caught.value.what_zh
