"""The pages about adapters: one each, from its manifest and its settings models; and their index."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel

from adapters import registry
from adapters.base import Manifest
from adapters.kit import example
from tools.docs import models

_KINDS = {"channel": "通道 channel", "system": "系统 system"}


def index() -> Iterator[str]:
    """Every adapter that comes with the hub."""
    yield "# 适配器 · adapters"
    yield ""
    yield "A *channel* speaks a protocol or a form and needs no Python from an integrator; a *system* is one named"
    yield "counterpart with its own habits. Those of other packages enter by the entry-point group `hub.adapters`:"
    yield "`hub adapter list` shows what is installed, `hub adapter new` makes one"
    yield "([integrators.md](../integrators.md#an-adapter-of-your-own))."
    yield ""
    yield "| adapter | 名称 title | 类别 kind | 入 in | 出 out |"
    yield "|---|---|---|---|---|"
    for name in registry.BUILT_IN:
        manifest = registry.load(name)
        comes = ("对方推送 pushed" if manifest.pushed else "✓") if manifest.source_settings is not None else ""
        goes = "✓" if manifest.destination_settings is not None else ""
        title = f"{manifest.title} · {manifest.title_en}"
        yield f"| [`{name}`](../adapters/{name}.md) | {title} | {_KINDS[manifest.kind]} | {comes} | {goes} |"


def page(name: str) -> Iterator[str]:
    """One adapter: what for, an example, what is tried, every word of its settings."""
    manifest = registry.load(name)
    yield f"# `{name}` {manifest.title} · {manifest.title_en}"
    yield ""
    yield f"{_KINDS[manifest.kind]}. All adapters: [reference/adapters.md](../reference/adapters.md)."
    yield ""
    yield inspect.cleandoc(manifest.about)
    if manifest.source_settings is not None:
        yield from _side(
            "入 · as a source",
            example.connection(manifest),
            _tried(manifest.make_source, manifest),
            "connections.<name>.settings",
            manifest.source_settings,
        )
    if manifest.destination_settings is not None:
        yield from _side(
            "出 · as a destination",
            example.destination(manifest),
            _tried(manifest.make_destination, manifest),
            "destinations.<name>.settings",
            manifest.destination_settings,
        )
    if manifest.lookup_settings is not None:
        yield from _side(
            "查 · as a lookup",
            example.lookup(manifest),
            _tried(manifest.make_lookup, manifest),
            "lookups.<name>.settings",
            manifest.lookup_settings,
        )


def _side(title: str, lines: Iterator[str], tried: str, where: str, model: type[BaseModel]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield "```toml"
    yield from lines
    yield "```"
    yield ""
    yield f"`hub check`: {tried}"
    yield ""
    if not model.model_fields:
        yield inspect.getdoc(model) or "Nothing to set."
        return
    yield f"`{where}`:"
    yield ""
    yield from models.table(model)
    for word, inner in models.parts(model):
        yield from _inner(word, inner)


def _inner(word: str, model: type[BaseModel]) -> Iterator[str]:
    yield ""
    yield f"### `{word}`"
    yield ""
    yield from models.table(model)
    for name, inner in models.parts(model):
        yield from _inner(f"{word}.{name}", inner)


def _tried(make: Callable[..., Any] | None, manifest: Manifest) -> str:
    """What the connection test does, in the words of who wrote it."""
    if make is None:
        return "nothing to try, the other side comes to us." if manifest.pushed else "nothing to try."
    made = make if inspect.isclass(make) else typing.get_type_hints(make).get("return")
    said = inspect.getdoc(made.check) if made is not None else ""
    return " ".join((said or "").split())
