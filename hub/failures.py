"""The desk of failure groups: what is wrong for one reason, how often, since when, with samples, and who must act."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.casework import who_acts
from hub.generations import STANDARD_WORDS, Generation, Generations
from hub.ledger import crosswalks, journal
from hub.ledger import failures as groups
from hub.ledger.cases import Selection
from hub.ledger.engine import Ledger
from hub.ledger.failures import Failures, Sample
from standards.clock import Clock, local_text
from standards.errors import BadRecord, HubError, UnknownName
from standards.findings import Finding, catalogue, hint, text
from standards.masks_in_text import hidden_numbers, mask_text
from standards.model import DataSet, Severity
from standards.places import in_words

#: Samples that are shown of one group.
_SAMPLES = 20
#: Stands in for a code of a receiver that is not in our catalogue.
_FOREIGN = "90002"


@dataclass(slots=True)
class FailureDesk:
    """Failures for people."""

    ledger: Ledger
    generations: Generations
    clock: Clock

    def listed(self, which: Selection, limit: int = 200, *, sampled: bool = True) -> list[dict[str, Any]]:
        """Groups of open cases of one cause, the most urgent first, each with its oldest and its newest sample.

        Not `sampled`: without samples, and what is told out of them.
        """
        with self.ledger.read() as connection:
            found = groups.groups(connection, which, limit)
            ends = [identifier for one in found for identifier in (one.first, one.last)] if sampled else []
            told = {one.case: one for one in groups.samples_of(connection, ends)}
        generation = self.generations.current()
        shown = [[told[i] for i in dict.fromkeys((one.first, one.last)) if i in told] for one in found]
        return [_told(generation, one, some) for one, some in zip(found, shown, strict=True)]

    def one(self, cause: str, party: str, by: str) -> dict[str, Any]:
        """A single group with more samples, and what may be answered; the look is written down.

        `party`: only if it is of this party; empty: any.  Raises UnknownName.
        """
        with self.ledger.read() as connection:
            found = groups.groups(connection, Selection(party=party, cause=cause), 1)
            some = groups.samples(connection, cause, _SAMPLES) if found else []
        if not cause or not found:
            raise UnknownName(f"no open failures {cause}", what_zh=f"没有未处理的异常组 {cause}")
        now, detail = self.clock.now(), {"group": cause}
        self.ledger.write(lambda c: journal.append(c, [journal.Entry("failures_seen", by, None, None, detail)], now))
        generation = self.generations.current()
        return {**_told(generation, found[0], some), "question": _question(generation, found[0], some)}

    def answer(self, cause: str, code: str, by: str) -> None:
        """Say what the unknown code of a group means, from now on.  Raises UnknownName, BadRecord."""
        asked = self.one(cause, "", by)["question"]
        if asked is None:
            raise BadRecord("this group asks for no code", what_zh="这组异常不是未知代码，不能用码表答复")
        if asked["codes"] and code not in asked["codes"]:
            raise BadRecord(f"{code} is no code of the list", what_zh=f"{code} 不是码表中的代码")
        now = self.clock.now()
        words = (asked["mapping"], asked["name"], asked["source"], code)

        def work(connection: Connection) -> None:
            crosswalks.answer(connection, *words, by, now)
            detail = dict(zip(("mapping", "name", "source", "code"), words, strict=True))
            journal.append(connection, [journal.Entry("code_answered", by, None, None, detail)], now)

        self.ledger.write(work)


def _told(generation: Generation, one: Failures, some: Sequence[Sample]) -> dict[str, Any]:
    dataset = _dataset(generation, one.dataset)
    element = dataset.by_id.get(one.element) if dataset is not None else None
    words = [_sample(generation, dataset, one, sample) for sample in some]
    return {
        "group": one.cause,
        "class": one.class_,
        "party": one.party,
        "dataset": one.dataset,
        "destination": one.destination,
        "code": one.code,
        "element": one.element,
        "element_zh": element.title if element is not None else "",
        "element_en": element.title_en if element is not None else "",
        "rule": one.rule,
        "pattern": mask_text(one.pattern),
        "count": one.count,
        "since": local_text(one.since),
        "last_at": local_text(one.last_at),
        "due_at": local_text(one.due_at),
        "due_missing": one.due_missing,
        "disposing": one.disposing,
        "taken_at": local_text(one.taken_at),
        "taken_by": one.taken_by,
        "joined": one.joined,
        "who": who_acts(one.party, one.class_, one.code),
        "hint": words[0]["hint"] if words else "",
        "note": one.note,
        "samples": words,
        "sample": {"receipt_no": words[0]["receipt_no"], "row": words[0]["row"] or None}
        if words
        else {"receipt_no": "", "row": None},
    }


def _dataset(generation: Generation, name: str) -> DataSet | None:
    try:
        return generation.standard.dataset(name) if name else None
    except HubError:
        return None


def _sample(generation: Generation, dataset: DataSet | None, one: Failures, sample: Sample) -> dict[str, Any]:
    params = {k: str(v) for k, v in json.loads(sample.params).items()}
    code = one.code if one.code.partition(".")[0] in catalogue() or one.code in catalogue() else _FOREIGN
    finding = Finding(
        code, Severity.ERROR, one.element or None, sample.row, sample.place, sample.field, sample.value, params
    )
    names = generation.standard
    return {
        "case": str(sample.case),
        "receipt_no": sample.receipt_no,
        "row": sample.row,
        "place": sample.place,
        "place_zh": in_words(sample.place) if sample.place else "",
        "field": sample.field,
        "value": mask_text(sample.value),
        "text": text(finding, "zh", dataset, names),
        "text_en": text(finding, "en", dataset, names),
        "hint": hint(finding, "zh", dataset, names),
        "hint_en": hint(finding, "en", dataset, names),
    }


def _question(generation: Generation, one: Failures, some: Sequence[Sample]) -> dict[str, Any] | None:
    """An unknown code: in which crosswalk it is answered, and with which codes; None where nothing is asked."""
    if one.code not in ("10005.crosswalk", "10005.list") or not some:
        return None
    sample = some[0]
    params = json.loads(sample.params)
    name = params.get("crosswalk") or params.get("list") or ""
    try:
        mapping = generation.mapping_of(sample.connection)
    except HubError:
        return None
    dataset = _dataset(generation, one.dataset)
    element = dataset.by_id.get(one.element) if dataset is not None else None
    codes = dict(generation.standard.codes(element.list)) if element is not None and element.list else {}
    if not name or mapping == STANDARD_WORDS or hidden_numbers(mask_text(one.pattern)):
        return None
    spec = generation.file_of(sample.connection)[0].elements.get(one.element)
    if spec is None or spec.codes == "strict":
        return None
    return {"mapping": mapping, "name": name, "source": one.pattern, "codes": codes}
