"""Payloads that are not in the ledger: bytes at hand, and files on disk."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class BytesPayload:
    """Bytes in memory."""

    name: str
    data: bytes
    content_type: str = ""

    @property
    def size(self) -> int:
        """How many bytes."""
        return len(self.data)

    def open(self, offset: int = 0) -> BinaryIO:
        """A forward stream from `offset` on."""
        stream = io.BytesIO(self.data)
        stream.seek(offset)
        return stream

    def seekable(self) -> BinaryIO:
        """The same; it can jump about anyway."""
        return io.BytesIO(self.data)


@dataclass(frozen=True, slots=True)
class FilePayload:
    """A file on disk."""

    name: str
    path: Path
    content_type: str = ""

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.path.stat().st_size

    def open(self, offset: int = 0) -> BinaryIO:
        """A forward stream from `offset` on."""
        stream = self.path.open("rb")
        stream.seek(offset)
        return stream

    def seekable(self) -> BinaryIO:
        """The file itself."""
        return self.path.open("rb")


def bytes_payload(name: str, data: bytes, content_type: str = "") -> BytesPayload:
    """Bytes as readers take them."""
    return BytesPayload(name, data, content_type)


def file_payload(path: Path | str, content_type: str = "") -> FilePayload:
    """A file as readers take it."""
    path = Path(path)
    return FilePayload(path.name, path, content_type)
