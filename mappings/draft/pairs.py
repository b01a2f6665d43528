"""The sample's own words for the codes of a list, each with the most similar code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import SequenceMatcher

from mappings.draft.fit import label_forms, plain
from mappings.draft.profile import Profile
from standards.model import Element, Kind

SIGNS = ("、", "；", ";", "，", ",", "|")
#: How similar a word and a label must be to be proposed.
_ALIKE = 0.62
_SPLIT = re.compile("[" + "".join(SIGNS) + "]")

#: Value of the sample -> proposed code and its name; '' where nothing is like it.
Pairs = dict[str, tuple[str, str]]


def pairs(element: Element, seen: Profile, codes: Callable[[str], Mapping[str, str]]) -> Pairs:
    """The words of the sample that are neither code nor name of the element's list."""
    if element.list is None or element.type not in (Kind.CODE, Kind.LIST):
        return {}
    known = codes(element.list)
    names = set(known.values())
    words = (item for value in seen.common for item in (_items(value) if element.type is Kind.LIST else (value,)))
    return {word: _nearest(word, known) for word in words if word and word not in known and word not in names}


def _nearest(word: str, known: Mapping[str, str]) -> tuple[str, str]:
    said = plain(word)
    for code, name in known.items():
        if said in label_forms(name):
            return code, name
    if word in _YES_NO and set(known.values()) == {"是", "否"}:
        return next((code, name) for code, name in known.items() if name == _YES_NO[word])
    best = max(known.items(), key=lambda pair: SequenceMatcher(None, said, pair[1]).ratio(), default=("", ""))
    alike = SequenceMatcher(None, said, best[1]).ratio() >= _ALIKE
    holds = [
        pair for pair in known.items() if min(len(said), len(pair[1])) >= 2 and (said in pair[1] or pair[1] in said)
    ]
    return best if alike else holds[0] if len(holds) == 1 else ("", "")


_YES_NO = {
    "Y": "是", "y": "是", "Yes": "是", "yes": "是", "true": "是", "True": "是", "有": "是",
    "N": "否", "n": "否", "No": "否", "no": "否", "false": "否", "False": "否", "无": "否",
}  # fmt: skip


def _items(value: str) -> list[str]:
    return [part.strip() for part in _SPLIT.split(value)]
