"""Settings of the upper platform."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, model_validator

from adapters.base import AdapterSettings
from adapters.signing import Gateway
from adapters.table.settings import TableSettings
from adapters.transport import HttpSettings


class CentreTables(TableSettings):
    """The platform's front-end database."""

    verdict: Literal["written", "merged", "judged"] = Field(
        "judged",
        description="When a record counts as accepted: written = its row is committed; merged = the centre has written "
        "cd_hb_time back; judged = it is in the base table, while a row in the error tables refuses it.",
    )


class CentreService(HttpSettings):
    """The platform's HTTP services."""

    receipts_url: str = Field(
        "", pattern=r"^$|^https?://", description="Where verdicts that come later are asked for; empty: they never do."
    )
    gateway: Gateway | None = Field(
        None, description="How the gateway in front of it wants requests signed; empty: not."
    )
    digest_header: str = Field(
        "x-body-sm3", pattern=r"^[a-z0-9-]+$", description="Header with the SM3 of the body, which no gateway signs."
    )
    ask_seconds: NonNegativeFloat = Field(5, description="Rest between two questions for verdicts.")


class UpperPlatformSettings(AdapterSettings):
    """Settings of the 互联网+监管 platform of the level above."""

    mode: Literal["table", "http"] = Field(
        description="table: its front-end database; http: its services.", examples=["table"]
    )
    level: Literal["city", "province", "nation"] = Field(
        "province", description="Its level; only a hub of a province may deliver to the nation."
    )
    speaker: str = Field("", description="Its name in receipts; empty: the destination's.")
    cd_source: str = Field(
        "",
        max_length=50,
        description="Value of cd_source it expects, such as the division code 420000; empty: as filled.",
    )
    datasets: tuple[str, ...] = Field((), description="Data sets it takes; empty: all that the standard sends upwards.")
    table: CentreTables | None = Field(
        None,
        description="For mode = table.",
        examples=[{"url": "postgresql+psycopg://city@10.9.8.7/front", "password": "env:CENTRE_PASSWORD"}],
    )
    http: CentreService | None = Field(None, description="For mode = http.")

    @model_validator(mode="after")
    def _the_mode_has_its_part(self) -> Self:
        if getattr(self, self.mode) is None:
            raise ValueError(f"mode = {self.mode} needs the settings under '{self.mode}'")
        return self
