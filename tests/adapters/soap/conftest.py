"""A served hub with a party that speaks SOAP and a mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hub import serve
from hub.bootstrap import prepare
from hub.ledger import credentials
from hub.serve import Running
from tests.hub.city import config
from tests.receiver import Receiver

MORE = """
[connections.soap-checks]
party = "ecology"
adapter = "soap"
dataset = "check_action"

[connections.soap-penalties]
party = "ecology"
adapter = "soap"
mapping = "demo_ecology/punish_action"
read = { encoding = "gb18030" }

[destinations.letters]
party = "market"
adapter = "mailbox"

[[routes]]
to = ["letters"]
connections = ["soap-checks"]
"""


@dataclass
class Service:
    """The service as its callers see it."""

    running: Running
    receiver: Receiver
    key: str
    market: str

    @property
    def wsdl(self) -> str:
        return f"{self.running.address}/soap?wsdl"

    def receipt(self, number: str) -> dict[str, Any]:
        """The same receipt by the other door."""
        headers = {"authorization": f"Bearer {self.key}"}
        answer = httpx2.get(f"{self.running.address}/v1/receipts/{number}", headers=headers)
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("soap")
    receiver = Receiver().start()
    path = folder / "hub.toml"
    path.write_text(config(receiver.url, more=MORE), "utf-8")
    running = serve.start(*prepare(path))
    now = running.hub.clock.now()

    def key(party: str) -> str:
        return running.hub.ledger.write(lambda c: credentials.make(c, party, now, by="test"))[1]

    yield Service(running, receiver, key("ecology"), key("market"))
    running.stop()
    receiver.stop()
