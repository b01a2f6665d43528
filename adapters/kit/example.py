"""An example of hub.toml for an adapter, from the examples that stand beside the words of its settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from adapters.base import Manifest


def values_of(model: type[BaseModel]) -> dict[str, Any]:
    """What the example of a settings model says: every word that brings an example of its own."""
    fields = model.model_fields.items()
    return {field.alias or name: field.examples[0] for name, field in fields if field.examples}


def connection(manifest: Manifest) -> Iterator[str]:
    """Lines of hub.toml for a connection."""
    yield "[connections.ecology-penalties]"
    yield 'party = "ecology"'
    yield f"adapter = {_toml(manifest.name)}"
    if not manifest.follows:  # another hub speaks the standard, and each of its parcels names its data set
        yield 'mapping = "ecology/punish_action"'
    yield from _settings("connections.ecology-penalties", manifest.source_settings)


def destination(manifest: Manifest) -> Iterator[str]:
    """Lines of hub.toml for a destination and a route to it."""
    yield "[destinations.province]"
    yield 'party = "centre"'
    yield f"adapter = {_toml(manifest.name)}"
    yield from _settings("destinations.province", manifest.destination_settings)
    yield ""
    yield "[[routes]]"
    yield 'to = ["province"]'


def lookup(manifest: Manifest) -> Iterator[str]:
    """Lines of hub.toml for a lookup."""
    yield "[lookups.base]"
    yield f"adapter = {_toml(manifest.name)}"
    yield from _settings("lookups.base", manifest.lookup_settings)


def _settings(head: str, model: type[BaseModel] | None) -> Iterator[str]:
    values = values_of(model) if model is not None else {}
    if values:
        yield ""
        yield f"[{head}.settings]"
        yield from (f"{word} = {_toml(value)}" for word, value in values.items())


def _toml(value: Any) -> str:
    """A value as TOML; nested ones in one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{word} = {_toml(inner)}" for word, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
