"""Lookup `rest_lookup`: a service is posted a list of keys and answers with the rows it knows.

    → {"keys": ["91140200MA0K12345X", …]}            or lists, where a key has several parts
    ← [{"uscc": "91140200MA0K12345X", "name": "…"}, …]   at the root, or where `records` points

A key that is not in the answer is not known there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from pydantic import Field, PositiveFloat, PositiveInt

from adapters.base import Manifest, Surroundings
from adapters.transport import HttpSettings, HttpTransport
from standards.errors import AnswerNotUnderstood


class RestLookupSettings(HttpSettings):
    """Settings of a service that is asked."""

    answer_seconds: PositiveFloat = Field(10, description="Longest wait for an answer.")
    quick_tries: int = Field(1, ge=1, le=10, description="Attempts within one call when no connection comes about.")
    keys: str = Field("keys", description="Field of the request that takes the list of keys.")
    extra: dict[str, str] = Field({}, description="Further fields of the request.")
    records: str = Field("", pattern=r"^$|^/", description="JSON pointer of the list in the answer; empty: the root.")
    match: tuple[str, ...] = Field(min_length=1, description="Fields of the answer that hold the key, in its order.")
    at_once: PositiveInt = Field(500, description="Keys in one call.")


class RestLookup:
    """Implements standards.ports.Lookup."""

    def __init__(self, settings: RestLookupSettings, around: Surroundings) -> None:
        self._settings = settings
        self._http = HttpTransport(settings, key=around.secret(settings.key) if settings.key else "")

    def find(self, keys: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], Mapping[str, str]]:
        """The rows of these keys."""
        s = self._settings
        wanted = set(keys)
        found: dict[tuple[str, ...], dict[str, str]] = {}
        for start in range(0, len(keys), s.at_once):
            part = keys[start : start + s.at_once]
            body = {**s.extra, s.keys: [key[0] if len(key) == 1 else key for key in part]}
            headers = {"content-type": "application/json", "accept": "application/json"}
            response = self._http.request("POST", s.url, content=msgspec.json.encode(body), headers=headers)
            for row in self._records(response.content):
                key = tuple(row.get(name, "") for name in s.match)
                if key in wanted:
                    found.setdefault(key, row)
        return found

    def _records(self, body: bytes) -> list[dict[str, str]]:
        try:
            held: Any = msgspec.json.decode(body)
            for part in self._settings.records.split("/")[1:]:
                held = held[part]
            return [{name: _text(value) for name, value in row.items()} for row in held]
        except (msgspec.MsgspecError, KeyError, TypeError, AttributeError) as error:
            raise AnswerNotUnderstood(
                f"the answer holds no list of records at {self._settings.records or 'its root'}",
                what_zh=f"应答中{self._settings.records or '根部'}不是记录列表",
                hint="check `records` of this lookup",
                hint_zh="请检查该查询的 records 设置",
            ) from error

    def check(self) -> str:
        """Ask for a key that nobody has."""
        self.find([tuple("-" for _ in self._settings.match)])
        return self._settings.url

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


def _text(value: Any) -> str:
    """A value of JSON as text; what is no plain value stays JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


MANIFEST = Manifest(
    name="rest_lookup",
    title="基础库查询（接口）",
    title_en="a service that is asked",
    lookup_settings=RestLookupSettings,
    make_lookup=RestLookup,
    about=__doc__ or "",
)
