"""A private Prometheus server of Debian's package `prometheus`, over settings and rules that a test gives it."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.services.ports import LOOPBACK, free_port
from tests.services.process import Servant, ServerProcess, ServiceFailed

SETTINGS = "prometheus.yml"
START_SECONDS = 30


class PrometheusSaysNo(AssertionError):
    """What the server answered to a question it does not understand or cannot answer."""


class PrometheusServer:
    """One server with its own folder and port.  It looks for its targets five seconds after its start, not before."""

    def __init__(self) -> None:
        program = shutil.which("prometheus")
        if program is None:
            raise ServiceFailed("no Prometheus server is installed: './run setup' brings it")
        self._program = program
        self._servant = Servant("prometheus")
        self.folder = self._servant.new_folder("prom")
        self.port = free_port()
        self._process: ServerProcess | None = None

    def write(self, name: str, text: str) -> Path:
        """A file beside its settings that only the server reads; it reads a key again for each scrape."""
        path = self.folder / name
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(text, "utf-8")
        self._servant.own(new)
        return new.replace(path)

    def start(self) -> None:
        """With the settings that were written as prometheus.yml."""
        self._process = ServerProcess(
            self._servant.command(
                self._program,
                f"--config.file={self.folder / SETTINGS}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address={LOOPBACK}:{self.port}",
                "--log.level=warn",
            ),
            log=self.folder / "server.log",
            farewell=signal.SIGTERM,
        )
        self._process.wait_until(self._is_ready, seconds=START_SECONDS, what="Prometheus")

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"http://{LOOPBACK}:{self.port}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def ask(self, path: str, **words: object) -> Any:
        """The data of an answer of its API.  Raises PrometheusSaysNo."""
        address = f"http://{LOOPBACK}:{self.port}/api/v1/{path}?{urlencode(words)}"
        try:
            with urlopen(address, timeout=20) as answer:
                said = json.loads(answer.read())
        except HTTPError as error:
            raise PrometheusSaysNo(f"{path} {words}: {error.read().decode('utf-8', 'replace')}") from error
        if said["status"] != "success" or said.get("warnings"):
            raise PrometheusSaysNo(f"{path} {words}: {said}")
        return said["data"]

    def remove(self) -> None:
        """SIGKILL; nothing of it stays."""
        if self._process is not None:
            self._process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
