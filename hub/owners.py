"""Who holds a lease: host, process and when it started, so that the dead of this host are known at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def _started(pid: int) -> str:
    """The process's start time as the kernel counts it; '' when there is no such process or no /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def this_process() -> str:
    """`host/pid/start`: no other process, before or after, has the same."""
    pid = os.getpid()
    return f"{socket.gethostname()[:40]}/{pid}/{_started(pid)}"


def is_dead(owner: str | None) -> bool:
    """True only when the holder was a process of this host and is no more."""
    if not owner:
        return False
    parts = owner.split("/")
    if len(parts) < 3 or parts[0] != socket.gethostname()[:40] or not parts[1].isdigit() or not parts[2]:
        return False
    if not Path("/proc/self/stat").exists():
        return False
    return _started(int(parts[1])) != parts[2]
