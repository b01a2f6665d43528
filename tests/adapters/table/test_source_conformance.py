"""A department's table keeps to what every source must keep to, by its flag and by its growing column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from adapters.conformance import SourceConformance
from adapters.conformance.parcels import around
from adapters.table.source import TableSource
from adapters.table.source_settings import TableSourceSettings
from tests.adapters.table.rigs import DatabaseHarm, by_reference
from tests.services.tcp_proxy import TcpProxy


class TableRig(DatabaseHarm):
    """A table that a clerk's program writes into."""

    def __init__(self, url: str, proxy: TcpProxy | None = None, **settings: Any) -> None:
        super().__init__(url, proxy)
        self.engine = create_engine(url)
        self.count = 0
        self.opened: list[TableSource] = []
        given, self.secrets = by_reference(url, proxy)
        self.settings = TableSourceSettings.model_validate({**given, "table": "cf_jl", "key": ["id"], **settings})
        self.run("CREATE TABLE cf_jl (id INTEGER PRIMARY KEY, ajbh VARCHAR(20), bz VARCHAR(4))")

    def run(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def open(self) -> TableSource:
        self.opened.append(TableSource(self.settings, around(**self.secrets)))
        return self.opened[-1]

    def put(self) -> bytes:
        self.count += 1
        mark = f"R-{self.count:03}"
        self.run(f"INSERT INTO cf_jl (id, ajbh) VALUES ({self.count}, '{mark}')")
        return mark.encode()

    def wait(self) -> None:
        """Nothing needs time."""

    def let_go(self) -> None:
        self.engine.dispose()
        for source in self.opened:
            source.close()

    def close(self) -> None:
        self.bring_back()
        self.let_go()


@pytest.mark.contract(suite="source", on="table-sqlite-flag")
class TestByFlagOnSqlite(SourceConformance):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> Iterator[TableRig]:
        rig = TableRig(f"sqlite:///{tmp_path}/front.db", flag="bz")
        yield rig
        rig.close()


@pytest.mark.contract(suite="source", on="table-sqlite-since")
class TestBySinceOnSqlite(SourceConformance):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> Iterator[TableRig]:
        rig = TableRig(f"sqlite:///{tmp_path}/front.db", take="since", since="id")
        yield rig
        rig.close()


@pytest.mark.contract(suite="source", on="table-postgresql-flag")
class TestByFlagOnPostgresql(SourceConformance):
    @pytest.fixture
    def rig(self, postgres_url: str, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[TableRig]:
        rig = TableRig(postgres_url, tcp_proxy(make_url(postgres_url).port or 5432), flag="bz")
        yield rig
        rig.close()


@pytest.mark.contract(suite="source", on="table-postgresql-since")
class TestBySinceOnPostgresql(SourceConformance):
    @pytest.fixture
    def rig(self, postgres_url: str, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[TableRig]:
        rig = TableRig(postgres_url, tcp_proxy(make_url(postgres_url).port or 5432), take="since", since="id")
        yield rig
        rig.close()
