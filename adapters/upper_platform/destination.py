"""The 互联网+监管 platform of the level above, by its front-end tables or its services."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

import httpx2
import msgspec

from adapters.base import Surroundings
from adapters.table import FrontTable
from adapters.upper_platform.http import CentreByHttp
from adapters.upper_platform.settings import UpperPlatformSettings
from standards.clock import Clock, SystemClock
from standards.errors import BadConfiguration, BadSetup
from standards.model import Direction
from standards.parcel import Answer, Parcel
from standards.ports import Awaited, Destination, Holding


class UpperPlatform:
    """Implements standards.ports.Destination."""

    def __init__(
        self,
        settings: UpperPlatformSettings,
        around: Surroundings,
        *,
        clock: Clock | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        if settings.level == "nation" and around.level != "province":
            raise BadConfiguration(
                f"a hub of level {around.level} never delivers to the nation",
                what_zh="只有省级枢纽可以向国家平台报送",
                hint="deliver to the provincial centre, which reports to the nation",
                hint_zh="请报送省级监管数据中心，由省级中心向国家报送",
            )
        self._settings = settings
        self._standard = around.standard
        self._name = around.name
        self._speaker = settings.speaker or around.name
        self._way = self._make_way(around, clock or SystemClock(), transport)

    def _make_way(self, around: Surroundings, clock: Clock, transport: httpx2.BaseTransport | None) -> Destination:
        if self._settings.mode == "table":
            assert self._settings.table is not None  # the settings made sure
            tables = self._settings.table.model_copy(
                update={
                    "level": self._settings.level,
                    "datasets": self._settings.table.datasets or self._settings.datasets,
                }
            )
            return FrontTable(tables, replace(around, name=self._speaker), clock=clock)
        assert self._settings.http is not None
        return CentreByHttp(
            self._settings.http, around, clock, speaker=self._speaker, level=self._settings.level, transport=transport
        )

    def deliver(self, parcel: Parcel) -> Answer:
        """Hand the parcel over."""
        self._takes(parcel.dataset)
        return self._way.deliver(self._as_they_want(parcel))

    def collect(self, awaited: Sequence[Awaited]) -> Iterable[tuple[UUID, Answer]]:
        """The platform's judgement of what was handed over."""
        return self._way.collect(awaited)

    def stored(self, parcel: Parcel) -> bool | None:
        """Whether the platform has it."""
        return self._way.stored(self._as_they_want(parcel))

    def holding(self, dataset: str, cd_ids: Sequence[str]) -> set[str] | None:
        """Those of these records that the platform has; None by its services, which do not tell."""
        return self._way.holding(dataset, cd_ids) if isinstance(self._way, Holding) else None

    def check(self) -> str:
        """Really try the way."""
        for name in self._settings.datasets:
            self._takes(name)
        return self._way.check()

    def close(self) -> None:
        """Let go of everything."""
        self._way.close()

    def _takes(self, name: str) -> None:
        dataset = self._standard.dataset(name)
        listed = not self._settings.datasets or name in self._settings.datasets
        if listed and Direction.UP in dataset.directions:
            return
        why, why_zh = (
            ("is not among its data sets", "不在该平台的接收范围") if not listed else ("does not go up", "不向上报送")
        )
        raise BadSetup(
            f"the data set {name} {why}",
            what_zh=f"数据集 {name}（{dataset.title}）{why_zh}",
            hint="mend the route, or `datasets` of this destination",
            hint_zh="请修改路由，或该投递目标的 datasets",
        )

    def _as_they_want(self, parcel: Parcel) -> Parcel:
        if not self._settings.cd_source:
            return parcel
        source = {"cd_source": self._settings.cd_source}
        records = tuple(msgspec.structs.replace(r, common={**r.common, **source}) for r in parcel.records)
        return replace(parcel, records=records)
