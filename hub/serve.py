"""Running a hub: one process on SQLite; on PostgreSQL a supervisor with worker processes it keeps alive."""

from __future__ import annotations

import ctypes
import fcntl
import gc
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO

import structlog
import uvicorn

from hub import logs, telemetry
from hub.api.app import build as build_api
from hub.bootstrap import ROLES, Hub, build, ledger_url, prepare, put_into_force
from hub.generations import Body
from hub.ledger import credentials
from hub.settings import Settings
from standards.errors import BadConfiguration, HubError

log = structlog.get_logger()

_GRACE = 20.0
#: Seconds a thread may keep the interpreter.  The thread that waits for the database would otherwise stand behind the
#: one that maps for five milliseconds after each of its statements; so would, on SQLite, whoever asks for a page.
_SWITCH = 0.0002
#: By so much the processes that take bulk along give way to the one that somebody waits for.
_BEHIND = 5


class Server:
    """The HTTP door in a thread of its own, so that the process can end in order."""

    def __init__(self, hub: Hub, sock: socket.socket) -> None:
        self.app = build_api(hub)
        config = uvicorn.Config(
            self.app,
            log_config=None,
            access_log=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=10,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._socket = sock
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def start(self) -> None:
        """Begin to answer; returns when it does."""
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self) -> None:
        """Finish what is being answered."""
        self._server.should_exit = True
        self._thread.join(15)


def listen(settings: Settings) -> socket.socket:
    """The socket of the door.  Raises BadConfiguration when the port is taken."""
    sock = socket.socket(socket.AF_INET6 if ":" in settings.api.host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((settings.api.host, settings.api.port))
    except OSError as error:
        raise BadConfiguration(
            f"cannot listen on {settings.api.host}:{settings.api.port}: {error.strerror}",
            what_zh=f"无法监听 {settings.api.host}:{settings.api.port}",
            hint="is another hub running? set api.port",
            hint_zh="是否已有枢纽在运行？可修改 api.port",
        ) from error
    sock.listen(512)
    return sock


def address_of(sock: socket.socket) -> str:
    """The address callers on this machine use."""
    host, port = sock.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def lock_state(state: Path) -> IO[str]:
    """Only one hub uses a state folder.  Raises BadConfiguration when another does."""
    state.mkdir(parents=True, exist_ok=True)
    held = (state / "lock").open("a+")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise BadConfiguration(
            f"another hub uses {state}",
            what_zh=f"另一个枢纽进程正在使用 {state}",
            hint="stop it, or use another state folder",
            hint_zh="请先停止它，或改用另一个 state 目录",
        ) from error
    return held


def local_key(hub: Hub) -> None:
    """A key of the operator for commands on this machine, readable by the owner of the process only."""
    path = hub.state / "operator.key"
    now = hub.clock.now()
    if path.exists():
        with hub.ledger.read() as connection:
            if credentials.holder(connection, path.read_text("ascii").strip(), now) is not None:
                return
    _, key = hub.ledger.write(lambda c: credentials.make(c, "", now, note="local commands"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(key)


@dataclass(slots=True)
class Running:
    """A hub at work in this process."""

    hub: Hub
    server: Server | None
    address: str
    lock: IO[str] | None = None
    spans: telemetry.Spans | None = None

    def stop(self) -> None:
        """End in order: no new work, then what is in hand."""
        if self.server is not None:
            self.server.stop()
        self.hub.stop()
        telemetry.end(self.spans)
        if self.lock is not None:
            self.lock.close()


def start(settings: Settings, body: Body, roles: tuple[str, ...] = ROLES) -> Running:
    """Everything in this process."""
    keep_memory_small()
    lock = lock_state(Path(settings.hub.state))
    hub = build(settings)
    try:
        put_into_force(hub, body)
        spans = telemetry.begin(settings)
    except BadConfiguration:
        hub.ledger.close()
        lock.close()
        raise
    local_key(hub)
    hub.start(roles)
    server, address = None, ""
    if "api" in roles:
        sock = listen(settings)
        address = address_of(sock)
        server = Server(hub, sock)
    rest_the_collector(hub)
    if server is not None:
        server.start()
        (hub.state / "address").write_text(address, "ascii")
    log.info("hub runs", action="started", hub=settings.hub.name, address=address, roles=",".join(roles))
    return Running(hub, server, address, lock, spans)


def run(path: Path, roles: tuple[str, ...] = ROLES, *, told: Callable[[str], None] = lambda _text: None) -> None:
    """Run until told to end.  Raises BadConfiguration."""
    settings, body = prepare(path)
    url = ledger_url(settings, Path(settings.hub.state))
    if url.startswith("sqlite"):
        sys.setswitchinterval(_SWITCH)
        running = start(settings, body, roles)
        told(running.address)
        _until_signal()
        running.stop()
        return
    Supervisor(settings, body, roles).run(told)


def _until_signal() -> None:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(1):
        pass


class Supervisor:
    """Starts worker processes, starts them again when they die, ends them in order."""

    def __init__(self, settings: Settings, body: Body, roles: tuple[str, ...]) -> None:
        self._settings = settings
        self._body = body
        self._roles = roles
        self._context = multiprocessing.get_context("spawn")
        self._children: dict[str, BaseProcess] = {}
        self._deaths: dict[str, int] = {}
        self._ended = threading.Event()

    def run(self, told: Callable[[str], None]) -> None:
        """Until told to end."""
        lock = lock_state(Path(self._settings.hub.state))
        hub = build(self._settings)
        put_into_force(hub, self._body)
        local_key(hub)
        hub.ledger.close()
        sock = listen(self._settings) if "api" in self._roles else None
        if sock is not None:
            address = address_of(sock)
            (Path(self._settings.hub.state) / "address").write_text(address, "ascii")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ended.set())
        for name, roles in self._plan().items():
            self._start(name, roles, sock)
        told(address if sock is not None else "")
        while not self._ended.wait(0.5):
            for name, roles in self._plan().items():
                child = self._children[name]
                if not child.is_alive():
                    self._deaths[name] = self._deaths.get(name, 0) + 1
                    log.error("a worker died", action="worker_died", worker=name, exit=child.exitcode)
                    if not self._ended.wait(min(10, 0.2 * 2 ** min(self._deaths[name], 6))):
                        self._start(name, roles, sock)
        self._stop()
        lock.close()

    def _plan(self) -> dict[str, tuple[str, ...]]:
        """Which processes there are, and what each does."""
        workers = self._settings.workers
        plan: dict[str, tuple[str, ...]] = {}
        if {"carry", "look"} & set(self._roles):
            plan["keeper"] = tuple(r for r in ("carry", "look") if r in self._roles)
        if "translate" in self._roles:
            plan |= {f"translate-{n}": ("translate",) for n in range(workers.translate)}
        if "dispatch" in self._roles:
            plan |= {f"dispatch-{n}": ("dispatch",) for n in range(workers.dispatch)}
        if "api" in self._roles:
            plan |= {f"api-{n}": ("api",) for n in range(self._settings.api.processes)}
        return plan

    def _start(self, name: str, roles: tuple[str, ...], sock: socket.socket | None) -> None:
        process = self._context.Process(
            target=work, args=(self._settings, roles, sock if "api" in roles else None), name=name, daemon=False
        )
        process.start()
        self._children[name] = process
        pids = {n: c.pid for n, c in self._children.items()}
        _write_down(Path(self._settings.hub.state) / "workers", pids)
        _write_down(Path(self._settings.hub.state) / "deaths", self._deaths)

    def _stop(self) -> None:
        for child in self._children.values():
            child.terminate()
        deadline = time.monotonic() + _GRACE
        for child in self._children.values():
            child.join(max(0.1, deadline - time.monotonic()))
            if child.is_alive():
                child.kill()


def _write_down(path: Path, numbers: Mapping[str, int | None]) -> None:
    """A name and a number a line, whole at any moment."""
    new = path.with_suffix(".new")
    new.write_text("\n".join(f"{name} {number}" for name, number in numbers.items()), "ascii")
    new.replace(path)


#: glibc's mallopt(3): at most so many arenas, or a process of many threads keeps what each of them once needed.
_M_ARENA_MAX, _ARENAS = -8, 2


def keep_memory_small() -> None:
    """Ask the allocator to share between threads; an allocator that cannot is left as it is."""
    with suppress(Exception):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def rest_the_collector(hub: Hub) -> None:
    """What is loaded stays: the garbage collector need not look at it again, and rarely at anything old.

    A chunk makes a hundred thousand small objects, none of them in a cycle; a tenth of the time would go there.
    The standard and the settings are most of what stays, so they are loaded first.
    """
    with suppress(HubError):  # whoever needs them first says what is wrong
        hub.generations.current()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def work(settings: Settings, roles: tuple[str, ...], sock: socket.socket | None) -> None:
    """A worker process."""
    keep_memory_small()
    if "api" not in roles:
        os.nice(_BEHIND)
    logs.configure()
    sys.setswitchinterval(_SWITCH)
    parent = os.getppid()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    hub = build(settings)
    spans = telemetry.begin(settings)
    hub.start(roles)
    server = Server(hub, sock) if sock is not None else None
    rest_the_collector(hub)
    if server is not None:
        server.start()
    while not ended.wait(0.5):
        if os.getppid() != parent:  # the supervisor is gone: nobody would end us
            break
    if server is not None:
        server.stop()
    with suppress(Exception):
        hub.stop()
    with suppress(Exception):
        telemetry.end(spans)
