"""A folder on an SFTP server; takes the same seat as one of this machine (`adapters.file.folder.Folder`).

The server's key is always checked.  A file appears under a temporary name and is renamed when it is complete.
"""

from __future__ import annotations

import asyncio
import errno
import posixpath
import secrets
import stat
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import asyncssh
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, model_validator

from adapters.file.folder import PIECE, TEMPORARY_HEAD, TEMPORARY_TAIL, Entry
from standards.errors import BadConfiguration, BadSetup, HubError, NotAllowed, SystemUnreachable, Temporary

T = TypeVar("T")

_BY_REFERENCE = r"^$|^(env|file):"
_ANSWER_SECONDS = 60.0


class SftpSettings(BaseModel):
    """An SFTP server."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    host: str = Field(min_length=1, description="Name or address of the server.")
    port: int = Field(22, ge=1, le=65535, description="Its port.")
    user: str = Field(min_length=1, description="Account there.")
    password: str = Field("", pattern=_BY_REFERENCE, description="Password, by reference: env:NAME or file:/path.")
    private_key: str = Field("", pattern=_BY_REFERENCE, description="Private key (OpenSSH), by reference: file:/path.")
    host_key: str = Field(
        "", description="The server's public key as `ssh-keyscan` tells it, such as `ssh-ed25519 AAAA…`; it is checked."
    )
    known_hosts: str = Field("", description="Or a known_hosts file that holds it.")
    connect_seconds: PositiveFloat = Field(15, description="Longest wait for a connection.")

    @model_validator(mode="after")
    def _can_be_checked(self) -> SftpSettings:
        if bool(self.host_key) == bool(self.known_hosts):
            raise ValueError("say either host_key or known_hosts: the server's key is always checked")
        if not (self.password or self.private_key):
            raise ValueError("say password or private_key")
        return self


class SftpFolder:
    """Implements adapters.file.folder.Folder.  Connected when first needed, and again when the line was cut."""

    def __init__(self, settings: SftpSettings, root: str, secret: Callable[[str], str]) -> None:
        self._settings = settings
        self._root = root.rstrip("/") or "/"
        self._secret = secret
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    def __str__(self) -> str:
        return f"sftp://{self._settings.host}:{self._settings.port}{self._root}"

    # Folder

    def entries(self, within: str = "") -> list[Entry]:
        """The plain files, in no particular order."""
        path = self._path(within)
        with self._in_our_words(path):
            found = self._run(lambda sftp: sftp.readdir(path))
        return [
            _entry(str(one.filename), one.attrs)
            for one in found
            if one.attrs.permissions is not None and stat.S_ISREG(one.attrs.permissions)
        ]

    def entry(self, name: str) -> Entry | None:
        """One plain file."""
        path = self._path(name)
        try:
            with self._in_our_words(path, missing_is_ours=False):
                attrs = self._run(lambda sftp: sftp.lstat(path))
        except FileNotFoundError:
            return None
        plain = attrs.permissions is not None and stat.S_ISREG(attrs.permissions)
        return _entry(posixpath.basename(name), attrs) if plain else None

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes; a link is not followed."""
        path = self._path(name)
        with self._in_our_words(path, missing_is_ours=False):
            if self.entry(name) is None:
                raise FileNotFoundError(errno.ENOENT, "no plain file")
            file = self._run(lambda sftp: _opened(sftp, path, "rb"))
        try:
            while True:
                with self._in_our_words(path):
                    piece = self._run(lambda _sftp: file.read(PIECE))
                if not piece:
                    return
                yield piece
        finally:
            with suppress(HubError, OSError, asyncssh.Error):
                self._run(lambda _sftp: file.close())

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write under a temporary name, then rename; replaces a file of that name."""
        target = self._path(name)
        folder, last = posixpath.split(target)
        passing = f"{folder}/{TEMPORARY_HEAD}{last[:80]}.{secrets.token_hex(4)}{TEMPORARY_TAIL}"
        with self._in_our_words(target):
            try:
                file = self._run(lambda sftp: _opened(sftp, passing, "wb"))
                for piece in pieces:
                    self._run(lambda _sftp, piece=piece: file.write(piece))  # type: ignore[misc]
                self._run(lambda _sftp: file.close())
                self._run(lambda sftp: _replace(sftp, passing, target))
            except BaseException:
                with suppress(Exception):
                    self._run(lambda sftp: sftp.remove(passing))
                raise

    def move(self, source: str, target: str) -> None:
        """Rename without overwriting."""
        there = self._path(target)
        with self._in_our_words(there, missing_is_ours=False):
            if self._run(lambda sftp: sftp.lexists(there)):
                raise FileExistsError(errno.EEXIST, "there is a file of that name")
            self._run(lambda sftp: sftp.rename(self._path(source), there))

    def remove(self, name: str) -> None:
        """Remove a file; none is no error."""
        path = self._path(name)
        with suppress(FileNotFoundError), self._in_our_words(path, missing_is_ours=False):
            self._run(lambda sftp: sftp.remove(path))

    def make(self, within: str) -> None:
        """Make a folder in this one; this one itself must be there."""
        path = self._path(within)
        with self._in_our_words(path):
            if not self._run(lambda sftp: sftp.isdir(self._root)):
                raise FileNotFoundError(errno.ENOENT, "no folder")
            self._run(lambda sftp: sftp.makedirs(path, exist_ok=True))

    def close(self) -> None:
        """Hang up."""
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            self._loop.call_soon_threadsafe(connection.close)
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
            self._thread = None

    # The line

    def _path(self, name: str) -> str:
        return posixpath.join(self._root, name) if name else self._root

    def _run(self, work: Callable[[asyncssh.SFTPClient], Coroutine[Any, Any, T]]) -> T:
        if self._thread is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
            self._thread.start()

        async def whole() -> T:
            if self._client is None:
                await self._connect()
            assert self._client is not None
            return await asyncio.wait_for(work(self._client), _ANSWER_SECONDS)

        try:
            return asyncio.run_coroutine_threadsafe(whole(), self._loop).result()
        except (asyncssh.ConnectionLost, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, TimeoutError):
            self._drop()
            raise

    async def _connect(self) -> None:
        s = self._settings
        keys: list[asyncssh.SSHKey] = []
        if s.private_key:
            try:
                keys = [asyncssh.import_private_key(self._secret(s.private_key))]
            except asyncssh.KeyImportError as error:
                raise BadConfiguration("the private key cannot be read", what_zh="私钥文件无法识别") from error
        known: Any = s.known_hosts
        if s.host_key:
            try:
                known = ([asyncssh.import_public_key(s.host_key)], [], [])
            except asyncssh.KeyImportError as error:
                raise BadConfiguration("host_key is no public key", what_zh="host_key 不是有效的公钥") from error
        self._connection = await asyncssh.connect(
            s.host,
            s.port,
            username=s.user,
            password=self._secret(s.password) if s.password else None,
            client_keys=keys or None,
            known_hosts=known,
            config=None,
            agent_path=None,
            connect_timeout=s.connect_seconds,
            login_timeout=s.connect_seconds,
            keepalive_interval=15,
        )
        self._client = await self._connection.start_sftp_client()

    def _drop(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            self._loop.call_soon_threadsafe(connection.abort)

    @contextmanager
    def _in_our_words(self, path: str, *, missing_is_ours: bool = True) -> Iterator[None]:
        where = f"{self._settings.host}:{path}"
        try:
            yield
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
            if not missing_is_ours:
                raise FileNotFoundError(errno.ENOENT, "no such file") from error
            raise BadSetup(f"{where} is not there", what_zh=f"{where} 不存在") from error
        except FileNotFoundError as error:
            if not missing_is_ours:
                raise
            raise BadSetup(f"{where} is not there", what_zh=f"{where} 不存在") from error
        except asyncssh.SFTPPermissionDenied as error:
            if not missing_is_ours:
                raise PermissionError(errno.EACCES, "no right") from error
            raise BadSetup(f"no right to use {where}", what_zh=f"没有权限使用 {where}") from error
        except asyncssh.HostKeyNotVerifiable as error:
            self._drop()
            raise BadSetup(
                f"{self._settings.host} shows another key than host_key says",
                what_zh=f"{self._settings.host} 出示的主机密钥与配置不符",
                hint="ask its administrator whether the key was changed; if not, somebody stands between",
                hint_zh="请向对方管理员核实是否更换过密钥；未更换则可能遭中间人攻击",
            ) from error
        except asyncssh.PermissionDenied as error:
            self._drop()
            raise NotAllowed(
                f"{self._settings.host} does not let {self._settings.user} in",
                what_zh=f"{self._settings.host} 拒绝账号 {self._settings.user} 登录",
            ) from error
        except (asyncssh.ConnectionLost, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection) as error:
            self._drop()
            raise SystemUnreachable(f"{where}: the line was cut", what_zh=f"{where}：连接中断") from error
        except asyncssh.SFTPError as error:
            raise Temporary(f"{where}: {error.reason}", what_zh=f"{where} 暂时无法读写") from error
        except (asyncssh.Error, ConnectionError, TimeoutError) as error:
            self._drop()
            raise SystemUnreachable(f"{where}: {type(error).__name__}", what_zh=f"{where} 无法连接") from error
        except FileExistsError:
            raise
        except PermissionError:
            raise
        except OSError as error:
            self._drop()
            raise SystemUnreachable(f"{where}: {type(error).__name__}", what_zh=f"{where} 无法连接") from error


def _entry(name: str, attrs: asyncssh.SFTPAttrs) -> Entry:
    return Entry(name, attrs.size or 0, int(attrs.mtime or 0) * 1_000_000_000)


async def _opened(sftp: asyncssh.SFTPClient, path: str, mode: str) -> Any:
    return await sftp.open(path, mode)


async def _replace(sftp: asyncssh.SFTPClient, passing: str, target: str) -> None:
    """Rename over an older file of that name; in one step where the server can."""
    try:
        await sftp.posix_rename(passing, target)
    except asyncssh.SFTPOpUnsupported:
        with suppress(asyncssh.SFTPNoSuchFile):
            await sftp.remove(target)
        await sftp.rename(passing, target)
