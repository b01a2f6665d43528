"""The provincial centre of the demo: the simulator of the upper platform in a process of its own, which ends with us.

python -m demo.province --url sqlite:////… --org datong:ds_140200_ …
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from adapters.upper_platform.simulator import Faults
from adapters.upper_platform.simulator.__main__ import main as simulate
from standards.errors import SystemUnreachable

#: Share of records that the centre refuses although the city found nothing: by their key, so always the same ones.
REFUSED = 0.004
#: How it knows the city.
CITY = "datong"
DATASETS = ("punish_action", "check_action", "supervise_object", "credit_license")


def refused(cd_id: str) -> bool:
    """Whether the centre refuses this record; it always refuses the same ones."""
    return Faults(wrong=REFUSED).refuses(cd_id)


@dataclass(slots=True)
class Province:
    """The running centre."""

    process: subprocess.Popen[bytes]
    url: str

    def get(self, path: str) -> Any:
        """Ask it something.  Raises SystemUnreachable."""
        try:
            return httpx2.get(f"{self.url}{path}", timeout=30).raise_for_status().json()
        except httpx2.HTTPError as error:
            raise SystemUnreachable("the simulated centre does not answer", what_zh="模拟的省中心无应答") from error

    def stop(self) -> None:
        """End it: it ends when its standard input does."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(root: Path) -> Province:
    """Start the centre in the demo's folder.  Raises SystemUnreachable with the end of its log."""
    log = root / "province.log"
    words = [
        *("--url", f"sqlite:///{root}/province/centre.db", "--org", f"{CITY}:ds_140200_"),
        *(word for name in DATASETS for word in ("--dataset", name)),
        *("--tif", f"{CITY}=file:{root}/keys/gateway", "--every", "0.2", "--fault", f"wrong={REFUSED}"),
    ]
    with log.open("wb") as stream:
        # Ctrl-C is for the demo, which first ends the city and then its centre.
        process = subprocess.Popen(
            [sys.executable, "-m", "demo.province", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            start_new_session=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        told = log.read_text("utf-8", "replace")[-500:]
        raise SystemUnreachable(f"the simulated centre did not start: {told}", what_zh=f"模拟的省中心没有启动：{told}")
    return Province(process, json.loads(line)["url"])


def main() -> int:
    """The centre's own process."""

    def watch() -> None:
        with suppress(OSError, ValueError):
            sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="parent").start()
    return simulate(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
