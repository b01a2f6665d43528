"""A TCP proxy with switches: between a test and a server it refuses, hangs, cuts, delays, or cuts in mid-sentence."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from tests.services.ports import LOOPBACK, free_port

CHUNK = 65536


class TcpProxy:
    """Forwards `port` to a target on this machine.  The switches may be thrown from any thread, at any moment."""

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        #: Connections accepted so far, and bytes passed on to the target and back.
        self.accepted = self.bytes_up = self.bytes_down = 0
        self._target_port = target_port
        self._delay_seconds = 0.0
        self._cut_after: int | None = None
        self._swallows = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._flow = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{self.port}", daemon=True)
        self._thread.start()
        self._do(self._open())

    def url(self, url: str) -> str:
        """The same URL by way of this proxy."""
        parts = urlsplit(url)
        login, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{login}{at}{LOOPBACK}:{self.port}"))

    def refuse(self) -> None:
        """Nobody is at home: new connections are refused, those that exist are cut."""
        self._do(self._close())

    def hang(self) -> None:
        """Connections are accepted and kept; not a byte passes in either direction."""
        self._do(self._set_flow(open_=False))

    def delay(self, seconds: float) -> None:
        """Every piece that passes waits this long first."""
        self._delay_seconds = seconds

    def cut(self) -> None:
        """All connections are reset now; new ones are welcome."""
        self._do(self._reset_all())

    def cut_after(self, size: int) -> None:
        """Each connection is reset when this many more bytes have gone to the target: an answer lost, a frame torn."""
        self._cut_after = self.bytes_up + size

    def swallow_answers(self) -> None:
        """What is asked arrives whole; the connection is reset when the first byte of the answer comes back."""
        self._swallows = True

    def heal(self) -> None:
        """Everything passes again.  Connections that were cut stay cut."""
        self._delay_seconds, self._cut_after, self._swallows = 0.0, None, False
        self._do(self._open())
        self._do(self._set_flow(open_=True))

    def close(self) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        if self._server is None:
            self._flow.set()
            self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset_all()

    async def _set_flow(self, *, open_: bool) -> None:
        if open_:
            self._flow.set()
        else:
            self._flow.clear()

    async def _reset_all(self) -> None:
        for writer in list(self._writers):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        pair = {writer}
        self._writers.add(writer)
        try:
            there_reader, there_writer = await asyncio.open_connection(LOOPBACK, self._target_port)
            pair.add(there_writer)
            self._writers.add(there_writer)
            await asyncio.gather(self._pass(reader, there_writer, up=True), self._pass(there_reader, writer, up=False))
        except OSError:
            for one in pair:
                _reset(one)
        finally:
            self._writers -= pair
            for one in pair:
                one.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        while data := await reader.read(CHUNK):
            if self._delay_seconds:
                await asyncio.sleep(self._delay_seconds)
            await self._flow.wait()
            if up and self._cut_after is not None and self.bytes_up + len(data) >= self._cut_after:
                data = data[: max(0, self._cut_after - self.bytes_up)]
                await self._write(writer, data, up=True)
                raise ConnectionResetError("cut by the proxy")
            if self._swallows and not up:
                raise ConnectionResetError("swallowed by the proxy")
            await self._write(writer, data, up=up)
        if writer.can_write_eof():
            writer.write_eof()

    async def _write(self, writer: asyncio.StreamWriter, data: bytes, *, up: bool) -> None:
        if up:
            self.bytes_up += len(data)
        else:
            self.bytes_down += len(data)
        writer.write(data)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with RST, as a crashed machine or a rude firewall does."""
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
