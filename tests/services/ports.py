"""Free ports on the loopback interface, and whether somebody answers there."""

import random
import socket
from contextlib import suppress
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST = 20000

_claims: list[socket.socket] = []
_random = random.SystemRandom()


def free_port() -> int:
    """A port that nobody listens on, claimed for as long as this process lives.

    Below the range from which the kernel takes ports for outgoing connections: from there, one could be gone between
    a server's stop and its next start.
    """
    highest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]) - 1
    if highest < LOWEST + 1000:
        highest = 32767
    while True:
        port = _random.randint(LOWEST, highest)
        if _claim(port) and not _is_taken(port):
            return port


def _claim(port: int) -> bool:
    """Among the processes of all test runs on this machine: a name that only one of them can have."""
    claim = socket.socket(socket.AF_UNIX)
    with suppress(OSError):
        claim.bind(f"\0hub-test-port-{port}")
        _claims.append(claim)
        return True
    claim.close()
    return False


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def answers(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False
