"""一户一档: everything known of one subject, the source of each element, and what contradicts it.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.settings import Settings
from hub.sharing.reading import Stored
from hub.translate.consult import same
from standards.model import DataSet


@dataclass(frozen=True, slots=True)
class Said:
    """What one source says of one element."""

    element: str
    value: str
    dataset: str
    owner: str
    party: str
    event_date: str
    revision: int
    cd_id: str

    def told(self) -> dict[str, Any]:
        """For people."""
        return {
            "value": self.value,
            "dataset": self.dataset,
            "owner": self.owner,
            "party": self.party,
            "event_date": self.event_date,
            "revision": self.revision,
            "cd_id": self.cd_id,
        }


#: What data sets say of a subject itself, under one name: what one says must not contradict another.
OF_THE_SUBJECT = {
    "address_registered": "address",
    "dom": "address",
    "reg_no": "reg_no",
    "reg_org": "reg_org",
    "reg_state": "reg_state",
    "reg_cap": "reg_cap",
    "est_date": "est_date",
    "industry_co": "industry",
    "le_rep": "legal_representative",
}


def file_of(code: str, found: Sequence[Stored], datasets: Mapping[str, DataSet], settings: Settings) -> dict[str, Any]:
    """The file of a subject: its records by data set over time, its elements with their source, and the conflicts."""
    said = [one for record in found for one in _about(record, datasets[record.dataset])]
    elements, conflicts = {}, []
    for name in dict.fromkeys(one.element for one in said):
        ranked = sorted((one for one in said if one.element == name), key=lambda s: _rank(s, settings))
        best = ranked[0]
        others = [one for one in ranked[1:] if one.party != best.party and not same(one.value, best.value)]
        elements[name] = {**best.told(), "confirmed_by": sorted({o.party for o in ranked if same(o.value, best.value)})}
        if others:
            conflicts.append({"element": name, "holds": best.told(), "differs": [one.told() for one in others]})
    return {
        "code": code,
        "elements": elements,
        "conflicts": conflicts,
        "timeline": [
            {
                "dataset": one.dataset,
                "dataset_title": datasets[one.dataset].title,
                "event_date": one.event_date,
                "owner": one.owner,
                "party": one.party,
                "cd_id": one.cd_id,
                "revision": one.revision,
                "values": one.values,
            }
            for one in sorted(found, key=lambda s: (s.event_date, s.dataset, s.cd_id))
        ],
    }


def _about(one: Stored, dataset: DataSet) -> list[Said]:
    """What a record says of its subject: its name by the data set's own element, the rest by name."""
    place = (one.dataset, one.owner, one.party, one.event_date, one.revision, one.cd_id)
    found = []
    if (name := dataset.subject.name) and one.values.get(name):
        found.append(Said("name", one.values[name], *place))
    for element, name in OF_THE_SUBJECT.items():
        open_to_all = element in dataset.by_id and element not in dataset.personal
        if open_to_all and one.values.get(element):
            found.append(Said(name, one.values[element], *place))
    return found


def _rank(said: Said, settings: Settings) -> tuple[int, str]:
    """The source whose word counts comes first; of equals the newest."""
    for rule in settings.source_priority:
        if said.dataset in rule.datasets and said.party in rule.parties:
            return rule.parties.index(said.party), _descending(said.event_date)
    return len(settings.parties), _descending(said.event_date)


def _descending(date: str) -> str:
    return "".join(chr(0x7E - ord(c)) if c.isdigit() else c for c in date) or "~"
