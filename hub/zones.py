"""What may leave for the internet zone: elements that their owner released, none of them about a person.  Pure.

A number of a person that stands in free text is hidden on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from hub.persons import ORGANISATIONS, is_person
from hub.settings import Settings
from standards.digest import canonical_json
from standards.masks_in_text import mask_text
from standards.model import DataSet, Kind
from standards.parcel import ParcelRecord

INTERNET = "internet"

#: Common elements that say nothing of a record's content: the hub makes them.
_OF_THE_HUB = frozenset(
    [
        *("cd_id", "cd_operation", "cd_time", "cd_source", "cd_batch", "dataset_version", "provider_code"),
        *("owner_org_code", "report_way", "trace_id", "content_digest"),
    ]
)


#: Characters from which on a text is taken for free text.
_LONG = 200
#: Marks of a single record that keep it here: 是否敏感, 是否公示.
_NOT_PUBLIC = (("sensitive_flag", "1"), ("publicity_flag", "0"))


@dataclass(frozen=True, slots=True)
class Zone:
    """One data set on its way to one destination of the internet zone."""

    dataset: DataSet
    #: Owner (credit code) -> what it released; with nothing in it the release is taken back: only deletions go.
    released: Mapping[str, frozenset[str]]
    #: Elements of free text: a number of a person in it is hidden.
    _free: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_free", _free_text(self.dataset))

    def may_go(self, owner: str, operation: str) -> bool:
        """Whether anything at all of an owner's record goes there."""
        elements = self.released.get(owner)
        return elements is not None and (bool(elements) or operation == "d")

    def going(
        self, columns: Mapping[str, list[str]], rows: Sequence[int], identity: Callable[[int], tuple[str, str]]
    ) -> list[int]:
        """Which of these rows go there: of an owner who released them, and not marked as sensitive or not public."""
        flags = [(columns[name], word) for name, word in _NOT_PUBLIC if name in columns]
        result = []
        for i in rows:
            owner, operation = identity(i)
            marked = operation != "d" and any(column[i] == word for column, word in flags)
            if not marked and self.may_go(owner, operation):
                result.append(i)
        return result

    def only(self, record: ParcelRecord, owner: str) -> ParcelRecord:
        """The record with what may leave; its digest stays that of the whole content."""
        own = record.own()
        allowed = self._allowed(owner) - self._about_persons(own)
        if record.operation == "d":
            allowed &= frozenset(self.dataset.natural_key)
        content = {
            name: mask_text(value) if name in self._free else value
            for name, value in own.items()
            if name in allowed and not is_person(value)
        }
        common = {
            name: value
            for name, value in record.common.items()
            if name in _OF_THE_HUB or (name in allowed and not is_person(value))
        }
        common["record_unique_identity"] = record.cd_id
        if self.dataset.event_date in content and "event_date" in record.common:
            common["event_date"] = record.common["event_date"]
        return msgspec.structs.replace(record, content=msgspec.Raw(canonical_json(content)), common=common)

    def _allowed(self, owner: str) -> frozenset[str]:
        return self.released.get(owner, frozenset()) - self.dataset.personal

    def _about_persons(self, own: Mapping[str, str]) -> frozenset[str]:
        """Elements of this record that name a person, though they would name an organisation in another one."""
        subject = self.dataset.subject
        numbers = {
            e.id
            for e in self.dataset.elements
            if e.identified_by and own.get(e.id) and own.get(e.identified_by, "") not in ORGANISATIONS
        }
        code = own.get(subject.code or "", "")
        if subject.code and (not code or subject.code in numbers or is_person(code)):
            # Without an organisation's number the name may be a person's.
            numbers |= {subject.code, subject.name or subject.code}
        return frozenset(numbers)


def _free_text(dataset: DataSet) -> frozenset[str]:
    """Where people write what they like; short texts are names, and numbers of files that may look like a person's."""
    long = {e.id for e in dataset.elements if e.type is Kind.TEXT and (e.max is None or e.max >= _LONG)}
    longer = {e.id for e in dataset.elements if e.type is Kind.LONGTEXT}
    return frozenset(long | longer) - set(dataset.natural_key)


def zone_of(settings: Settings, destination: str, dataset: DataSet) -> Zone | None:
    """What of a data set may leave to a destination; None when it does not stand in the internet zone.

    A release that leaves out a part of a key that `cd_id` shows counts for nothing (hub check refuses it).
    """
    told = settings.destinations.get(destination)
    if told is None or told.zone != INTERNET:
        return None
    released: dict[str, frozenset[str]] = {}
    for release in settings.releases:
        if dataset.id not in release.datasets or (release.to and destination not in release.to):
            continue
        owner = owner_code(settings, release.owner)
        released[owner] = released.get(owner, frozenset()) | frozenset(release.elements)
    shown = frozenset() if dataset.key_personal else frozenset(dataset.natural_key)
    if shown & dataset.personal:
        return Zone(dataset, {})
    return Zone(dataset, {owner: e for owner, e in released.items() if not e or shown <= e})


def owner_code(settings: Settings, owner: str) -> str:
    """The credit code of a party, or the code itself."""
    party = settings.parties.get(owner)
    return party.code if party is not None else owner


def unreleased(settings: Settings, zone: Zone, parties: Iterable[str]) -> str:
    """What an operator is told of one data set at one destination: who released how much, and whose stays here."""
    said = []
    for party in parties:
        elements = zone.released.get(owner_code(settings, party))
        name = f"{party}/{zone.dataset.id}"
        if elements is None:
            said.append(f"{name} 未放行，不投递 not released, nothing is sent")
        elif not elements:
            said.append(f"{name} 已撤回放行，仅发送删除 taken back, only deletions are sent")
        else:
            count = len(elements - zone.dataset.personal)
            said.append(f"{name} 放行 {count} 项 {count} element(s) released")
    return "；".join(said)
