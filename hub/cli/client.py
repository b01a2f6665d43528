"""Talking to a running hub from the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2

from hub import config
from standards.errors import (
    BadConfiguration,
    BadRecord,
    BadSetup,
    HubError,
    IdempotencyConflict,
    NotAllowed,
    PayloadTooLarge,
    SystemUnreachable,
    Temporary,
    UnknownName,
)

_PIECE = 256 * 1024
_BY_CODE: dict[str, type[HubError]] = {
    c.code: c for c in (IdempotencyConflict, PayloadTooLarge, NotAllowed, UnknownName, BadConfiguration)
}


class Client:
    """A hub's HTTP door, with the operator's key of this machine or one that is given."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._client = httpx2.Client(
            base_url=self.url,
            headers={"authorization": f"Bearer {key}"},
            timeout=httpx2.Timeout(120, connect=10),
        )

    @classmethod
    def find(cls, config_path: Path, url: str = "", key: str = "") -> Client:
        """The hub of a settings file, or the one at `url`.  Raises BadConfiguration, SystemUnreachable."""
        url = url or os.environ.get("HUB_URL", "")
        key = key or os.environ.get("HUB_KEY", "")
        if url and key:
            return cls(url, key)
        settings = config.load(config_path)
        state = (config_path.resolve().parent / settings.hub.state).resolve()
        try:
            url = url or (state / "address").read_text("ascii")
            key = key or (state / "operator.key").read_text("ascii").strip()
        except OSError as error:
            raise SystemUnreachable(
                f"no hub runs with {config_path}",
                what_zh=f"使用 {config_path} 的枢纽没有运行",
                hint=f"start it: hub serve --config {config_path}",
                hint_zh=f"请先启动：hub serve --config {config_path}",
            ) from error
        return cls(url, key)

    def get(self, path: str, **params: Any) -> Any:
        """GET, as JSON."""
        return self._call("GET", path, params={k: v for k, v in params.items() if v is not None}).json()

    def text(self, path: str, **params: Any) -> str:
        """GET, as text."""
        return self._call("GET", path, params=params, headers={"accept": "text/plain"}).text

    def content(self, path: str) -> bytes:
        """GET, as bytes."""
        return self._call("GET", path).content

    def post(self, path: str, body: Any = None, **params: Any) -> Any:
        """POST JSON, as JSON."""
        return self._call("POST", path, json=body, params={k: v for k, v in params.items() if v is not None}).json()

    def delete(self, path: str) -> Any:
        """DELETE, as JSON."""
        return self._call("DELETE", path).json()

    def send_file(
        self,
        path: str,
        file: Path,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        progress: Callable[[int], None],
    ) -> tuple[int, Any]:
        """POST a file in pieces; status and JSON."""

        def pieces() -> Iterator[bytes]:
            with file.open("rb") as stream:
                while piece := stream.read(_PIECE):
                    yield piece
                    progress(len(piece))

        length = {"content-length": str(file.stat().st_size)}
        response = self._call("POST", path, params=params, headers={**headers, **length}, content=pieces())
        return response.status_code, response.json()

    def _call(self, method: str, path: str, **kwargs: Any) -> httpx2.Response:
        try:
            response = self._client.request(method, path, **kwargs)
        except httpx2.TransportError as error:
            raise SystemUnreachable(
                f"the hub at {self.url} does not answer ({type(error).__name__})",
                what_zh=f"枢纽 {self.url} 无应答",
                hint="is it running?",
                hint_zh="请检查枢纽是否在运行",
            ) from error
        if response.status_code >= 400:
            raise _error_of(response)
        return response


def _error_of(response: httpx2.Response) -> HubError:
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    what = problem.get("detail_en") or problem.get("title_en") or f"HTTP {response.status_code}"
    words = {
        "what_zh": problem.get("detail") or problem.get("title"),
        "hint": problem.get("hint_en"),
        "hint_zh": problem.get("hint"),
    }
    kind = _BY_CODE.get(problem.get("code", ""))
    if kind is None:
        status = response.status_code
        kind = Temporary if status >= 500 else NotAllowed if status in (401, 403) else BadRecord
        kind = UnknownName if status == 404 else kind
    if kind is BadRecord and problem.get("code") == "wrong-call":
        kind = BadSetup
    return kind(what, **words)
