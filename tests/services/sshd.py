"""A private OpenSSH server: what SFTP connections are tried against."""

from __future__ import annotations

import getpass
import os
import signal
import tempfile
from pathlib import Path

import asyncssh

from tests.services.ports import LOOPBACK, answers, free_port
from tests.services.process import ServerProcess, ServiceFailed, tell_guard

SERVER = Path("/usr/sbin/sshd")
START_SECONDS = 20

CONFIG = """
Port {port}
ListenAddress {host}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
LogLevel ERROR
"""


class SshServer:
    """One server for one account: the one the tests run as, with a key of its own."""

    def __init__(self) -> None:
        if not SERVER.exists():
            raise ServiceFailed("no OpenSSH server is installed: './run setup' brings it")
        self.folder = Path(tempfile.mkdtemp(prefix="hub-ssh-"))
        tell_guard(folder=str(self.folder))
        self.port = free_port()
        self.user = getpass.getuser()
        host, own = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
        self._write("host_key", host.export_private_key())
        self._write("authorized_keys", own.export_public_key())
        self._write("own_key", own.export_private_key())
        self.host_key = host.export_public_key().decode().strip()
        self._write("config", CONFIG.format(port=self.port, host=LOOPBACK, folder=self.folder).encode())
        self._process: ServerProcess | None = None

    @property
    def private_key(self) -> str:
        """Reference of the account's key."""
        return f"file:{self.folder / 'own_key'}"

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(data)

    def start(self) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._process = ServerProcess(
            [str(SERVER), "-D", "-e", "-f", str(self.folder / "config")],
            log=self.folder / "server.log",
            farewell=signal.SIGTERM,
        )
        self._process.wait_until(lambda: answers(self.port), seconds=START_SECONDS, what="OpenSSH")

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None
