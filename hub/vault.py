"""Content at rest: closed with SM4-GCM where a key is set, and a keyed blind index to find people by number."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from standards.digest import hmac_sm3, sm3
from standards.errors import BadConfiguration

_NONCE = 12
_TAG = 16


class Seal(Protocol):
    """Closes and opens stored bytes."""

    #: Which key closed them; None: they are open.
    key_ref: str | None

    def close(self, data: bytes) -> bytes:
        """The bytes as they are stored."""
        ...

    def open(self, data: bytes, key_ref: str | None) -> bytes:
        """The bytes as they were.  Raises BadConfiguration when the key is not ours."""
        ...


class NoSeal:
    """Nothing is closed: the database's own encryption, or none."""

    key_ref: str | None = None

    def close(self, data: bytes) -> bytes:
        """As they are."""
        return data

    def open(self, data: bytes, key_ref: str | None) -> bytes:
        """As they are; refuses what somebody else closed."""
        if key_ref is not None:
            raise BadConfiguration(
                f"content is encrypted with the key {key_ref}, but no key is set",
                what_zh=f"内容已用密钥 {key_ref} 加密，但未配置密钥",
                hint="set ledger.key",
                hint_zh="请配置 ledger.key",
            )
        return data


NO_SEAL = NoSeal()


class Sm4Seal:
    """SM4-GCM (GB/T 32907-2016, RFC 8998): 12 bytes nonce, ciphertext, 16 bytes tag."""

    def __init__(self, key_hex: str) -> None:
        try:
            self._key = bytes.fromhex(key_hex)
        except ValueError:
            self._key = b""
        if len(self._key) != 16:
            raise BadConfiguration(
                "ledger.key must be 32 hexadecimal digits", what_zh="ledger.key 必须是 32 位十六进制数"
            )
        self.key_ref: str | None = sm3(b"key" + self._key).hex()[:12]

    def close(self, data: bytes) -> bytes:
        """The bytes as they are stored."""
        nonce = os.urandom(_NONCE)
        encryptor = Cipher(algorithms.SM4(self._key), modes.GCM(nonce)).encryptor()
        return nonce + encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def open(self, data: bytes, key_ref: str | None) -> bytes:
        """The bytes as they were."""
        if key_ref is None:
            return data
        if key_ref != self.key_ref:
            raise BadConfiguration(
                f"content is encrypted with the key {key_ref}, ours is {self.key_ref}",
                what_zh=f"内容用密钥 {key_ref} 加密，与当前密钥 {self.key_ref} 不符",
            )
        nonce, body, tag = data[:_NONCE], data[_NONCE:-_TAG], data[-_TAG:]
        decryptor = Cipher(algorithms.SM4(self._key), modes.GCM(nonce, tag)).decryptor()
        try:
            return decryptor.update(body) + decryptor.finalize()
        except InvalidTag as error:
            raise BadConfiguration("stored content was changed", what_zh="存储的内容被改动") from error

    def blind(self, value: str) -> bytes:
        """The keyed index of a value: equal values have equal indexes, nobody without the key can make one."""
        return hmac_sm3(self._key, value.encode())[:16]


def seal_of(key_hex: str | None) -> Seal:
    """The seal of a ledger with this key."""
    return Sm4Seal(key_hex) if key_hex else NO_SEAL


def blind_of(seal: Seal) -> Callable[[str], bytes] | None:
    """The blind index of a seal that has a key."""
    return seal.blind if isinstance(seal, Sm4Seal) else None
