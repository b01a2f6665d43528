"""The HTTP API as Markdown, from its own OpenAPI document."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from hub.api import access
from hub.api.app import build as build_app
from hub.bootstrap import build, prepare
from tools.docs.models import cell

_CONFIG = """
[hub]
name = "docs"
title = "docs"
level = "city"
region = "140200"
code = "11140200E9QM7HGU4X"
"""
#: What FastAPI says where a route says nothing itself.
_PLAIN = {"Successful Response": "好 done", "Validation Error": "请求参数有误 wrong parameters"}


def application() -> FastAPI:
    """The application of a hub without parties."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hub.toml"
        path.write_text(_CONFIG, "utf-8")
        settings, _ = prepare(path)
        hub = build(settings)
        try:
            return build_app(hub)
        finally:
            hub.stop()


def page() -> Iterator[str]:
    """Every path, who may call it, its parameters, body and answers."""
    app = application()
    api = app.openapi()
    callers = {
        (route.path, method): _who(route.dependant)
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if hasattr(route, "dependant")
    }
    yield "# HTTP"
    yield ""
    yield str(api["info"]["description"])
    yield ""
    yield "Callers show their key as `Authorization: Bearer <key>`; a party's key opens that party's connections,"
    yield "receipts and cases, an operator's key everything. A running hub serves this page with forms to try at"
    yield "`/docs` (it needs no internet) and as a document at `/openapi.json`."
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            yield ""
            yield f"## `{method.upper()} {path}`"
            yield ""
            yield f"{operation.get('summary', '')}. {callers[path, method.upper()]}"
            if operation.get("description"):
                yield ""
                yield operation["description"]
            yield from _parameters(operation)
            yield from _body(operation, api["components"]["schemas"])
            yield ""
            yield "| answer | |"
            yield "|---|---|"
            for code, answer in sorted(operation.get("responses", {}).items()):
                said = answer.get("description", "")
                yield f"| {code} | {cell(_PLAIN.get(said, said))} |"


def _who(dependant: Dependant) -> str:
    asked = [one.call for one in _all(dependant)]
    for call in asked:
        if (right := getattr(call, "right", None)) is not None:
            whose = ", of the hub's own people and keys only" if getattr(call, "of_hub", False) else ""
            return f"With the right `{right}`{whose}."
    if any(getattr(call, "own", False) for call in asked):
        return "With the session of a person."
    return "With a key." if access.caller in asked else "Without a key."


def _all(dependant: Dependant) -> Iterator[Dependant]:
    for one in dependant.dependencies:
        yield one
        yield from _all(one)


def _parameters(operation: Mapping[str, Any]) -> Iterator[str]:
    parameters = operation.get("parameters", [])
    if parameters:
        yield ""
        yield "| parameter | in | kind | |"
        yield "|---|---|---|---|"
    for parameter in parameters:
        name = f"`{parameter['name']}`" + (" **must**" if parameter.get("required") else "")
        schema = parameter.get("schema", {})
        yield f"| {name} | {parameter['in']} | {cell(_kind(schema))} | {cell(parameter.get('description', ''))} |"


def _body(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return
    yield ""
    yield "Body: " + ", ".join(f"`{kind}`" for kind in content)
    name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    if name not in schemas:
        return
    yield ""
    yield "| word | kind | |"
    yield "|---|---|---|"
    required = schemas[name].get("required", ())
    for word, schema in schemas[name]["properties"].items():
        must = " **must**" if word in required else ""
        yield f"| `{word}`{must} | {cell(_kind(schema))} | {cell(schema.get('description', ''))} |"


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        said = " / ".join(f"`{value}`" for value in schema["enum"])
    else:
        kinds = [schema, *schema.get("anyOf", ())]
        said = next((str(one["type"]) for one in kinds if one.get("type") not in (None, "null")), "")
    default = schema.get("default")
    return f"{said}, else `{default}`" if default not in (None, "", False) else said
