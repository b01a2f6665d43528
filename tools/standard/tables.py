"""The hand-kept tables beside this file, and the watch that every line of them is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent


class _Loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
    """YAML as text only."""


def load(name: str) -> dict[str, Any]:
    """One table; a key that stands twice is an error."""
    text = (HERE / f"{name}.yaml").read_text(encoding="utf-8")
    node = yaml.compose(text, Loader=_Loader)
    keys = [key.value for key, _ in node.value]
    if doubled := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"{name}.yaml: {doubled} stand twice")
    return dict(yaml.load(text, Loader=_Loader))


class Watched:
    """A table that remembers which of its lines were used."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._held = load(name)
        self._used: set[str] = set()

    def get(self, *keys: str) -> Any:
        """The first of these lines that is there, or None."""
        for key in keys:
            if key in self._held:
                self._used.add(key)
                return self._held[key]
        return None

    def every(self, *keys: str) -> list[Any]:
        """All of these lines that are there."""
        return [found for key in keys if (found := self.get(key)) is not None]

    def unused(self) -> list[str]:
        """The lines nothing asked for."""
        return [f"{self.name}.yaml: nothing uses {key!r}" for key in self._held if key not in self._used]
