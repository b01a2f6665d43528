"""A city's hub and the provincial centre it reconciles with through up_ and dn_ tables; nothing runs by itself."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from adapters.upper_platform import simulator
from adapters.upper_platform.simulator import Running
from hub import serve
from hub.bootstrap import Hub, build, prepare
from hub.collect import Collector
from hub.ledger import credentials
from hub.ledger.memory import Memory
from hub.ledger.tables import case_, parcel, submission
from hub.sources import open_source
from standards.clock import SHANGHAI, FrozenClock
from standards.ports import HandOver, SourceContext
from standards.registry import built_in
from standards.samples import valid_records

MARKET = "111402001D22DR363Y"
CONFIG = """
[hub]
name = "datong"
title = "大同市监管数据交换枢纽"
level = "city"
region = "140200"
code = "11140200E9QM7HGU4X"

[ledger]
url = "{ledger}"

[api]
port = 0

[parties.market]
title = "大同市市场监督管理局"
code = "111402001D22DR363Y"

[parties.office]
title = "大同市数据局"
code = "11140200E9QM7HGU4X"

[parties.centre]
title = "省监管数据中心"
code = "11140000N8Y3CP4F3H"
kind = "platform"
level = "province"

[connections.penalties]
party = "market"
dataset = "punish_action"

[connections.our-reports]
party = "office"
dataset = "reconciliation_report"

[connections.province-reports]
party = "centre"
adapter = "table"
dataset = "reconciliation_report"

[connections.province-reports.settings]
url = "{url}"
table = "dn_data_reconciliation"
key = ["report_no"]
take = "since"
since = "report_time"

[destinations.province]
party = "centre"
adapter = "upper_platform"
parcel = 20

[destinations.province.settings]
mode = "table"
level = "province"
table = {{ url = "{url}", ask_seconds = 0, tables = {{ reconciliation_report = "up_data_reconciliation" }} }}

[[routes]]
to = ["province"]

[[routes]]
datasets = ["reconciliation_report"]
to = ["province"]

[reconciliation]
reports = "our-reports"
centres = ["province"]
digests = true
"""


class WithCentre:
    """Both, on one frozen clock."""

    def __init__(self, folder: Path, now: datetime, ledger: str = "") -> None:
        self.clock = FrozenClock(now)
        self.centre: Running = simulator.start(
            datasets=["punish_action", "reconciliation_report"], clock=self.clock, every=None
        )
        path = folder / "hub.toml"
        path.write_text(CONFIG.format(url=self.centre.database_url, ledger=ledger), "utf-8")
        settings, body = prepare(path)
        self.hub: Hub = build(settings, self.clock)
        self.hub.generations.publish(body, "test")
        self.daily = self.hub.reconciling()
        self.dispatcher = self.hub.dispatcher()
        self.server: serve.Server | None = None

    def served(self) -> tuple[str, str]:
        """Let the hub answer: its address, and a key of the operator."""
        sock = serve.listen(self.hub.settings)
        self.server = serve.Server(self.hub, sock)
        self.server.start()
        key = self.hub.ledger.write(lambda c: credentials.make(c, "", self.clock.now(), by="test"))[1]
        return serve.address_of(sock), key

    def close(self) -> None:
        """Both end."""
        if self.server is not None:
            self.server.stop()
        self.hub.ledger.close()
        self.centre.stop()

    def at(self, day: int, hour: int) -> None:
        """A moment of September."""
        self.clock.forward(datetime(2026, 9, day, hour, tzinfo=SHANGHAI) - self.clock.now())

    def hand_over(self, rows: list[dict[str, str]], connection: str = "penalties") -> None:
        """As a party does."""
        kept = self.hub.intake.receive(
            HandOver(connection=connection, name="a.json"), [json.dumps(rows, ensure_ascii=False).encode()]
        )
        self.hub.translator("test").translate(kept.submission_id)

    def deliver(self) -> None:
        """Send what waits; the centre merges and judges; its verdicts are fetched."""
        with self.hub.ledger.read() as connection:
            waiting = list(connection.execute(select(parcel.c.id).where(parcel.c.ended_at.is_(None))).scalars())
        for identifier in waiting:
            self.dispatcher.dispatch(identifier)
        self.centre.centre.run_once()
        self.clock.forward(timedelta(seconds=1))
        hub = self.hub
        Collector(hub.ledger, hub.generations, hub.doors, self.clock, hub.settling, hub.owner).tick()

    def report(self, day: date) -> None:
        """The centre's report of a day comes down, and is looked at."""
        self.centre.centre.report(day)
        # A table that is read by time leaves the last moments alone.
        self.clock.forward(timedelta(minutes=5))
        generation = self.hub.generations.current()
        source = open_source(generation, "province-reports")
        assert source is not None
        memory = Memory(self.hub.ledger, self.clock, "province-reports")
        context = SourceContext(
            connection="province-reports", intake=self.hub.intake, receipts=self.hub.receipts, memory=memory
        )
        source.run_once(context)
        source.close()
        self.translate()
        self.daily.tick()

    def translate(self) -> None:
        """Whatever was received."""
        with self.hub.ledger.read() as connection:
            unjudged = select(submission.c.id).where(submission.c.judged_at.is_(None))
            waiting = list(connection.execute(unjudged).scalars())
        for identifier in waiting:
            self.hub.translator("test").translate(identifier)

    def cases(self) -> list[Any]:
        """Of data that does not agree, the oldest first."""
        with self.hub.ledger.read() as connection:
            return list(
                connection.execute(select(case_).where(case_.c.code.like("20006%")).order_by(case_.c.opened_at))
            )


def penalties(count: int) -> list[dict[str, str]]:
    """Valid ones, each with a number of its own."""
    rows = valid_records(built_in().dataset("punish_action"), built_in(), count)
    return [{**row, "punish_action_code": f"JT{n:04}", "submitted_date": ""} for n, row in enumerate(rows)]
