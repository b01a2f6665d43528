"""What a judged record is to what the hub already knows: new, a new revision, a duplicate, or held.  Pure.

Each record is compared with the *current* revision of its key only, so A→B→A is three revisions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple
from uuid import UUID

from hub.authority import REFUSED, TAKEN, Authority
from hub.ledger.heads import Head, Moves
from standards.states import Verdict


@dataclass(slots=True)
class Candidates:
    """Records of one chunk that passed the checker, as columns in the order of the file."""

    row_no: list[int]
    key_hash: list[bytes]
    owner: list[str]
    cd_id: list[str]
    digest: list[bytes]
    #: What the sender asked for: i, u, d, or '' for "as it turns out".
    asked: list[str]
    subject: list[str]
    subject_index: list[bytes | None]
    event_date: list[str]

    @classmethod
    def empty(cls) -> Candidates:
        """None yet."""
        return cls([], [], [], [], [], [], [], [], [])

    def __len__(self) -> int:
        return len(self.row_no)

    def only(self, positions: list[int]) -> Candidates:
        """Some of them, in their order."""
        return Candidates(*([column[p] for p in positions] for column in self._columns()))

    def adopt(self, position: int, owner: str, cd_id: str) -> None:
        """A record is a revision of somebody else's: it stays theirs."""
        self.owner[position] = owner
        self.cd_id[position] = cd_id

    def _columns(self) -> tuple[list[Any], ...]:
        return tuple(getattr(self, f.name) for f in fields(self))


class Decision(NamedTuple):
    """What one candidate is."""

    verdict: Verdict
    revision: int
    operation: str
    #: Of a duplicate: the record that holds the content; of a revision: the one before.
    twin: tuple[UUID, int] | None = None
    #: Why it is rejected or held.
    code: str = ""
    params: Mapping[str, str] = {}


@dataclass(slots=True)
class Decided:
    """The decisions of one chunk and what they do to the heads."""

    decisions: list[Decision]
    new: Moves = field(default_factory=Moves.empty)
    revised: Moves = field(default_factory=Moves.empty)


class _Now(NamedTuple):
    """A head as it stands while the chunk is being decided."""

    revision: int
    operation: str
    digest: bytes
    submission_id: UUID
    row_no: int
    #: Revision in the ledger before this chunk; 0 when there was none.
    before: int
    #: A receiver refused it: it is judged and sent again, even when it comes unchanged.
    refused: bool = False
    #: Who reported it.
    party: str = ""


def decide(
    candidates: Candidates,
    heads: Mapping[bytes, list[Head]],
    submission_id: UUID,
    *,
    foreign: Verdict | None = Verdict.HELD,
    clashes: Callable[[UUID, int, int], bool] = lambda _submission, _row, _own: False,
    authority: Authority | None = None,
) -> Decided:
    """Decide candidates in their order.

    `foreign` is what becomes of a natural key that another owner holds (20002); None lets it pass.
    `authority`: whose word counts; it goes before `foreign`.
    `clashes(submission, row, own row)` is true when the order of two rows of one hand-over cannot be told (20001).
    """
    plain = _plain(candidates, heads)
    result = Decided([_NEW] * len(candidates), new=_first_revisions(candidates, plain))
    if len(plain) < len(candidates):
        rest = sorted(set(range(len(candidates))).difference(plain))
        _decide_in_order(candidates, rest, heads, submission_id, foreign, clashes, result, authority)
    return result


#: Most records: nobody has seen their key before.
_NEW = Decision(Verdict.ACCEPTED, 1, "i")


def _plain(candidates: Candidates, heads: Mapping[bytes, list[Head]]) -> list[int]:
    """Candidates whose key has no head, stands in the chunk once, and is not to be deleted."""
    keys = candidates.key_hash
    odd = set(heads)
    if len(set(keys)) < len(keys):
        odd |= {key for key, count in Counter(keys).items() if count > 1}
    if "d" in candidates.asked:
        odd |= {key for key, asked in zip(keys, candidates.asked, strict=True) if asked == "d"}
    return [i for i, key in enumerate(keys) if key not in odd] if odd else list(range(len(keys)))


def _first_revisions(candidates: Candidates, plain: list[int]) -> Moves:
    chosen = candidates if len(plain) == len(candidates) else candidates.only(plain)
    count = len(plain)
    return Moves(
        key_hash=list(chosen.key_hash),
        owner=list(chosen.owner),
        cd_id=list(chosen.cd_id),
        revision=[1] * count,
        operation=["i"] * count,
        digest=list(chosen.digest),
        subject=list(chosen.subject),
        subject_index=list(chosen.subject_index),
        event_date=list(chosen.event_date),
        row_no=list(chosen.row_no),
        before=[0] * count,
    )


def _decide_in_order(
    candidates: Candidates,
    rows: list[int],
    heads: Mapping[bytes, list[Head]],
    submission_id: UUID,
    foreign: Verdict | None,
    clashes: Callable[[UUID, int, int], bool],
    result: Decided,
    authority: Authority | None,
) -> None:
    """Records whose key is known, or comes more than once: each sees what those before it did."""
    standing: dict[tuple[bytes, str], _Now] = {
        (key, h.owner): _Now(
            h.revision, h.operation, h.digest, h.submission_id, h.row_no, h.revision, h.refused, h.party
        )
        for key, held in heads.items()
        for h in held
    }
    others: dict[bytes, set[str]] = {key: {h.owner for h in held} for key, held in heads.items()}
    touched: dict[tuple[bytes, str], int] = {}
    for i in rows:
        key_hash, owner, row_no = candidates.key_hash[i], candidates.owner[i], candidates.row_no[i]
        identity = (key_hash, owner)
        now = standing.get(identity)
        decision = _by_authority(candidates, i, now, key_hash, others, standing, authority)
        if decision is None:
            decision = _decide_one(candidates, i, now, others.get(key_hash), owner, foreign)
        if (
            decision.verdict is Verdict.ACCEPTED
            and now is not None
            and now.submission_id == submission_id
            and clashes(now.submission_id, now.row_no, row_no)
        ):
            decision = Decision(Verdict.REJECTED, 0, "", None, "20001", {"other_row": str(now.row_no)})
        result.decisions[i] = decision
        if decision.verdict is Verdict.ACCEPTED:
            before = now.before if now is not None else 0
            standing[identity] = _Now(
                decision.revision,
                decision.operation,
                candidates.digest[i],
                submission_id,
                row_no,
                before,
                party=authority.party if authority is not None else "",
            )
            touched[identity] = i
            others.setdefault(key_hash, set()).add(owner)
    for identity, i in touched.items():
        now = standing[identity]
        moves = result.revised if now.before else result.new
        moves.key_hash.append(identity[0])
        moves.owner.append(identity[1])
        moves.cd_id.append(candidates.cd_id[i])
        moves.revision.append(now.revision)
        moves.operation.append(now.operation)
        moves.digest.append(now.digest)
        moves.subject.append(candidates.subject[i])
        moves.subject_index.append(candidates.subject_index[i])
        moves.event_date.append(candidates.event_date[i])
        moves.row_no.append(now.row_no)
        moves.before.append(now.before)


def _by_authority(
    candidates: Candidates,
    i: int,
    now: _Now | None,
    key_hash: bytes,
    others: Mapping[bytes, set[str]],
    standing: Mapping[tuple[bytes, str], _Now],
    authority: Authority | None,
) -> Decision | None:
    """What the order of sources says of a record; None when it says nothing.

    Who holds a record may always delete it, and what is equal is a duplicate whoever reports it.
    """
    if authority is None:
        return None
    heads = [standing[key_hash, owner] for owner in others.get(key_hash, ())]
    holders = [head.party for head in heads if head.operation != "d"]
    if now is not None and candidates.asked[i] == "d" and now.party == authority.party:
        return None
    if now is not None and candidates.digest[i] == now.digest and "d" not in (candidates.asked[i], now.operation):
        return None
    above = authority.above(holders)
    if above is not None:
        return Decision(authority.lower, 0, "", None, REFUSED, authority.params(above))
    if now is None and candidates.asked[i] != "d":
        under = authority.takes_over(holders)
        if under is not None:
            return Decision(Verdict.ACCEPTED, 1, "i", None, TAKEN, {"other": authority.params(under)["system"]})
    return None


def _decide_one(
    candidates: Candidates,
    i: int,
    now: _Now | None,
    owners: set[str] | None,
    owner: str,
    foreign: Verdict | None,
) -> Decision:
    asked = candidates.asked[i]
    if now is None:
        if asked == "d":
            return Decision(Verdict.REJECTED, 0, "d", None, "30004.delete")
        if owners and owner not in owners and foreign is not None:
            return Decision(foreign, 0, "", None, "20002", {"other": sorted(owners)[0]})
        return Decision(Verdict.ACCEPTED, 1, "i")
    twin = (now.submission_id, now.row_no)
    deleted = now.operation == "d"
    if asked == "d":
        if deleted and not now.refused:
            return Decision(Verdict.DUPLICATE, now.revision, "d", twin)
        return Decision(Verdict.ACCEPTED, now.revision + 1, "d", twin)
    if not deleted and candidates.digest[i] == now.digest and not now.refused:
        return Decision(Verdict.DUPLICATE, now.revision, now.operation, twin)
    return Decision(Verdict.ACCEPTED, now.revision + 1, "i" if deleted else "u", twin)
