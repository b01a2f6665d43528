"""A folder as sources and destinations use it: one of this machine here; `sftp.py` takes the same seat.

Names are relative to the folder and use `/`.  A file that is not there is FileNotFoundError, one that may not be
read is PermissionError; everything else is told in our own errors, by who must act.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from standards.errors import BadSetup, HubError, SystemBusy, SystemUnreachable, Temporary

PIECE = 1024 * 1024
#: Files that begin and end like this are ours while they are being written.
TEMPORARY_HEAD, TEMPORARY_TAIL = ".", ".tmp"
_OLD_SECONDS = 86_400

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_MISSING = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EXDEV}
_AWAY = {errno.ESTALE, errno.EIO, errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT} | {
    errno.ENETUNREACH,
    errno.ENODEV,
    errno.ENXIO,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
}
#: A folder that cannot be synchronised: some network file systems.
_NO_SYNC = {errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EACCES, errno.EISDIR}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a listing shows it."""

    name: str
    size: int
    modified_ns: int


class Folder(Protocol):
    """What sources and destinations ask of a folder."""

    def entries(self, within: str = "") -> list[Entry]:
        """The plain files of the folder, or of one in it; no links, no folders."""
        ...

    def entry(self, name: str) -> Entry | None:
        """One plain file; None when it is not there."""
        ...

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes in pieces.  Raises FileNotFoundError and PermissionError."""
        ...

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file whole: nobody sees it before it is complete and safe."""
        ...

    def move(self, source: str, target: str) -> None:
        """Rename.  Raises FileNotFoundError, and FileExistsError instead of overwriting."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file; none is no error."""
        ...

    def make(self, within: str) -> None:
        """Make a folder in it where there is none."""
        ...

    def close(self) -> None:
        """Hang up, where it is on a server."""
        ...


class LocalFolder:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def __str__(self) -> str:
        return str(self._root)

    def entries(self, within: str = "") -> list[Entry]:
        """The plain files, in no particular order."""
        found = []
        folder = self._root / within
        with _in_our_words(folder), os.scandir(folder) as listing:
            for one in listing:
                with suppress(FileNotFoundError):  # gone since the listing began
                    seen = one.stat(follow_symlinks=False)
                    if stat.S_ISREG(seen.st_mode):
                        found.append(Entry(one.name, seen.st_size, seen.st_mtime_ns))
        return found

    def entry(self, name: str) -> Entry | None:
        """One plain file."""
        path = self._root / name
        with _in_our_words(path):
            try:
                seen = path.lstat()
            except FileNotFoundError:
                return None
        return Entry(path.name, seen.st_size, seen.st_mtime_ns) if stat.S_ISREG(seen.st_mode) else None

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes; a link is not followed, so that nothing outside of the folder is handed over."""
        path = self._root / name
        with _in_our_words(path, missing_is_ours=False):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise FileNotFoundError(errno.ENOENT, "no plain file")
            while True:
                with _in_our_words(path):
                    piece = file.read(PIECE)
                if not piece:
                    return
                yield piece

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write under a temporary name, make it safe, then rename; replaces a file of that name."""
        target = self._root / name
        passing = target.with_name(f"{TEMPORARY_HEAD}{_cut(target.name)}.{secrets.token_hex(4)}{TEMPORARY_TAIL}")
        with _in_our_words(target):
            try:
                with passing.open("xb") as file:
                    for piece in pieces:
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                passing.replace(target)
            except BaseException:
                with suppress(OSError):
                    passing.unlink()
                raise
        try:
            _sync(target.parent)
        except OSError as error:
            # The file has its name already; only whether it would outlive a power cut is not known.
            raise SystemUnreachable(
                f"{target} was written, but {target.parent} did not answer ({error.strerror})",
                what_zh=f"{target} 已写入，但存储未确认",
                answer_lost=True,
            ) from error

    def move(self, source: str, target: str) -> None:
        """Rename without overwriting.

        One process at a time works in a folder (the hub's lease), so looking first is enough.
        """
        there = self._root / target
        with _in_our_words(there, missing_is_ours=False):
            if there.exists() or there.is_symlink():
                raise FileExistsError(errno.EEXIST, "there is a file of that name")
            (self._root / source).rename(there)

    def remove(self, name: str) -> None:
        """Remove a file."""
        path = self._root / name
        with _in_our_words(path):
            path.unlink(missing_ok=True)

    def make(self, within: str) -> None:
        """Make a folder in this one; this one itself must be there."""
        path = self._root / within
        with _in_our_words(path):
            if not self._root.is_dir():
                raise FileNotFoundError(errno.ENOENT, "no folder")
            path.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Nothing is held open."""

    def sweep(self, within: str = "") -> None:
        """Remove what a crash left half-written a day ago."""
        limit = (time.time() - _OLD_SECONDS) * 1e9
        for entry in self.entries(within):
            ours = entry.name.startswith(TEMPORARY_HEAD) and entry.name.endswith(TEMPORARY_TAIL)
            if ours and entry.modified_ns < limit:
                self.remove(f"{within}/{entry.name}" if within else entry.name)


def probe(folder: Folder, within: str = "") -> None:
    """Really create and remove a file.  Raises HubError when that fails."""
    name = f"{within}/" if within else ""
    name += f"{TEMPORARY_HEAD}hub-check.{secrets.token_hex(4)}{TEMPORARY_TAIL}"
    folder.write(name, [b"check"])
    folder.remove(name)


def _cut(name: str) -> str:
    """Short enough that what is put around it still makes a file name (255 bytes)."""
    return os.fsencode(name)[:200].decode(errors="ignore")


def _sync(folder: Path) -> None:
    """Make a rename safe."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        if error.errno in _NO_SYNC:
            return
        raise
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(handle)


@contextmanager
def _in_our_words(path: Path, *, missing_is_ours: bool = True) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except (FileNotFoundError, PermissionError) as error:
        if not missing_is_ours and error.errno != errno.EROFS:
            raise
        raise in_our_words(error, path) from error
    except OSError as error:
        raise in_our_words(error, path) from error


def in_our_words(error: OSError, path: Path | str) -> HubError:
    """What an error of the file system means, by who must act."""
    why = f"{error.strerror or error} ({errno.errorcode.get(error.errno or 0, error.errno)})"
    number = error.errno or 0
    if number in _FULL:
        return SystemBusy(
            f"the disk of {path} is full: {why}",
            what_zh=f"{path} 所在磁盘已满",
            hint="make room, or raise the quota",
            hint_zh="请清理磁盘或调高配额",
        )
    if number in _FORBIDDEN:
        return BadSetup(
            f"no right to use {path}: {why}",
            what_zh=f"没有权限使用 {path}",
            hint="give the hub's account the right to read, write and rename there",
            hint_zh="请授予枢纽运行账号在该目录读、写、改名的权限",
        )
    if number in _MISSING:
        # A relative folder lies below the one the hub was started in, which the reader may not think of.
        where = path.absolute() if isinstance(path, Path) else path
        return BadSetup(
            f"{where} cannot be used: {why}",
            what_zh=f"{where} 不存在或不可用",
            hint="create the folder, or mount the share; all folders of one connection lie on one file system",
            hint_zh="请创建该目录或挂载共享；同一接入的各目录须在同一文件系统",
        )
    if number in _AWAY:
        return SystemUnreachable(f"{path} does not answer: {why}", what_zh=f"{path} 所在存储无响应")
    return Temporary(f"{path}: {why}", what_zh=f"{path} 暂时无法读写")
