"""The setting that destinations with forms share."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Formed(Protocol):
    """Settings that name forms; `hub check` reads and lints each of them."""

    @property
    def forms(self) -> dict[str, str]:
        """Data set -> form `<system>/<name>`."""
        ...
