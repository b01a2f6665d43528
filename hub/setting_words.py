"""What every part of hub.toml is made of: names, durations, references to secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> object:
    """`90s`, `15m`, `2h`, `5d`."""
    if isinstance(value, str) and value[-1:] in _UNITS:
        try:
            return timedelta(seconds=float(value[:-1]) * _UNITS[value[-1]])
        except ValueError:
            return value
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]


class Part(BaseModel):
    """A part of the settings: frozen, and a word it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _secret(value: object) -> object:
    """A secret is never written into hub.toml, only where to find it: `env:NAME` or `file:/path`."""
    if isinstance(value, str) and not value.startswith(("env:", "file:")):
        raise ValueError("a secret is not written here: say env:NAME or file:/path")
    return value


SecretReference = Annotated[str, BeforeValidator(_secret)]
