"""./run chaos [--minutes N] [--seed S]

A hub on PostgreSQL and RabbitMQ takes in hand-overs without a pause, while every few seconds something is killed:
a worker, the whole hub, the broker (sometimes with its data), the database.  In the end every accepted record must be
stored at the receiver once, every fault told at its row, and the counts add up.  The same seed kills in the same order.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from demo.ecology import rows
from tests.hub.faults.rig import Handed, HubProcess, pause
from tests.receiver import Receiver
from tests.services.postgres import Databases, PostgresServer
from tests.services.rabbitmq import RabbitNode

_EACH = 500


class Chaos:
    """One run."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = Random(seed)
        self.node, self.server = RabbitNode(), PostgresServer()
        self.node.start()
        self.server.start()
        self.receiver = Receiver().start()
        database = Databases(self.server.url).create()
        self.hub = HubProcess.make(folder, self.receiver, ledger=database, broker=self.node.url)
        self.handed = Handed()
        self.ended = threading.Event()

    def run(self, minutes: float) -> None:
        """Raises AssertionError when something was lost, doubled or not told."""
        self.hub.start()
        sender = threading.Thread(target=self._send)
        sender.start()
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            pause(self.chance.uniform(2, 6))
            name, act = self.chance.choice(self._acts())
            print(f"{time.strftime('%H:%M:%S')} {name}（已存 stored {len(self.receiver.stored)}）", flush=True)
            act()
        self.ended.set()
        sender.join()
        print("等待办结 waiting until everything is settled", flush=True)
        self.hub.until(lambda: self.handed.settled(self.hub), 600)
        self.handed.check(self.hub, self.receiver)

    def _send(self) -> None:
        first = 1
        while not self.ended.is_set():
            self.handed.files[f"file-{first}"] = list(rows(_EACH, faults=0.01, first=first))
            self.handed.hand_over(self.hub, 300)
            first += _EACH

    def _acts(self) -> list[tuple[str, Callable[[], None]]]:
        workers = [(f"终止 kill {role}", lambda role=role: self._kill(role)) for role in _ROLES]
        return [
            *workers,
            *workers,
            ("终止整个枢纽 kill the hub", self._restart_hub),
            ("终止 RabbitMQ kill it", lambda: self._restart_broker(wipe=False)),
            ("清空 RabbitMQ kill and empty it", lambda: self._restart_broker(wipe=True)),
            ("终止 PostgreSQL kill it", self._restart_database),
        ]

    def _kill(self, role: str) -> None:
        try:
            self.hub.kill_worker(role)
        except ProcessLookupError:
            print("  已不在 it is gone already", flush=True)

    def _restart_hub(self) -> None:
        self.hub.kill()
        self.hub.start()

    def _restart_broker(self, *, wipe: bool) -> None:
        self.node.wait_for_queues()
        self.node.kill()
        if wipe:
            self.node.wipe()
        self.node.start()

    def _restart_database(self) -> None:
        self.server.kill()
        pause(self.chance.uniform(0, 3))
        self.server.start()

    def close(self) -> None:
        """Leave nothing behind."""
        self.ended.set()
        self.hub.stop()
        self.receiver.stop()
        self.node.remove()
        self.server.remove()


_ROLES = ("translate", "dispatch", "keeper", "api")


def main(words: list[str]) -> int:
    """0 when every promise held, 1 when not."""
    parser = argparse.ArgumentParser(prog="./run chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, default=Random().randrange(10_000))
    chosen = parser.parse_args(words)
    print(f"种子 seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        chaos = Chaos(Path(folder), chosen.seed)
        try:
            chaos.run(chosen.minutes)
        except AssertionError as error:
            print(f"✗ {error}", file=sys.stderr)
            return 1
        finally:
            chaos.close()
    records = sum(len(source) for source in chaos.handed.files.values())
    print(f"✓ {records} 条记录全部相符 records: nothing lost, nothing doubled, every fault told")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
