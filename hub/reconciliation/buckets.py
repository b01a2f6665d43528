"""Records in buckets, so that the few that differ among millions are found with little said.  Pure.

Records fall into buckets by the first twelve bits of their key's digest.  The digest of a bucket is the XOR of what
stands for each of its records (SM3 over key, owner and revision), whose order does not matter.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from standards.digest import KEY_BYTES, sm3

#: Twelve bits: a bucket of a million records has some 250.
BUCKETS = 4096
#: Bytes of a bucket's digest, and of what stands for a record.
SUM = 8
#: How one entry is written: key, and what stands for the record.
_ENTRY = KEY_BYTES + SUM


@dataclass(slots=True)
class Sums:
    """Count and digest of each bucket."""

    count: int = 0
    held: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    def add(self, key: bytes, mark: int) -> None:
        """One more record."""
        self.count += 1
        self.held[bucket_of(key)] ^= mark

    def take(self, key: bytes, mark: int) -> None:
        """One record less."""
        self.count -= 1
        self.held[bucket_of(key)] ^= mark

    def differing(self, other: Sums) -> list[int]:
        """Buckets that are not the same."""
        return [n for n, (a, b) in enumerate(zip(self.held, other.held, strict=True)) if a != b]

    def packed(self) -> str:
        """As text for the wire."""
        return b64encode(b"".join(one.to_bytes(SUM) for one in self.held)).decode("ascii")

    @classmethod
    def unpacked(cls, count: int, text: str) -> Sums:
        """From the wire.  Raises ValueError."""
        raw = b64decode(text, validate=True)
        if len(raw) != BUCKETS * SUM:
            raise ValueError(f"{len(raw)} bytes of bucket digests")
        return cls(count, [int.from_bytes(raw[i : i + SUM]) for i in range(0, len(raw), SUM)])


def bucket_of(key: bytes) -> int:
    """Which bucket a key is in."""
    return int.from_bytes(key[:2]) >> 4


def mark_of(key: bytes, owner: str, revision: int) -> int:
    """What stands for a record."""
    return int.from_bytes(sm3(key + owner.encode() + revision.to_bytes(8))[:SUM])


def sums_of(rows: Iterable[tuple[bytes, str, int]]) -> Sums:
    """The buckets of key, owner, revision."""
    # One loop without calls of our own: it runs over a million rows.
    held, count, digest, number = [0] * BUCKETS, 0, sm3, int.from_bytes
    tails: dict[tuple[str, int], bytes] = {}
    for key, owner, revision in rows:
        tail = tails.get((owner, revision))
        if tail is None:
            tail = tails[(owner, revision)] = owner.encode() + revision.to_bytes(8)
        held[number(key[:2]) >> 4] ^= number(digest(key + tail)[:SUM])
        count += 1
    return Sums(count, held)


#: Key and what stands for the record.
Marks = Mapping[bytes, frozenset[int]]


def marks_packed(entries: Iterable[tuple[bytes, int]]) -> str:
    """Entries as text for the wire."""
    return b64encode(b"".join(key + mark.to_bytes(SUM) for key, mark in entries)).decode("ascii")


def marks_unpacked(text: str) -> dict[bytes, frozenset[int]]:
    """From the wire: a key that several owners hold has several marks.  Raises ValueError."""
    raw = b64decode(text, validate=True)
    if len(raw) % _ENTRY:
        raise ValueError(f"{len(raw)} bytes of entries")
    found: dict[bytes, frozenset[int]] = {}
    for i in range(0, len(raw), _ENTRY):
        key, mark = raw[i : i + KEY_BYTES], int.from_bytes(raw[i + KEY_BYTES : i + _ENTRY])
        found[key] = found.get(key, frozenset()) | {mark}
    return found


def keys_packed(keys: Iterable[bytes]) -> str:
    """Keys as text for the wire."""
    return b64encode(b"".join(keys)).decode("ascii")


def keys_unpacked(text: str) -> list[bytes]:
    """From the wire.  Raises ValueError."""
    raw = b64decode(text, validate=True)
    if len(raw) % KEY_BYTES:
        raise ValueError(f"{len(raw)} bytes of keys")
    return [raw[i : i + KEY_BYTES] for i in range(0, len(raw), KEY_BYTES)]


def differing_keys(ours: Marks, theirs: Marks) -> list[bytes]:
    """Keys that are not the same on both sides."""
    return sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as one side holds it."""

    key: bytes
    owner: str
    #: Its revision as the lower hub counts it (a hub fills elements in, so that contents may differ and be right).
    revision: int
    cd_id: str = ""
    #: Changed after the watermark.
    young: bool = False
    #: Ours only: delivered and accepted there; False: on its way, refused or waiting.
    settled: bool = True
    #: Ours only: who reported it.
    party: str = ""
    #: It is there no more, since a revision that may not have arrived.
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Differing:
    """A record that is not there as it is here."""

    #: missing: not there; extra: only there; differs.
    kind: str
    entry: Entry


def compare(ours: Sequence[Entry], theirs: Sequence[Entry]) -> tuple[list[Differing], int]:
    """The records that differ, and of how many nothing can be said yet."""
    here = {(one.key, one.owner): one for one in ours}
    there = {(one.key, one.owner): one for one in theirs}
    found: list[Differing] = []
    under_way = 0
    for place in here.keys() | there.keys():
        mine, other = here.get(place), there.get(place)
        if (mine is not None and (mine.young or not mine.settled)) or (other is not None and other.young):
            under_way += 1
            continue
        mine = None if mine is not None and mine.gone else mine
        other = None if other is not None and other.gone else other
        if mine is not None and other is None:
            found.append(Differing("missing", mine))
        elif mine is None and other is not None:
            found.append(Differing("extra", other))
        elif mine is not None and other is not None and mine.revision != other.revision:
            found.append(Differing("differs", mine))
    return sorted(found, key=lambda one: (one.kind, one.entry.cd_id)), under_way
