"""A server as a child process: under which user, in which folder, ended by what, and never left behind."""

import ctypes
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.services import guard

PR_SET_PDEATHSIG = 1

_guard: subprocess.Popen[str] | None = None
_guard_lock = threading.Lock()


class ServiceFailed(Exception):
    """A server that a test needs did not come up.  The test fails; it does not skip."""


def tell_guard(**message: object) -> None:
    """Starts the guard when it is first told something.  It sees our end as the end of its input."""
    global _guard  # noqa: PLW0603  # one guard a process, whoever starts a server first
    with _guard_lock:
        if _guard is None:
            command = [sys.executable, "-I", "-S", guard.__file__]
            _guard = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)
        assert _guard.stdin is not None
        _guard.stdin.write(json.dumps(message) + "\n")
        _guard.stdin.flush()


def die_with_parent() -> None:
    """For a worker: without it, a worker whose controller was killed would go on with its test and keep its servers."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Servant:
    """Who runs a server: its own system user where we are root, ourselves otherwise."""

    def __init__(self, user: str) -> None:
        self.user = user if os.geteuid() == 0 else None
        if self.user:
            try:
                pwd.getpwnam(self.user)
            except KeyError:
                raise ServiceFailed(f"the system user {user!r} is missing: its Debian package brings it") from None

    def command(self, *words: str | Path) -> list[str]:
        switch = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user else []
        return [*switch, *map(str, words)]

    def own(self, path: Path, *, mode: int = 0o600) -> Path:
        """Gives a file or folder of ours to the server's user."""
        path.chmod(mode)
        if self.user:
            shutil.chown(path, self.user, self.user)
        return path

    def new_folder(self, name: str) -> Path:
        """A folder of the server's own.  Short and outside pytest's, which other users may not enter."""
        path = Path(tempfile.mkdtemp(prefix=f"hub-{name}-"))
        tell_guard(folder=str(path))
        return self.own(path, mode=0o700)


class ServerProcess:
    """One start of a server."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        farewell: signal.Signals,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`farewell` asks this kind of server to end at once, also when clients are still connected."""
        self.log = log
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env=dict(environment) if environment is not None else None,
                start_new_session=True,
            )
        self._farewell = farewell
        tell_guard(watch=self.pid, signal=int(farewell))

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.is_running:
                raise ServiceFailed(f"{what} ended with {self._popen.returncode} while starting:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise ServiceFailed(f"{what} was not ready after {seconds:.0f} s:\n{self.last_words()}")
            time.sleep(0.05)

    def stop(self, *, seconds: float = 30) -> None:
        """Asks it to end in good order, and waits."""
        if self.is_running:
            self._popen.send_signal(self._farewell)
            try:
                self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                return
        tell_guard(forget=self.pid)

    def kill(self) -> None:
        """SIGKILL for it and for all of its children, wherever they have put themselves."""
        family = [self.pid, *_descendants(self.pid)]
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._popen.wait()
        while any(guard.started_at(pid) for pid in family):
            time.sleep(0.01)
        tell_guard(forget=self.pid)

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


def _descendants(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended while we looked
            continue
    found = [root]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found[1:]
