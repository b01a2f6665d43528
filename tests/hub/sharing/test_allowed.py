"""A forbidden element never leaves: over all data sets, for any grant, by query and by parcel."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ledger.grants import Grant
from hub.sharing.allowed import Opened, grantable
from standards.digest import canonical_json
from standards.parcel import ParcelRecord
from standards.registry import built_in
from standards.samples import valid_records

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SETS = {d.id: d for d in built_in()}
ROWS = {name: next(iter(valid_records(d, built_in(), 1))) for name, d in SETS.items()}


def made(dataset: str, names: frozenset[str], rule: str = "") -> Grant:
    return Grant(
        id=UUID(int=1),
        owner="a",
        receiver="b",
        dataset=dataset,
        elements=json.dumps(sorted(names)),
        rule=rule,
        purpose="p",
        made_at=NOW,
        made_by="t",
        until_at=NOW + timedelta(days=1),
        consent_at=NOW,
    )


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_what_no_grant_names_is_in_nothing_that_leaves(data: st.DataObject) -> None:
    dataset = SETS[data.draw(st.sampled_from(sorted(SETS)))]
    wanted = data.draw(st.sets(st.sampled_from(sorted(dataset.by_id))))
    names = grantable(dataset, wanted)
    opened = Opened(dataset, {"owner": [made(dataset.id, names)]})
    row = ROWS[dataset.id]
    allowed = frozenset(wanted) | (frozenset() if dataset.key_personal else frozenset(dataset.natural_key))
    if not wanted:
        allowed |= frozenset(dataset.by_id) - dataset.personal

    seen = opened.see("owner", row) or {}
    assert set(seen) <= allowed
    assert opened.see("somebody else", row) is None
    record = ParcelRecord(
        cd_id="x", revision=1, operation="u", digest="0", content=msgspec.Raw(canonical_json(row)), common=dict(row)
    )
    sent = opened.only(record, "owner")
    if sent is not None:
        assert set(sent.own()) <= allowed
        own_words = {*sent.common} & set(dataset.by_id) - {"owner_org_code"}
        assert own_words <= allowed


def test_a_rule_opens_only_the_records_of_which_it_is_true() -> None:
    dataset = SETS["punish_action"]
    opened = Opened(dataset, {"owner": [made(dataset.id, grantable(dataset, ()), "punish_type == '01'")]})
    row = ROWS["punish_action"]
    assert opened.see("owner", {**row, "punish_type": "01"})
    assert opened.see("owner", {**row, "punish_type": "02"}) is None
