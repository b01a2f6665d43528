"""Handing over as departments do: a file put into a folder, or a body pushed over HTTP with the party's key."""

from __future__ import annotations

import os
from typing import Any

import httpx2

from demo.records import Department, File
from demo.state import Place
from hub.cli.client import Client
from standards.errors import SystemUnreachable


def into_folder(place: Place, department: Department, file: File) -> None:
    """Written under a hidden name and renamed, so that nobody takes half a file."""
    folder = place.folder(department.party)
    folder.mkdir(exist_ok=True)
    hidden = folder / f".{file.name}.part"
    hidden.write_bytes(file.data)
    os.replace(hidden, folder / file.name)


def over_http(place: Place, client: Client, department: Department, file: File) -> dict[str, Any]:
    """Pushed with an idempotency key, as a program does that may have to repeat; what the hub answered."""
    path = place.sample(file.name)
    path.write_bytes(file.data)
    _, answer = client.send_file(
        "/v1/submissions",
        path,
        {"connection": department.connection, "name": file.name},
        {"idempotency-key": path.stem.encode().hex()},
        lambda _size: None,
    )
    return dict(answer)


def party_client(place: Place, operator: Client, party: str) -> Client:
    """A client with a new key of a party; the key is kept in the demo's folder."""
    key = operator.post("/v1/keys", {"party": party, "note": "演示 demo"})["key"]
    place.keep_key(party, key)
    return Client(operator.url, key)


def template(client: Client) -> bytes:
    """The Excel template of check_action, fetched from the hub as a bureau without a system does."""
    try:
        return (
            httpx2.get(f"{client.url}/v1/standards/datasets/check_action/xlsx", timeout=60).raise_for_status().content
        )
    except httpx2.HTTPError as error:
        raise SystemUnreachable("the hub gives no template", what_zh="枢纽没有给出 Excel 模板") from error
