"""A department's table that is looked into: rows are taken once, and answered in their own columns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine, make_url

from hub.bootstrap import build, prepare
from standards.identifiers import make_uscc
from tests.adapters.passwords import without_password
from tests.hub.city import City, config, until
from tests.receiver import Receiver
from tests.services.postgres import PostgresServer

TABLE = {
    "sqlite": "CREATE TABLE cf_jl (id INTEGER PRIMARY KEY, {columns}, bz VARCHAR(4), gxsj DATETIME, "
    "jg VARCHAR(2), yy VARCHAR(300), hz VARCHAR(30), sj DATETIME)",
    "postgresql": "CREATE TABLE cf_jl (id INTEGER PRIMARY KEY, {columns}, bz VARCHAR(4), gxsj TIMESTAMP, "
    "jg VARCHAR(2), yy VARCHAR(300), hz VARCHAR(30), sj TIMESTAMP)",
    "mysql": "CREATE TABLE cf_jl (id INTEGER PRIMARY KEY, {columns}, bz VARCHAR(4), gxsj DATETIME, "
    "jg VARCHAR(2), yy VARCHAR(300), hz VARCHAR(30), sj DATETIME) CHARACTER SET utf8mb4",
}
COLUMNS = (
    "check_action_code",
    "check_action_name",
    "implement_institution",
    "implement_institution_code",
    "supervise_item_implement_code",
    "supervise_item_check_icode",
    "supervise_object",
    "administrative_cp",
    "administrative_cp_na",
    "administrative_cp_ce_type",
    "administrative_cp_ui_code",
    "area_number",
    "check_form",
    "check_type",
    "check_result",
    "check_date",
    "check_personnel",
    "submitted_date",
)

SOURCE = """
[connections.jcb]
party = "ecology"
adapter = "table"
dataset = "check_action"
settings = {{ {settings} }}
"""


def row(number: int, **changes: object) -> dict[str, object]:
    """A check as the old system keeps it."""
    from random import Random

    code = make_uscc(Random(number), "140213")
    return {
        "id": number,
        "check_action_code": f"JC{number:05}",
        "check_action_name": f"第{number}次检查",
        "implement_institution": "大同市生态环境局",
        "implement_institution_code": "11140200A4L2GB1F45",
        "supervise_item_implement_code": "14020001000101",
        "supervise_item_check_icode": "11140200A4L2GB1F45314020001000101",
        "supervise_object": "大同市云冈化工有限公司",
        "administrative_cp": "大同市云冈化工有限公司",
        "administrative_cp_na": "2",
        "administrative_cp_ce_type": "001",
        "administrative_cp_ui_code": code,
        "area_number": "140213",
        "check_form": "01",
        "check_type": "1",
        "check_result": "01",
        "check_date": "2026-03-05 09:30:00",
        "check_personnel": "李明;王芳",
        "submitted_date": "2026-03-06 10:00:00",
        "bz": None,
        "gxsj": f"2026-03-06 10:00:{number % 60:02}",
        **changes,
    }


class Department:
    """The department's database and the hub that looks into it."""

    def __init__(self, url: str, folder: Path, receiver: Receiver, **settings: str) -> None:
        self.url = url
        self.engine: Engine = create_engine(url)
        kind = make_url(url).get_backend_name()
        columns = ", ".join(f"{name} VARCHAR(400)" for name in COLUMNS)
        self.run(TABLE[kind].format(columns=columns))
        address, password = without_password(url)
        (folder / "pw").write_text(password or "none", "utf-8")
        words = {
            "url": f'"{address}"',
            "table": '"cf_jl"',
            "key": '["id"]',
            "columns": "[" + ", ".join(f'"{name}"' for name in COLUMNS) + "]",
            "pause_seconds": "0.2",
            "answer": '{ result = "jg", message = "yy", receipt = "hz", time = "sj" }',
            "connect_seconds": "2",
            **settings,
        }
        if password:
            words["password"] = f'"file:{folder / "pw"}"'
        line = ", ".join(f"{name} = {value}" for name, value in words.items())
        path = folder / "hub.toml"
        path.write_text(config(receiver.url, more=SOURCE.format(settings=line)), "utf-8")
        made, body = prepare(path)
        hub = build(made)
        hub.generations.publish(body, "test")
        hub.start()
        self.city = City(hub, receiver)

    def run(self, statement: str, *rows: dict[str, object]) -> list[Any]:
        with self.engine.begin() as connection:
            done = connection.execute(text(statement), list(rows) or None)
            return list(done) if done.returns_rows else []

    def insert(self, *rows: dict[str, object]) -> None:
        names = [*rows[0]]
        self.run(f"INSERT INTO cf_jl ({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)})", *rows)

    def answers(self) -> dict[int, tuple[str, str, str]]:
        """By row: flag, verdict, what is wrong."""
        return {r[0]: (r[1] or "", r[2] or "", r[3] or "") for r in self.run("SELECT id, bz, jg, yy FROM cf_jl")}

    def stop(self) -> None:
        self.city.hub.stop()
        self.engine.dispose()


FLAG = {"take": '"flag"', "flag": '"bz"', "changed": '"gxsj"'}
SINCE = {"take": '"since"', "since": '"gxsj"', "behind_seconds": "0"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver().start()
    yield receiver
    receiver.stop()


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def front(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind that can be had here."""
    names = {"postgresql": "postgres_url", "mysql": "mariadb_url"}
    name = names.get(request.param)
    return str(request.getfixturevalue(name)) if name else f"sqlite:///{tmp_path}/front.db"


def test_new_rows_are_taken_once_and_answered_in_their_columns(front: str, tmp_path: Path, receiver: Receiver) -> None:
    department = Department(front, tmp_path, receiver, **FLAG)
    try:
        department.insert(row(1), row(2, area_number="149999"), row(3, bz="0"), row(4, bz="9"))
        until(lambda: all(department.answers()[n][1] for n in (1, 2, 3)))
        answers = department.answers()
        assert answers[1] == ("1", "1", "")
        assert answers[2][:2] == ("1", "2")
        assert "[10005.region]" in answers[2][2]
        assert "表 cf_jl 中 id=2 的行" in answers[2][2]
        assert answers[4] == ("9", "", ""), "what is not new is left alone"
        receipt = department.run("SELECT hz, sj FROM cf_jl WHERE id = 2")[0]
        assert receipt[0]
        assert receipt[1]
        until(lambda: len(receiver.stored) == 2)

        # The clerk mends the row in her system, which sets the flag back.
        department.run("UPDATE cf_jl SET area_number = '140213', bz = '0' WHERE id = 2")
        until(lambda: department.answers()[2] == ("1", "1", ""))
        until(lambda: len(receiver.stored) == 3)
        assert all(n == 1 for n in receiver.arrivals.values())
    finally:
        department.stop()


def test_rows_behind_the_last_are_read_in_order_and_changes_make_revisions(
    front: str, tmp_path: Path, receiver: Receiver
) -> None:
    department = Department(front, tmp_path, receiver, **SINCE, rows="2")
    try:
        department.insert(*(row(n, gxsj=f"2026-03-06 10:00:0{n // 2}") for n in range(1, 8)))
        until(lambda: len(receiver.stored) == 7)
        name, later = "第3次检查（复查）", "2026-03-07 08:00:00"
        department.run(f"UPDATE cf_jl SET check_action_name = '{name}', gxsj = '{later}' WHERE id = 3")
        until(lambda: len(receiver.history) == 8)
        assert [h[1] for h in receiver.history if h[0].endswith("JC00003")] == [1, 2]
        until(lambda: all(a[1] == "1" for a in department.answers().values()))
    finally:
        department.stop()


def test_a_to_b_to_a_makes_three_revisions(tmp_path: Path, receiver: Receiver) -> None:
    department = Department(f"sqlite:///{tmp_path}/front.db", tmp_path, receiver, **FLAG)
    try:
        department.insert(row(1))
        for number, name in enumerate(("第1次检查", "乙", "第1次检查"), 1):
            department.run(f"UPDATE cf_jl SET check_action_name = '{name}', bz = '0' WHERE id = 1")
            until(lambda number=number: len(receiver.history) >= number)  # type: ignore[misc]
            until(lambda: department.answers()[1][0] == "1")
        assert [h[1] for h in receiver.history] == [1, 2, 3]
    finally:
        department.stop()


def test_the_connection_test_tells_what_is_missing_and_what_differs(tmp_path: Path, receiver: Receiver) -> None:
    url = f"sqlite:///{tmp_path}/front.db"
    department = Department(url, tmp_path, receiver, **FLAG, dataset='"check_action"')
    try:
        from hub.sources import open_source

        generation = department.city.hub.generations.current()
        source = open_source(generation, "jcb")
        assert source is not None
        said = source.check()
        assert "0 行待取" in said
        assert "缺少字段 plan_id" in said
        assert "字段长度设置过长" in said
        department.run("DROP TABLE cf_jl")
        with pytest.raises(Exception, match="no table cf_jl"):
            source.check()
    finally:
        department.stop()


def test_a_database_that_restarts_is_read_on_where_it_stood(
    own_postgres: PostgresServer, tmp_path: Path, receiver: Receiver
) -> None:
    department = Department(own_postgres.url, tmp_path, receiver, **FLAG, rows="5")
    try:
        department.insert(*(row(n) for n in range(1, 31)))
        until(lambda: len(receiver.stored) >= 5)
        own_postgres.kill()
        time.sleep(1.5)  # it looks, and nobody is there
        own_postgres.start()
        department.engine.dispose()
        department.insert(*(row(n) for n in range(31, 41)))
        until(lambda: len(receiver.stored) == 40, 60)
        until(lambda: all(a[:2] == ("1", "1") for a in department.answers().values()), 60)
        assert all(n == 1 for n in receiver.arrivals.values())
    finally:
        department.stop()
