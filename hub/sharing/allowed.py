"""What of a record a receiver may see: one rule for query, export, batch, subject file and subscription.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from hub.ledger.grants import Grant
from standards.digest import canonical_json
from standards.expressions import parse
from standards.model import DataSet
from standards.parcel import ParcelRecord

#: Common elements that the hub makes and that say nothing of a record's content.
_OF_THE_HUB = frozenset(
    [
        *("cd_id", "cd_operation", "cd_time", "cd_source", "cd_batch", "dataset_version", "provider_code"),
        *("owner_org_code", "report_way", "trace_id", "record_unique_identity"),
    ]
)


def grantable(dataset: DataSet, wanted: Iterable[str]) -> frozenset[str]:
    """The elements of a grant: those that are named; none named: all but the personal ones.  The key comes along."""
    named = frozenset(wanted)
    key = frozenset() if dataset.key_personal else frozenset(dataset.natural_key)
    return (named or frozenset(dataset.by_id) - dataset.personal) | key


@dataclass(frozen=True, slots=True)
class Opened:
    """What the grants of one receiver open of one data set."""

    dataset: DataSet
    #: Owner (credit code) -> its grants, the widest first does not matter: each opens its own records.
    by_owner: Mapping[str, Sequence[Grant]]
    _rules: dict[str, tuple[tuple[str, ...], Callable[..., object]]] = field(default_factory=dict)

    @property
    def owners(self) -> tuple[str, ...]:
        """Whose records are open."""
        return tuple(sorted(self.by_owner))

    def elements(self, owner: str, values: Mapping[str, str]) -> frozenset[str]:
        """The elements of this record that may be seen; nothing: not the record at all."""
        found: frozenset[str] = frozenset()
        for grant in self.by_owner.get(owner, ()):
            if self._holds(grant.rule, values):
                found |= grant.names
        return found & frozenset(self.dataset.by_id)

    def see(self, owner: str, values: Mapping[str, str]) -> dict[str, str] | None:
        """The record as the receiver may see it; None when it may not see it."""
        names = self.elements(owner, values)
        return {name: value for name, value in values.items() if name in names} if names else None

    def only(self, record: ParcelRecord, owner: str) -> ParcelRecord | None:
        """The record as it may be delivered; None when it may not."""
        own = record.own()
        names = self.elements(owner, own)
        if not names:
            return None
        if record.operation == "d":
            names &= frozenset(self.dataset.natural_key)
        content = {name: value for name, value in own.items() if name in names}
        common = {name: value for name, value in record.common.items() if name in _OF_THE_HUB or name in names}
        common["record_unique_identity"] = record.cd_id
        return msgspec.structs.replace(record, content=msgspec.Raw(canonical_json(content)), common=common)

    def _holds(self, rule: str, values: Mapping[str, str]) -> bool:
        if not rule:
            return True
        if rule not in self._rules:
            expression = parse(rule)
            self._rules[rule] = (expression.names, expression.function())
        names, function = self._rules[rule]
        try:
            return bool(function(*(values.get(name, "") for name in names)))
        except (TypeError, ValueError):
            return False
