"""Digests and identities: SM3, canonical JSON, the key of a record, cd_id, UUIDv7."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives import hashes

_ENCODER = msgspec.json.Encoder()


def _with_hashlib() -> bool:
    try:
        hashlib.new("sm3")
    except ValueError:  # a Python built against a library without SM3
        return False
    return True


if _with_hashlib():
    _EMPTY = hashlib.new("sm3")

    def sm3(data: bytes) -> bytes:
        """SM3 (GB/T 32905-2016) of the bytes: 32 bytes."""
        digest = _EMPTY.copy()
        digest.update(data)
        return digest.digest()

else:

    def sm3(data: bytes) -> bytes:
        """SM3 (GB/T 32905-2016) of the bytes: 32 bytes."""
        digest = hashes.Hash(hashes.SM3())
        digest.update(data)
        return digest.finalize()


class Sm3Stream:
    """SM3 of bytes that come in pieces."""

    def __init__(self) -> None:
        self._hash = hashes.Hash(hashes.SM3())

    def update(self, data: bytes) -> None:
        """Add the next piece."""
        self._hash.update(data)

    def hexdigest(self) -> str:
        """64 hexadecimal digits; ends the stream."""
        return self._hash.finalize().hex()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC with SM3 (RFC 2104 over a 64-byte block)."""
    if len(key) > 64:
        key = sm3(key)
    key = key.ljust(64, b"\0")
    inner = sm3(bytes(b ^ 0x36 for b in key) + data)
    return sm3(bytes(b ^ 0x5C for b in key) + inner)


def same(a: bytes, b: bytes) -> bool:
    """Compare two secrets without telling by time where they differ."""
    return hmac.compare_digest(a, b)


def canonical_json(content: Mapping[str, str]) -> bytes:
    """The one spelling of a record's content: keys sorted, no blanks, UTF-8, nothing escaped that need not be.

    Values are text, so this equals RFC 8785 for everything a record can hold.
    """
    return _ENCODER.encode(dict(sorted(content.items())))


#: How many bytes of the key's SM3 stand for it in the ledger.
KEY_BYTES = 16


def key_hash(dataset: str, key: str) -> bytes:
    """What stands for (data set, natural key) in the ledger's heads, holds and cases."""
    return sm3(f"{dataset}\x1f{key}".encode("utf-8", "surrogatepass"))[:KEY_BYTES]


def join_key(parts: Sequence[str]) -> str:
    """The natural key as one text; parts that hold the separator are escaped."""
    if len(parts) == 1:
        return parts[0]
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def cd_id(owner: str, dataset: str, key: str, *, hide: bool = False) -> str:
    """The exchange key of a record: owner and natural key, at most 100 characters.

    It stays over all revisions and is unique within a receiver (DATASETS common elements).  `hide`: the natural key
    may hold personal values, so its SM3 stands for it.
    """
    plain = f"{owner}-{key}"
    if len(plain) <= 100 and not hide:
        return plain
    return f"{owner}-{sm3(f'{dataset}{chr(31)}{key}'.encode()).hex()}"


def uuid7s(count: int) -> list[UUID]:
    """That many time-ordered identifiers (RFC 9562 version 7), in rising order."""
    millis = time.time_ns() // 1_000_000
    high = (millis << 80) | (0x7 << 76) | (0b10 << 62)
    random = os.urandom(9 * count)
    result = []
    for i in range(count):
        piece = int.from_bytes(random[9 * i : 9 * i + 9], "big")
        # rand_a is a counter within this call, so that the identifiers of one call keep their order
        result.append(UUID(int=high | ((i & 0xFFF) << 64) | (piece & ((1 << 62) - 1))))
    return result


def uuid7_before(identifier: UUID, seconds: float) -> UUID:
    """The smallest version 7 identifier of a moment so many seconds before that of `identifier`."""
    return UUID(int=max(0, (identifier.int >> 80) - int(seconds * 1000)) << 80)


def uuid7() -> UUID:
    """One time-ordered identifier."""
    return uuid7s(1)[0]
