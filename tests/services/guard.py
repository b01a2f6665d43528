"""Outlives the tests by a moment: when the holder of its standard input is gone, it ends the servers still there.

A program of its own, so that no way of ending a test run (Ctrl-C, a closed terminal, SIGKILL) leaves a server
behind.  It is told in JSON lines: {"watch": pid, "signal": number}, {"forget": pid}, {"folder": path}.
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

PATIENCE_SECONDS = 5.0


def started_at(pid: int) -> str | None:
    """When the process started (clock ticks): a number used again is another process.  None when it is gone."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else rest[18]


def end(pid: int, number: int) -> None:
    """The whole process group, first as its server likes it, then without asking."""
    born = started_at(pid)
    for wish in (number, signal.SIGKILL):
        try:
            os.killpg(pid, wish)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if started_at(pid) != born:
                return
            time.sleep(0.02)


def main() -> None:
    for request in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(request, signal.SIG_IGN)
    watched: dict[int, tuple[int, str | None]] = {}
    folders: list[str] = []

    for line in sys.stdin:
        match json.loads(line):
            case {"watch": pid, "signal": number}:
                watched[pid] = (number, started_at(pid))
            case {"forget": pid}:
                watched.pop(pid, None)
            case {"folder": path}:
                folders.append(path)

    for pid, (number, born) in watched.items():
        if born is not None and started_at(pid) == born:
            end(pid, number)
    for path in folders:
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main()
