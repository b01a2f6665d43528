"""The demo's folder: fresh each time, used by one demo at a time, and never anybody else's."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from standards.errors import BadConfiguration, NotAllowed

#: Stands in a folder that a demo made, and says which one runs there.
MARK = ".hub-demo.json"
_LOCK = ".hub-demo.lock"


@dataclass(slots=True)
class Place:
    """A state folder that is ours."""

    root: Path
    _lock: IO[str]

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.root / "hub.toml"

    def folder(self, name: str) -> Path:
        """Where a department puts its files."""
        return self.root / "folders" / name

    def sample(self, name: str) -> Path:
        """What is pushed over HTTP, kept to look at."""
        return self.root / "pushed" / name

    def keep_key(self, name: str, key: str) -> Path:
        """Write a key down for its owner only."""
        path = self.root / "keys" / name
        path.parent.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(key)
        return path

    def say(self, address: str) -> None:
        """Write down where this demo answers."""
        told = {"pid": os.getpid(), "address": address}
        (self.root / MARK).write_text(json.dumps(told), "utf-8")

    def leave(self) -> None:
        """Let another demo use the folder."""
        self._lock.close()


def take(root: Path) -> Place:
    """An empty folder for this demo.  Raises BadConfiguration when it is in use, NotAllowed when it is not a demo's."""
    root = root.absolute()
    if root.exists() and not root.is_dir():
        raise NotAllowed(f"{root} is no folder", what_zh=f"{root} 不是目录", hint_zh="请用 --state 指定另一个目录")
    if root.is_dir() and any(root.iterdir()) and not (root / MARK).is_file():
        raise NotAllowed(
            f"{root} holds something else than a demo; nothing was touched",
            what_zh=f"{root} 中有其他内容，不是演示目录，未作改动",
            hint="say another folder with --state",
            hint_zh="请用 --state 指定另一个目录",
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = _lock(root)
    except OSError as error:
        raise NotAllowed(
            f"{root} cannot be used: {error.strerror}",
            what_zh=f"目录 {root} 无法使用：{error.strerror}",
            hint="say another folder with --state",
            hint_zh="请用 --state 指定另一个目录",
        ) from error
    for old in root.iterdir():
        if old.name in (_LOCK, MARK):
            continue
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink()
    place = Place(root, lock)
    place.say("")
    for name in ("folders", "pushed", "province"):
        (root / name).mkdir()
    place.keep_key("gateway", secrets.token_urlsafe(24))
    return place


def _lock(root: Path) -> IO[str]:
    (root / MARK).touch()
    held = (root / _LOCK).open("a+")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        where, pid = _running(root)
        raise BadConfiguration(
            f"a demo runs in {root} already" + (f": {where}, process {pid}" if where else ""),
            what_zh=f"{root} 中已有一个演示在运行" + (f"：{where}，进程 {pid}" if where else ""),
            hint="stop it with Ctrl-C, or say another folder with --state",
            hint_zh="请在那个窗口按 Ctrl-C 结束它，或用 --state 指定另一个目录",
        ) from error
    return held


def _running(root: Path) -> tuple[str, int]:
    try:
        told = json.loads((root / MARK).read_text("utf-8"))
        return str(told["address"]), int(told["pid"])
    except (OSError, ValueError, KeyError):
        return "", 0


def free_port(wanted: int | None) -> int:
    """The port that is wanted; where none is, 8080, or any other when that is taken.

    Raises BadConfiguration when the port that is wanted is taken.
    """
    for port in (8080, 0) if wanted is None else (wanted,):
        with socket.socket(socket.AF_INET) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(sock.getsockname()[1])
    raise BadConfiguration(
        f"the port {wanted} cannot be used",
        what_zh=f"端口 {wanted} 已被占用或无权使用",
        hint="say another one with --port, or leave it out",
        hint_zh="请用 --port 指定另一个端口，或不加该选项",
    )
