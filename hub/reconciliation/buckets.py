"""Records in buckets, so that the few that differ among millions are found with little said.  Pure.

Records fall into buckets by the first twelve bits of their key's digest.  A bucket is summed up as keys (SM3, taken as
numbers) times a factor that stands for owner and revision: a product costs a sixth of an SM3, the order does not
matter, and a record can be taken out again.  It finds what went wrong, not who forges: that is for the seals.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from standards.digest import KEY_BYTES, sm3

#: Twelve bits: a bucket of a million records has some 250.
BUCKETS = 4096
#: Bytes of a bucket's digest, and of what stands for a record.
SUM = 8
#: How one entry is written: key, and what stands for the record.
_ENTRY = KEY_BYTES + SUM
#: Sums are told modulo so many bits.
_WIDTH = 32
#: Records of one bucket that are tried in every way.
_TRIED = 4
_WIDE = (1 << 8 * _WIDTH) - 1


@dataclass(slots=True)
class Sums:
    """Count of all, and sum of each bucket."""

    count: int = 0
    held: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    def take(self, key: bytes, owner: str, revision: int) -> None:
        """One record less."""
        self.count -= 1
        self.held[bucket_of(key)] -= int.from_bytes(key) * factor_of(owner, revision)

    def digests(self) -> list[bytes]:
        """Of each bucket."""
        return [_digest(one) for one in self.held]

    def explains(self, bucket: int, theirs: bytes, perhaps: Sequence[tuple[bytes, str, int]]) -> bool:
        """Whether a bucket is theirs without some of these records: each counted at its revision, one or two before,
        or not at all.  Only an equal digest says so.
        """
        options = [
            [0, *(int.from_bytes(key) * factor_of(owner, n) for n in range(revision, max(0, revision - 3), -1))]
            for key, owner, revision in perhaps[:_TRIED]
        ]
        return any(_digest(self.held[bucket] - sum(taken)) == theirs for taken in product(*options))


def _digest(one: int) -> bytes:
    return sm3((one & _WIDE).to_bytes(_WIDTH))[:SUM]


def bucket_of(key: bytes) -> int:
    """Which bucket a key is in."""
    return int.from_bytes(key[:2]) >> 4


def factor_of(owner: str, revision: int) -> int:
    """What keys of an owner at a revision are multiplied with; odd, so that nothing is lost."""
    return int.from_bytes(sm3(owner.encode() + revision.to_bytes(8))) | 1


def mark_of(key: bytes, owner: str, revision: int) -> int:
    """What stands for a record by itself."""
    return int.from_bytes(sm3(key + owner.encode() + revision.to_bytes(8))[:SUM])


def sums_of(rows: Iterable[tuple[bytes, str, int]]) -> Sums:
    """The buckets of key, owner, revision."""
    # One loop without calls of our own: it runs over a million rows.
    held, count, number = [0] * BUCKETS, 0, int.from_bytes
    factors: dict[tuple[str, int], int] = {}
    for key, owner, revision in rows:
        factor = factors.get((owner, revision))
        if factor is None:
            factor = factors[(owner, revision)] = factor_of(owner, revision)
        held[number(key[:2]) >> 4] += number(key) * factor
        count += 1
    return Sums(count, held)


def digests_packed(digests: Iterable[bytes]) -> str:
    """As text for the wire."""
    return b64encode(b"".join(digests)).decode("ascii")


def digests_unpacked(text: str) -> list[bytes]:
    """From the wire.  Raises ValueError."""
    raw = b64decode(text, validate=True)
    if len(raw) != BUCKETS * SUM:
        raise ValueError(f"{len(raw)} bytes of bucket digests")
    return [raw[i : i + SUM] for i in range(0, len(raw), SUM)]


def differing_buckets(ours: Sequence[bytes], theirs: Sequence[bytes]) -> list[int]:
    """Buckets that are not the same on both sides."""
    return [number for number, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]


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
