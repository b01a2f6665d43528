"""The body of a request for work that runs in a thread: taken while it still comes, a few pieces in memory."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import TypeVar

from fastapi.concurrency import run_in_threadpool

from standards.errors import PayloadTooLarge

T = TypeVar("T")


async def flow(stream: AsyncIterator[bytes], work: Callable[[Iterator[bytes]], T]) -> T:
    """What `work` makes of the pieces; when the stream fails, so does the next piece, and then this."""
    pieces: queue.Queue[bytes | Exception | None] = queue.Queue(maxsize=8)

    def held() -> Iterator[bytes]:
        while (piece := pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    working = asyncio.ensure_future(run_in_threadpool(work, held()))

    async def put(piece: bytes | Exception | None) -> bool:
        while not working.done():
            try:
                pieces.put_nowait(piece)
                return True
            except queue.Full:
                await asyncio.sleep(0.005)
        return False

    try:
        async for piece in stream:
            if piece and not await put(piece):
                break
        await put(None)
    except Exception as error:  # the caller went away: what came so far is forgotten again
        await put(error)
        with suppress(Exception):
            await working
        raise
    return await working


async def beginning(stream: AsyncIterator[bytes], size: int) -> tuple[bytes, bool]:
    """The first pieces, about `size` bytes of them, and whether that is all."""
    held = bytearray()
    async for piece in stream:
        held += piece
        if len(held) >= size:
            return bytes(held), False
    return bytes(held), True


#: What is only tried is read whole.
_TRIED_MB = 64


async def whole(stream: AsyncIterator[bytes], hint: str) -> bytes:
    """A body that is only tried, not kept.  Raises PayloadTooLarge."""
    held = bytearray()
    async for piece in stream:
        held += piece
        if len(held) > _TRIED_MB * 1024 * 1024:
            raise PayloadTooLarge(
                f"more than {_TRIED_MB} MB to try", what_zh=f"试校验内容超过 {_TRIED_MB} MB", hint=hint
            )
    return bytes(held)
