"""A sample looked at once: each field's values, the groups its fields form, and the terms its dates make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mappings.draft.profile import Profile, profile
from mappings.draft.structure import Pair, groups, terms


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of a sample before a data set is chosen."""

    profiles: Mapping[str, Profile]
    #: Field -> its name without the name of its group.
    inner: Mapping[str, str]
    terms: Sequence[Pair]

    def starts(self, field: str) -> Pair | None:
        """The term that begins with this field."""
        return next((t for t in self.terms if t.start == field), None)

    def ends(self, field: str) -> Pair | None:
        """The term that ends with this field."""
        return next((t for t in self.terms if t.end == field), None)


def look_at(columns: Mapping[str, Sequence[str]]) -> Sample:
    """A sample from its columns; columns without values are judged by their names."""
    return Sample({n: profile(v) for n, v in columns.items()}, groups(tuple(columns)), terms(columns))
