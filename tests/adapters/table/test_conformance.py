"""Front-end tables keep to what every destination must keep to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from adapters.conformance import DestinationConformance
from tests.adapters.table.rigs import TableRig
from tests.services.tcp_proxy import TcpProxy


@pytest.mark.contract(suite="destination", on="table-sqlite")
class TestOnSqlite(DestinationConformance):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> Iterator[TableRig]:
        rig = TableRig(f"sqlite:///{tmp_path}/front.db")
        yield rig
        rig.close()


@pytest.mark.contract(suite="destination", on="table-postgresql")
class TestOnPostgresql(DestinationConformance):
    @pytest.fixture
    def rig(self, postgres_url: str, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[TableRig]:
        rig = TableRig(postgres_url, tcp_proxy(make_url(postgres_url).port or 5432))
        yield rig
        rig.close()


@pytest.mark.contract(suite="destination", on="table-mariadb")
class TestOnMariadb(DestinationConformance):
    @pytest.fixture
    def rig(self, mariadb_url: str, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[TableRig]:
        rig = TableRig(mariadb_url, tcp_proxy(make_url(mariadb_url).port or 3306))
        yield rig
        rig.close()
