"""Compression (zstd).  A compressor works without the interpreter's lock, so each thread has its own."""

from __future__ import annotations

import threading

import zstandard

_OWN = threading.local()


def packed(data: bytes) -> bytes:
    """Compressed quickly (level 1), for content that is written at full speed."""
    compressor: zstandard.ZstdCompressor | None = getattr(_OWN, "compressor", None)
    if compressor is None:
        compressor = _OWN.compressor = zstandard.ZstdCompressor(level=1)
    return compressor.compress(data)
