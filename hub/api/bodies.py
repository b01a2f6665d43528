"""The body of a request for work that runs in a thread: taken while it still comes, a few pieces in memory."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import TypeVar

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from standards.errors import BadRecord, PayloadTooLarge

T = TypeVar("T")

#: What `curl -F` and web pages send: a file within an envelope.
FORM = "multipart/form-data"
_FORM_FILES = 20


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


async def form_file(request: Request) -> UploadFile:
    """The one file of a form, as `curl -F` and web pages send it.  Raises BadRecord."""
    try:
        form = await request.form(max_files=_FORM_FILES, max_fields=_FORM_FILES)
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    except HTTPException as error:
        raise _one_file(str(error.detail)) from error
    if len(files) != 1:
        raise _one_file(f"{len(files)} files")
    return files[0]


def _one_file(found: str) -> BadRecord:
    return BadRecord(
        f"a form must hold exactly one file ({found})",
        what_zh=f"表单里须恰好有一个文件（{found}）",
        hint="one file each time, several packed in a zip; or the file itself as the body: curl --data-binary @FILE",
        hint_zh="每次提交一个文件，多个请打成 zip；也可以直接以文件内容为正文：curl --data-binary @文件",
    )


async def pieces_of(part: UploadFile) -> AsyncIterator[bytes]:
    """The bytes of a file that came in a form."""
    while piece := await part.read(1 << 20):
        yield piece


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
