"""Every page and GET of the interface asked with names that exist; what an answer says, also in a workbook."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx2
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, iter_route_contexts

from hub.api.console.visit import COOKIE, form_token
from hub.serve import Running


@dataclass(frozen=True)
class Ask:
    """One question to one route."""

    method: str
    path: str
    address: str
    query: Mapping[str, str]
    #: Whether the route says of itself that it answers with something else than a page or JSON.
    file: bool = False
    body: Any = None

    @property
    def room(self) -> str:
        return self.path.split("/")[1] if self.path.startswith(("/console", "/sender")) else ""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


class Unnamed(AssertionError):
    """A route has a gap of which no test knows what to put in."""


def gets(app: FastAPI, known: Mapping[str, list[str]]) -> Iterator[Ask]:
    """Every GET with every name that is known for its gaps; what is optional and says yes or no once with yes.

    `known`: gap, or the beginning of a path and a gap (`/v1/cases/{case}`), -> what to put in.
    """
    for route in iter_route_contexts(app.routes):
        path = route.path or ""
        if "GET" not in (route.methods or ()) or not isinstance(route.original_route, APIRoute):
            continue
        gaps = re.findall(r"\{(\w+)(?::\w+)?\}", path)
        needed = [one.name for one in route.dependant.query_params if one.field_info.is_required()]
        flags = [one.name for one in route.dependant.query_params if one.field_info.annotation is bool]
        kind = route.original_route.response_class
        kind = getattr(kind, "value", kind)
        file = bool(re.search(r"\.\w+$", path)) or (isinstance(kind, type) and not issubclass(kind, JSONResponse))
        for values in _filled(path, gaps + needed, known):
            address = re.sub(r"\{(\w+)(?::\w+)?\}", lambda gap, values=values: values[gap[1]], path)
            query = {name: values[name] for name in needed}
            yield Ask("GET", path, address, query, file)
            if flags:
                yield Ask("GET", path, address, {**query, **dict.fromkeys(flags, "1")}, file)


def _filled(path: str, names: list[str], known: Mapping[str, list[str]]) -> Iterator[dict[str, str]]:
    """One value for each name; names that go together (a receipt and its row) have lists that go together."""
    if not names:
        yield {}
        return
    lists = {}
    for name in names:
        place = path.partition(f"{{{name}}}")[0] + f"{{{name}}}"
        found = known.get(place, known.get(place.replace("/sender/", "/console/"), known.get(name)))
        if found is None:
            raise Unnamed(f"{path}: say in the test what {name} may be, so that this route is asked")
        lists[name] = found
    for number in range(max(len(one) for one in lists.values())):
        yield {name: one[min(number, len(one) - 1)] for name, one in lists.items()}


class Asker:
    """Asks as a person or a key does."""

    def __init__(self, running: Running, token: str) -> None:
        self.token = token
        self.client = httpx2.Client(base_url=running.address, timeout=60)

    def ask(self, one: Ask) -> httpx2.Response:
        headers = {"cookie": f"{COOKIE}={self.token}"} if one.room else {"authorization": f"Bearer {self.token}"}
        if one.method == "GET":
            return self.client.get(one.address, params=one.query, headers=headers)
        if one.room:
            data = {"token": form_token(self.token), **one.body}
            return self.client.post(one.address, params=one.query, data=data, headers=headers)
        body = {"content": one.body} if isinstance(one.body, bytes) else {"json": one.body}
        return self.client.post(one.address, params=one.query, headers=headers, **body)


def words_of(answer: httpx2.Response) -> str:
    """Everything an answer says: its text and where it leads, or what stands in each part of a workbook."""
    if answer.content[:2] != b"PK":
        return unescape(answer.text) + answer.headers.get("location", "")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return "\n".join(unescape(book.read(name).decode("utf-8", "replace")) for name in book.namelist())
