"""A front-end table on a real database, and the harm that can be done to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pymysql
from sqlalchemy import MetaData, create_engine, select
from sqlalchemy.engine import make_url

from adapters.conformance import Stored
from adapters.conformance.parcels import around, clock
from adapters.table import FrontTable, TableSettings
from adapters.table.database import Database
from adapters.table.definition import front_table
from standards.registry import built_in
from tests.adapters.passwords import without_password
from tests.services.tcp_proxy import TcpProxy


class DatabaseHarm:
    """Takes a front-end database away and loses its answers; a proxy is in front of those that listen."""

    def __init__(self, url: str, proxy: TcpProxy | None) -> None:
        self.url = url
        self.proxy = proxy
        self._undo: list[Callable[[], object]] = []

    def database(self) -> Database:
        """The adapter's own."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Close every connection of ours."""
        raise NotImplementedError

    def take_away(self) -> None:
        if self.proxy is not None:
            self.proxy.refuse()
            self._undo.append(self.proxy.heal)
            return
        path = Path(str(make_url(self.url).database))
        self.let_go()
        path.rename(path.with_suffix(".away"))
        path.mkdir()
        self._undo += [lambda: path.with_suffix(".away").replace(path), path.rmdir]

    def bring_back(self) -> None:
        while self._undo:
            self._undo.pop()()

    def lose_answers(self) -> None:
        dialect: Any = self.database().engine().dialect
        commit = dialect.do_commit

        def committed_but_cut(connection: Any) -> None:
            commit(connection)
            if self.proxy is not None:
                self.proxy.cut()
            raise _lost(dialect.name)

        dialect.do_commit = committed_but_cut
        self._undo.append(lambda: setattr(dialect, "do_commit", commit))


def _lost(dialect: str) -> Exception:
    """What a driver says when the connection ends before the answer to a commit."""
    if dialect == "mysql":
        return pymysql.OperationalError(2013, "Lost connection to MySQL server during query")
    if dialect == "postgresql":
        return psycopg.OperationalError("server closed the connection unexpectedly")
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    return error


def by_reference(url: str, proxy: TcpProxy | None) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings of a database by way of the proxy, and the secrets that they name."""
    address, password = without_password(proxy.url(url) if proxy else url)
    if not password:
        return {"url": address, "connect_seconds": 2}, {}
    return {"url": address, "connect_seconds": 2, "password": "env:pw"}, {"pw": password}


class TableRig(DatabaseHarm):
    """Rows count as accepted when they are committed; there is no centre behind the table."""

    knows_revisions = True

    def __init__(self, url: str, proxy: TcpProxy | None = None, **settings: Any) -> None:
        super().__init__(url, proxy)
        self.engine = create_engine(url)
        self.table = front_table(built_in().dataset("punish_action"), built_in(), MetaData())
        self.table.metadata.create_all(self.engine)
        given, secrets = by_reference(url, proxy)
        self.destination: Any = FrontTable(TableSettings(**{**given, **settings}), around(**secrets), clock=clock())

    def rows(self) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(self.table)).mappings()]

    def stored(self) -> dict[str, Stored]:
        found: dict[str, Stored] = {}
        for row in self.rows():
            times = found[row["cd_id"]].times + 1 if row["cd_id"] in found else 1
            found[row["cd_id"]] = Stored(row["cd_operation"], row["content_digest"], times)
        return found

    def spoil(self, content: dict[str, str]) -> tuple[dict[str, str], str]:
        return {**content, "punish_action_name": "过长的名称" * 120}, "punish_action_name"

    def work(self) -> None:
        pass

    def database(self) -> Database:
        return self.destination.database  # type: ignore[no-any-return]

    def let_go(self) -> None:
        self.destination.close()
        self.engine.dispose()

    def close(self) -> None:
        self.bring_back()
        self.let_go()
