"""Plans that are lent: built once, never to two at a time."""

from __future__ import annotations

from pathlib import Path

from hub.ledger.engine import Ledger
from hub.plans import PlanShelf


def test_what_was_given_back_is_lent_again_and_what_is_out_is_not(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    shelf = PlanShelf(ledger)

    with shelf.lent() as first:
        with shelf.lent() as second:
            assert second is not first
        with shelf.lent() as third:
            assert third is second
    with shelf.lent() as fourth:
        assert fourth is first
    ledger.close()
