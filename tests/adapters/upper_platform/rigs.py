"""The upper platform as tests use it: the adapter in each of its modes, and a simulated centre behind it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, text

from adapters.conformance import Stored
from adapters.conformance.parcels import around, clock
from adapters.table import FrontTable
from adapters.table.database import Database
from adapters.upper_platform import UpperPlatform, UpperPlatformSettings, simulator
from adapters.upper_platform.simulator import Running
from tests.adapters.table.rigs import DatabaseHarm, by_reference
from tests.services.tcp_proxy import TcpProxy

SETS = ("punish_action",)


def a_centre(url: str = "", **words: Any) -> Running:
    """A centre that looks into its tables only when it is told to, on the day of the samples."""
    given: dict[str, Any] = {"datasets": SETS, "clock": clock(), "every": None}
    return simulator.start(url, **{**given, **words})


def stored(centre: Running) -> dict[str, Stored]:
    """The newest revision of each record that passed."""
    found = {}
    for one in sorted(centre.stored("punish_action"), key=lambda s: int(s.revision)):
        found[one.cd_id] = Stored(one.operation, one.digest, one.times)
    return found


def spoil(content: dict[str, str]) -> tuple[dict[str, str], str]:
    """A code that is on no list; it fits every column."""
    return {**content, "punish_procedure": "7"}, "punish_procedure"


def rows(centre: Running, table: str, columns: str) -> list[tuple[object, ...]]:
    """What one of the centre's tables holds."""
    engine = create_engine(centre.database_url)
    with engine.connect() as connection:
        found = [tuple(r) for r in connection.execute(text(f"SELECT {columns} FROM {table}"))]
    engine.dispose()
    return found


class HttpRig:
    """By HTTP services; with `later`, verdicts are asked for."""

    knows_revisions = True

    def __init__(self, *, later: bool = False, gateway: dict[str, str] | None = None, **words: Any) -> None:
        self.centre = a_centre(judge_later=later, **words)
        more: dict[str, Any] = {"quick_tries": 1, "connect_seconds": 2, "answer_seconds": 5, "ask_seconds": 0}
        if gateway is not None:
            more["gateway"] = {n: v.format(url=self.centre.url) for n, v in gateway.items()}
        settings = UpperPlatformSettings(**self.centre.settings("http", **more))
        secrets = {"TOKEN": "demo-token", "APP_KEY": "111111"}
        self.destination: Any = UpperPlatform(settings, around(**secrets), clock=clock())

    def stored(self) -> dict[str, Stored]:
        return stored(self.centre)

    def spoil(self, content: dict[str, str]) -> tuple[dict[str, str], str]:
        return spoil(content)

    def work(self) -> None:
        self.centre.centre.run_once()

    def take_away(self) -> None:
        self.centre.service.stop()

    def bring_back(self) -> None:
        self.centre.switch(lost_answer=0.0)
        self.centre.service.stop()
        self.centre.service.start()

    def lose_answers(self) -> None:
        self.centre.switch(lost_answer=1.0)

    def close(self) -> None:
        self.destination.close()
        self.centre.stop()


class TablesRig(DatabaseHarm):
    """By front-end tables; verdicts come from the centre's base and error tables."""

    knows_revisions = True

    def __init__(self, url: str, proxy: TcpProxy | None = None) -> None:
        super().__init__(url, proxy)
        self.centre = a_centre(url)
        given, secrets = by_reference(url, proxy)
        settings = self.centre.settings("table", ask_seconds=0, **given)
        self.destination: Any = UpperPlatform(UpperPlatformSettings(**settings), around(**secrets), clock=clock())

    def stored(self) -> dict[str, Stored]:
        return stored(self.centre)

    def spoil(self, content: dict[str, str]) -> tuple[dict[str, str], str]:
        return spoil(content)

    def work(self) -> None:
        self.centre.centre.run_once()

    def database(self) -> Database:
        way = self.destination._way
        assert isinstance(way, FrontTable)
        return way.database

    def let_go(self) -> None:
        self.destination.close()
        self.centre.centre.close()

    def close(self) -> None:
        self.bring_back()
        self.destination.close()
        self.centre.stop()
