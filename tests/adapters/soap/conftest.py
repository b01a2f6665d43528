"""A served hub with a party that speaks SOAP and a mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
