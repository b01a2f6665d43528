"""The upper platform keeps to what every destination must keep to, in each of its modes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from adapters.conformance import DestinationConformance
from tests.adapters.upper_platform.rigs import HttpRig, TablesRig
from tests.services.tcp_proxy import TcpProxy


@pytest.mark.contract(suite="destination", on="upper-http")
class TestByHttp(DestinationConformance):
    @pytest.fixture
    def rig(self) -> Iterator[HttpRig]:
        rig = HttpRig()
        yield rig
        rig.close()


@pytest.mark.contract(suite="destination", on="upper-http-later")
class TestByHttpWithVerdictsThatComeLater(DestinationConformance):
    @pytest.fixture
    def rig(self) -> Iterator[HttpRig]:
        gateway = {"kind": "x-tif", "paasid": "city", "token": "env:TOKEN"}
        rig = HttpRig(later=True, gateway=gateway, tif={"city": "demo-token"})
        yield rig
        rig.close()


@pytest.mark.contract(suite="destination", on="upper-table-sqlite")
class TestByTablesOnSqlite(DestinationConformance):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> Iterator[TablesRig]:
        rig = TablesRig(f"sqlite:///{tmp_path}/centre.db")
        yield rig
        rig.close()


@pytest.mark.full
@pytest.mark.contract(suite="destination", on="upper-table-postgresql")
class TestByTablesOnPostgresql(DestinationConformance):
    @pytest.fixture
    def rig(self, postgres_url: str, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[TablesRig]:
        rig = TablesRig(postgres_url, tcp_proxy(make_url(postgres_url).port or 5432))
        yield rig
        rig.close()
