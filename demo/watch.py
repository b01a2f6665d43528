"""Looking at the running city from outside, over its API, until something has come about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.records import Department
from hub.cli.client import Client
from standards.errors import SystemBusy

Rows = Mapping[str, Mapping[str, Any]]

_LOOK = 0.2
_PAGE = 5000


@dataclass(slots=True)
class Watch:
    """Asks the hub again and again; `seen` is told every time."""

    client: Client
    seen: Callable[[Rows], None]
    #: Longest wait for one step.
    seconds: float = 90
    #: When nothing changes for so long, nothing more will.
    patience: float = 30
    _pause: threading.Event = field(default_factory=threading.Event)

    def rows(self) -> Rows:
        """The counts by connection."""
        return {row["connection"]: row for row in self.client.get("/v1/connections")}

    def until(self, true: Callable[[Rows], bool]) -> bool:
        """Wait until something is true of the counts; False when it does not become so."""
        end = time.monotonic() + self.seconds
        last: Rows = {}
        changed = time.monotonic()
        while True:
            rows = self.rows()
            self.seen(rows)
            if true(rows):
                return True
            now = time.monotonic()
            if rows != last:
                last, changed = rows, now
            if now > end or now - changed > self.patience:
                return False
            self._pause.wait(_LOOK)

    def judged(self, department: Department, files: int) -> None:
        """Wait until so many hand-overs have a verdict.  Raises SystemBusy when they do not get one."""
        states: list[str] = []

        def reached(_rows: Rows) -> bool:
            found = self.client.get("/v1/submissions", connection=department.connection)
            states[:] = [one["state"] for one in found]
            return "stalled" in states or sum(state in ("judged", "settled") for state in states) >= files

        if not self.until(reached) or "stalled" in states:
            stand = "、".join(states)
            raise SystemBusy(
                f"the hub does not judge what {department.title_en} handed over ({stand or 'nothing came'})",
                what_zh=f"枢纽没有完成对“{department.title}”报送的校验（{stand or '未收到'}）",
                hint="look into hub.log of the demo's folder",
                hint_zh="请查看演示目录中的 hub.log",
            )

    def receipts(self, department: Department) -> dict[str, dict[str, Any]]:
        """The receipts of a department's hand-overs, whole, by file name."""
        found = self.client.get("/v1/submissions", connection=department.connection, limit=1000)
        return {one["name"]: self._whole(one["receipt_no"]) for one in found}

    def _whole(self, receipt_no: str) -> dict[str, Any]:
        document: dict[str, Any] = self.client.get(f"/v1/receipts/{receipt_no}", limit=_PAGE)
        after = document.get("next")
        while after is not None:
            page = self.client.get(f"/v1/receipts/{receipt_no}", after=after, limit=_PAGE)
            document["records"] += page["records"]
            after = page.get("next")
        return document


def idle(rows: Rows, connection: str) -> bool:
    """Whether nothing of a connection is on its way any more."""
    return connection in rows and rows[connection]["open_parcels"] == 0
