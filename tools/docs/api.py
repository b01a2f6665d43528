"""The HTTP API as Markdown, from its own OpenAPI document."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.api.app import build as build_app
from hub.bootstrap import build, prepare

_CONFIG = """
[hub]
name = "docs"
title = "docs"
level = "city"
region = "140200"
code = "11140200E9QM7HGU4X"
"""


def document() -> dict[str, Any]:
    """The OpenAPI document of a hub without parties."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hub.toml"
        path.write_text(_CONFIG, "utf-8")
        settings, _ = prepare(path)
        hub = build(settings)
        try:
            return build_app(hub).openapi()
        finally:
            hub.stop()


def page() -> Iterator[str]:
    """Every path, its parameters and answers."""
    api = document()
    yield "# HTTP"
    yield ""
    yield str(api["info"]["description"])
    yield ""
    yield "A running hub serves this as a page at `/docs` and as a document at `/openapi.json`."
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            yield ""
            yield f"## `{method.upper()} {path}`"
            yield ""
            yield operation.get("summary", "")
            if operation.get("description"):
                yield ""
                yield operation["description"]
            parameters = operation.get("parameters", [])
            if parameters:
                yield ""
                yield "| parameter | in | |"
                yield "|---|---|---|"
            for parameter in parameters:
                name = f"`{parameter['name']}`" + (" **must**" if parameter.get("required") else "")
                yield f"| {name} | {parameter['in']} | {_cell(parameter.get('description', ''))} |"
            yield ""
            yield "| answer | |"
            yield "|---|---|"
            for code, answer in operation.get("responses", {}).items():
                yield f"| {code} | {_cell(answer.get('description', ''))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
