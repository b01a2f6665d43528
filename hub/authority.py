"""Whose word counts when several parties report the same record (一数一源).  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hub.settings import Settings
from standards.states import Verdict

#: A record of a source whose word does not count; and one that took a key over.
REFUSED, TAKEN = "20002.authority", "20002.taken"


@dataclass(frozen=True, slots=True)
class Authority:
    """The sources of one data set in their order, as one party meets them."""

    party: str
    dataset: str
    #: Party -> its place, 0 the most authoritative; who is not named comes last.
    places: Mapping[str, int]
    #: What becomes of a record whose key a more authoritative source holds.
    lower: Verdict = Verdict.HELD
    titles: Mapping[str, str] = field(default_factory=dict)

    def above(self, holders: Iterable[str]) -> str | None:
        """The most authoritative of these parties, if its word counts more than ours."""
        best = min(holders, key=self._place, default=None)
        return best if best is not None and self._place(best) < self._place(self.party) else None

    def takes_over(self, holders: Iterable[str]) -> str | None:
        """The party a key is taken from, if our word counts more than that of everyone who holds it."""
        best = min(holders, key=self._place, default=None)
        return best if best is not None and self._place(self.party) < self._place(best) else None

    def params(self, source: str) -> dict[str, str]:
        """What a finding says of a source."""
        return {"system": self.titles.get(source, source), "dataset": self.dataset}

    def _place(self, party: str) -> int:
        return self.places.get(party, len(self.places))


def authority_of(settings: Settings, dataset: str, party: str) -> Authority | None:
    """Whose word counts in a data set; None where nothing is said, so that everybody's does."""
    for said in settings.source_priority:
        if dataset in said.datasets:
            return Authority(
                party,
                dataset,
                {name: place for place, name in enumerate(said.parties)},
                Verdict.HELD if said.lower == "hold" else Verdict.REJECTED,
                {name: told.title for name, told in settings.parties.items()},
            )
    return None
