"""What a party sees of its own, in both ledgers: hand-overs looked through, sums of the week, links of mended ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from hub import again, mine
from hub.ledger import handed, journal, submissions
from hub.ledger.engine import Ledger
from hub.ledger.handed import Wanted
from hub.ledger.submissions import Submission
from standards.errors import UnknownName
from standards.states import SubmissionState

pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite", "postgresql"], indirect=True)

#: A Wednesday.
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


def handed_over(number: int, at: datetime, party: str = "market", **values: object) -> Submission:
    month = at.strftime("%y%m%d")
    given = {
        "id": _at(at, number),
        "receipt_no": f"{month}-{number:06}-0",
        "party": party,
        "connection": "market-penalties",
        "dataset": "punish_action",
        "lane": "now",
        "name": f"{number}.json",
        "size": 1,
        "digest": "d" * 64,
        "state": SubmissionState.JUDGED,
        "received_at": at,
        "read": 2,
        "accepted": 1,
        "rejected": 1,
    }
    return Submission(**{**given, **values})  # type: ignore[arg-type]


def _at(moment: datetime, number: int) -> UUID:
    """A UUIDv7 of a moment."""
    stamp = int(moment.timestamp() * 1000)
    return UUID(int=(stamp << 80) | (0x7 << 76) | (0b10 << 62) | number)


def test_the_week_is_added_up_by_data_set_and_today_is_part_of_it(ledger: Ledger) -> None:
    ones = [
        handed_over(1, NOW),
        handed_over(2, NOW - timedelta(days=1)),
        handed_over(3, NOW - timedelta(days=4)),
        handed_over(4, NOW, test=True),
        handed_over(5, NOW, party="ecology"),
        handed_over(6, NOW, origin_id=_at(NOW, 1)),
    ]
    for one in ones:
        ledger.write(lambda c, one=one: submissions.add(c, one))

    with ledger.read() as connection:
        found = mine.sent(connection, "market", NOW)

    counts = {"read": 2, "accepted": 1, "rejected": 1, "held": 0, "duplicate": 0}
    assert found["today"] == {"punish_action": {"times": 1, **counts}}
    assert found["week"] == {"punish_action": {"times": 2, **{name: 2 * n for name, n in counts.items()}}}


def test_hand_overs_are_chosen_by_state_name_and_time_and_read_on_behind_the_last(ledger: Ledger) -> None:
    ones = [handed_over(n, NOW - timedelta(hours=n), name=f"100%_{n % 2}.csv") for n in range(1, 8)]
    ones.append(handed_over(9, NOW, rejected=0, accepted=2, name="gut.csv", state=SubmissionState.SETTLED))
    for one in ones:
        ledger.write(lambda c, one=one: submissions.add(c, one))

    def chosen(**words: object) -> list[str]:
        with ledger.read() as connection:
            return [one.receipt_no[7:13] for one in handed.chosen(connection, Wanted(party="market", **words))]  # type: ignore[arg-type]

    assert chosen(limit=3) == ["000009", "000001", "000002"]
    assert chosen(limit=2, before=ones[1].id) == ["000003", "000004"]
    assert chosen(name="0%_1") == ["000001", "000003", "000005", "000007"], "% and _ are no wildcards"
    assert chosen(name="GUT") == ["000009"]
    assert "000009" not in chosen(faulty=True)
    assert chosen(states=("settled",)) == ["000009"]
    assert chosen(since=NOW - timedelta(hours=2), until=NOW) == ["000001", "000002"]


def test_a_mended_hand_over_and_the_one_that_mends_it_name_each_other(ledger: Ledger) -> None:
    old, new = handed_over(1, NOW - timedelta(days=1)), handed_over(2, NOW)
    ledger.write(lambda c: submissions.add(c, old))
    ledger.write(lambda c: submissions.add(c, new))
    ledger.write(lambda c: journal.append(c, again.entries(c, new, old.receipt_no, "clerk"), NOW))

    with ledger.read() as connection:
        assert again.links(connection, new.id) == ([old.receipt_no], [])
        assert again.links(connection, old.id) == ([], [new.receipt_no])
        with pytest.raises(UnknownName):
            again.entries(connection, handed_over(3, NOW, party="ecology"), old.receipt_no, "clerk")
        assert again.compared(connection, old, new).gone == 0
