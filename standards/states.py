"""The states things are in, and their words.  No state is without a way out, a due time and an owner."""

from __future__ import annotations

from enum import StrEnum


class SubmissionState(StrEnum):
    """How far a hand-over has come."""

    RECEIVED = "received"  # kept, receipt number given
    TRANSLATING = "translating"
    STALLED = "stalled"  # the operator must mend something before it can go on
    JUDGED = "judged"  # every record has a verdict
    SETTLED = "settled"  # … and every delivery has ended


class Verdict(StrEnum):
    """What became of one record."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    HELD = "held"
    DUPLICATE = "duplicate"


class ParcelState(StrEnum):
    """How far a parcel has come; a delivery without a state of its own is as its parcel."""

    WAITING = "waiting"  # to be sent, or sent again, at its due time
    SENDING = "sending"
    AWAITING = "awaiting"  # handed over, the receipt is due
    ACCEPTED = "accepted"
    PARTLY = "partly"  # some of its deliveries were refused
    REFUSED = "refused"
    PARKED = "parked"  # given up; a person decides
    IN_DOUBT = "in_doubt"  # the answer was lost and a repeat could double; a person decides
    SUPERSEDED = "superseded"  # a newer revision took its place before it was sent
    SPLIT = "split"  # sent again as smaller parcels


#: States in which nothing more happens by itself.
ENDED = frozenset(
    {
        ParcelState.ACCEPTED,
        ParcelState.PARTLY,
        ParcelState.REFUSED,
        ParcelState.PARKED,
        ParcelState.IN_DOUBT,
        ParcelState.SUPERSEDED,
        ParcelState.SPLIT,
    }
)


class DeliveryState(StrEnum):
    """What became of one record at one destination, where it differs from its parcel."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    MOVED = "moved"  # into another parcel
    WITHHELD = "withheld"  # its owner took the release back before it was sent to the internet zone


class CaseClass(StrEnum):
    """The three classes of Datong article 14, and what only the hub knows."""

    UNREPORTED = "1"  # 未报送
    WRONG = "2"  # 报送错误
    INCONSISTENT = "3"  # 报送不一致
    IN_DOUBT = "8"  # a delivery whose answer was lost
    SETUP = "9"  # the operator must mend something


#: What somebody of the hub must mend; the others are for the party that handed over.
OF_THE_OPERATOR = frozenset({CaseClass.IN_DOUBT, CaseClass.SETUP})


class CaseState(StrEnum):
    """Where a case stands (CL_ABN_STATE)."""

    OPEN = "1"
    DISPOSING = "2"
    REREPORTED = "3"
    CLOSED = "4"
    OVERDUE = "5"
    NOTIFIED = "6"
    CIRCULATED = "7"
    WAIVED = "9"


#: States in which a case still asks somebody to act.
OPEN_CASES = frozenset(
    {
        CaseState.OPEN,
        CaseState.DISPOSING,
        CaseState.REREPORTED,
        CaseState.OVERDUE,
        CaseState.NOTIFIED,
        CaseState.CIRCULATED,
    }
)


class Lane(StrEnum):
    """Single records overtake bulk."""

    NOW = "now"
    BULK = "bulk"


class DestinationState(StrEnum):
    """Whether a destination takes parcels."""

    UP = "up"
    DOWN = "down"  # one probe at a time until it answers
    PAUSED = "paused"  # by an operator


WORDS: dict[str, tuple[str, str]] = {
    "received": ("已收到", "received"),
    "translating": ("处理中", "being processed"),
    "stalled": ("待运维处理", "waiting for the operator"),
    "judged": ("已校验", "judged"),
    "settled": ("已办结", "settled"),
    "rejected": ("退回", "rejected"),
    "held": ("挂起", "held"),
    "duplicate": ("重复", "duplicate"),
    "waiting": ("待投递", "waiting"),
    "sending": ("投递中", "sending"),
    "awaiting": ("待回执", "awaiting receipt"),
    "accepted": ("通过", "accepted"),
    "partly": ("部分接收", "partly accepted"),
    "refused": ("对方拒收", "refused"),
    "parked": ("已停投", "parked"),
    "in_doubt": ("存疑", "in doubt"),
    "superseded": ("已被新版本替代", "superseded"),
    "split": ("已拆分", "split"),
    "withheld": ("未放行，不投递", "not released, not sent"),
    "moved": ("已转入其他交换包", "moved"),
    "up": ("正常", "up"),
    "down": ("中断", "down"),
    "paused": ("已暂停", "paused"),
}


def word(state: str, language: str = "zh") -> str:
    """A state in words."""
    pair = WORDS.get(state)
    return state if pair is None else pair[0 if language == "zh" else 1]
