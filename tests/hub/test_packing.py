"""Compression from many threads at once: a compressor that is shared crashes the process."""

import os
from concurrent.futures import ThreadPoolExecutor

import zstandard

from hub.packing import packed


def test_many_threads_compress_at_once() -> None:
    pieces = [os.urandom(1000) * 2000 for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(30):
            done = list(pool.map(packed, pieces))
            assert [zstandard.ZstdDecompressor().decompress(d) for d in done] == pieces
