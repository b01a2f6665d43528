"""What guards a simulated system whose feeds name a gateway: keys that were invented for it, and signed requests.

A secret of the definition is written into a file; the settings refer to that file, so the hub and the gateway share it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.simulators.gateway import Gateway, NotSigned
from adapters.simulators.service import Refused
from adapters.systems.definition import Feed, System
from standards.clock import SystemClock

#: Where a short-lived secret is fetched: `{url}/gateway`.
PATH = "gateway"
_KEYS = "keys"
_LENGTH = 16


class Guard:
    """The keys of a system, and its gateway when it has one."""

    def __init__(self, system: System, folder: Path) -> None:
        self._keys = {name: _kept(folder / _KEYS / name) for name in system.secrets}
        self._files = {name: folder / _KEYS / name for name in system.secrets}
        tif: dict[str, str] = {}
        sharing: dict[tuple[str, str], str] = {}
        for feed in system.feeds.values():
            asked: Mapping[str, Any] = feed.settings.get("gateway", {})
            if asked.get("kind") == "x-tif":
                tif[asked["paasid"]] = self._meant(asked["token"])
            elif asked:
                sharing[asked["rid"], asked["sid"]] = self._meant(asked["app_key"])
        self.gateway = Gateway(SystemClock(), tif, sharing)

    def words(self) -> dict[str, str]:
        """What fills `{secret:…}` in the settings."""
        return {f"secret:{name}": f"file:{path}" for name, path in self._files.items()}

    def refusal(self, feed: Feed, headers: Mapping[str, str]) -> bytes | None:
        """The answer to a request that is not signed as it must be; None when it may pass.  Raises Refused."""
        if not feed.settings.get("gateway"):
            return None
        try:
            self.gateway.caller(headers)
        except NotSigned as error:
            # The sharing platform says no with status 200, provincial gateways with 401.
            if "gjgxjhpt_rid" not in headers:
                raise Refused(401) from error
            return json.dumps({"errCode": "-1", "errMsg": str(error)}).encode()
        return None

    def _meant(self, reference: str) -> str:
        """The key that a setting like `{secret:name}` means."""
        return self._keys[reference.strip("{}").removeprefix("secret:")]


def _kept(path: Path) -> str:
    """An invented key, the same after a restart."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_hex(_LENGTH))
    return path.read_text("ascii")
