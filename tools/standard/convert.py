"""Turns the tables of DATASETS.md into the words of `standards/model.py`, with the hand-kept tables.

Nothing is dropped in silence: a condition without a translation, a code list nobody knows, a changed note on
direction or deadline, a line of a hand-kept table that nothing uses are mistakes, and all of them are told at once.
"""

from __future__ import annotations

import re
from typing import Any

from tools.standard.source import Codes, Row, Source, Table
from tools.standard.tables import Watched, load

Words = dict[str, Any]

_TYPES = {"S": "text", "T": "longtext", "D": "date", "DT": "datetime", "N": "decimal", "I": "int", "A": "list"}
_STANDARD_LISTS = {"GB/T 2260": "region", "GB 32100": "uscc", "GB/T 4754": "industry"}
_ORDER = (
    *("id", "title", "title_en", "type", "of", "max", "scale", "list", "need", "filled_by", "sender_may", "personal"),
    *("identified_by", "not_future", "min_items", "pattern", "pattern_says", "pattern_says_en", "refers"),
    *("mark", "source", "note"),
)
_BEHAVIOURS = {
    "check_action": ("check_date", "submitted_date"),
    "punish_action": ("set_date", "day(submitted_date)"),
    "force_action": ("mandatory_decision_sev_date", "day(submitted_date)"),
    "other_action": ("start_date", "day(submitted_date)"),
}
#: Degrees may be below zero.
_SIGNED = {"longitude", "latitude"}


class Converter:
    """Holds the hand-kept tables while the source is converted."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.conditions = Watched("conditions")
        self.additions = Watched("elements")
        self.english = Watched("english")
        self.profile = Watched("profile")
        self.rules = Watched("rules")
        self.list_ids = {codes.id for codes in source.lists}
        self.problems: list[str] = []
        self.element_lists: dict[str, Words] = {}
        self._rules_wanted: dict[str, set[str]] = {}

    def common(self) -> list[Words]:
        """The common elements."""
        return [self._element(self.source.common, row) for row in self.source.common.rows]

    def datasets(self) -> list[Words]:
        """Every data set of the source, then our own."""
        made = [self._dataset(table) for table in self.source.tables]
        own = load("knowledge_entry")
        del own["codelists"]
        for element in own["elements"]:
            element.update(mark="own", source="OWN")
        own["elements"] = [self._ordered(e) for e in own["elements"]]
        own["rules"] = [*own["rules"], *self._not_negative(own["elements"])]
        return [*made, own]

    def finish(self) -> None:
        """Raise when anything was wrong or left over."""
        self.get_codelists()
        for watched in (self.conditions, self.additions, self.english, self.profile, self.rules):
            self.problems += watched.unused()
        if self.problems:
            raise ValueError("\n".join(self.problems))

    # --- data sets

    def _dataset(self, table: Table) -> Words:
        profile = self.profile.get(table.id)
        if profile is None:
            self.problems.append(f"profile.yaml: {table.id} is missing")
            return {"id": table.id}
        self._compare(table, profile)
        key = table.facts.get("Key", "")
        named = [k.strip() for k in key.partition("natural key ")[2].split("+") if k.strip()]
        elements = [self._element(table, row) for row in table.rows]
        source_table = table.facts.get("National table or source", "").split(" ")[0]
        found = source_table == profile["table"] or profile["table"] in ("jg_jgdx_qyjbxx", "jg_tsjb_report_info")
        words: Words = {
            "id": table.id,
            "title": table.title,
            "title_en": profile["title_en"],
            "version": "1",
            "valid_from": profile.get("valid_from", "2021-01-01"),
            "family": "control" if table.control else "core",
            "library": profile.get("library"),
            "table": profile["table"],
            "table_mark": "a" if found else "own",
            "directions": profile["directions"],
            "purpose": profile["purpose"],
            "deadline": profile["deadline"],
            "natural_key": profile.get("natural_key", named),
            "key_personal": profile.get("key_personal"),
            "subject": profile.get("subject", {}),
            "event_date": profile.get("event_date"),
            "profile": profile.get("profile", ""),
            "note": profile.get("note", ""),
            "elements": elements,
            "rules": self._dataset_rules(table.id, elements),
        }
        return {k: v for k, v in words.items() if v not in (None, "", {}, [])}

    def _compare(self, table: Table, profile: Words) -> None:
        """The source's words on direction, deadline, key and note must be those the profile was written for."""
        said = profile["said"]
        for word, fact in (("direction", "Direction"), ("deadline", "Update deadline"), ("note", "Note")):
            if said.get(word, "") != table.facts.get(fact, ""):
                self.problems.append(
                    f"profile.yaml: {table.id}.said.{word} is {said.get(word, '')!r}, "
                    f"the source has {table.facts.get(fact, '')!r}"
                )
        if "natural_key" in profile and said.get("key", "") != table.facts.get("Key", ""):
            self.problems.append(f"profile.yaml: {table.id}.said.key differs from the source")

    def _dataset_rules(self, dataset: str, elements: list[Words]) -> list[Words]:
        rules = [dict(rule) for rule in self.rules.get(dataset) or []]
        if dataset in _BEHAVIOURS:
            event, moment = _BEHAVIOURS[dataset]
            for rule in self.rules.get("behaviours"):
                filled = {k: _fill(v, event=event, moment=moment) for k, v in rule.items()}
                rules.append(filled)
        for rule in rules:
            rule["when"] = self._with_codes(rule["when"])
            rule.setdefault("severity", "error")
            rule.setdefault("mark", "a")
        missing = self._rules_wanted.get(dataset, set()) - {rule["id"] for rule in rules}
        self.problems += [f"rules.yaml: {dataset} lacks {rule}" for rule in sorted(missing)]
        return [_ordered_rule(rule) for rule in rules] + self._not_negative(elements)

    def _with_codes(self, when: str) -> str:
        """`{CL_X}` becomes the codes of that list."""
        for codes in self.source.lists:
            if f"{{{codes.id}}}" in when:
                when = when.replace(f"{{{codes.id}}}", repr(tuple(code for code, _ in codes.codes)))
        return when

    @staticmethod
    def _not_negative(elements: list[Words]) -> list[Words]:
        return [
            _ordered_rule(
                {
                    "id": f"{e['id']}_not_negative",
                    "when": f"starts({e['id']}, '-')",
                    "elements": [e["id"]],
                    "code": "10010",
                    "severity": "error",
                    "says": f"{e['title']}不能为负数",
                    "says_en": f"{e['title_en']} must not be negative",
                    "fix": "填写不小于 0 的数",
                    "fix_en": "give a number of 0 or more",
                    "mark": "own",
                    "source": "OWN",
                }
            )
            for e in elements
            if e["type"] in ("decimal", "int") and e["id"] not in _SIGNED
        ]

    # --- elements

    def _element(self, table: Table, row: Row) -> Words:
        place = f"{table.id}.{row.id}"
        element: Words = {
            "id": row.id,
            "title": row.title,
            "title_en": self._english(table.id, row.id),
            **self._type(row, place),
            "mark": "own" if "OWN" in row.source else "b" if "(b" in row.source else "a",
            "source": row.source,
        }
        if "(personal)" in element["title"]:
            element["personal"] = "true"
        notes: list[str] = []
        self._obligation(row.obligation, place, element, notes)
        for addition in self.additions.every(row.id, place):
            self._add(addition, element, notes, place)
        element["title"] = _clean_title(element["title"])
        if notes:
            element["note"] = "；".join(notes)
        return self._ordered(element)

    def _english(self, dataset: str, element: str) -> str:
        title = self.english.get(f"{dataset}.{element}", element)
        if title is None:
            self.problems.append(f"english.yaml: {dataset}.{element} is missing")
        return str(title)

    def _type(self, row: Row, place: str) -> Words:
        kind = _TYPES[row.type]
        words: Words = {"type": kind}
        if kind == "decimal":
            words["max"], words["scale"] = row.max.split(",")
        elif kind not in ("date", "datetime"):
            words["max"] = row.max
        inner = None
        if row.list in _STANDARD_LISTS:
            inner = _STANDARD_LISTS[row.list]
        elif row.list in self.list_ids:
            inner, words["list"] = "code", row.list
        elif row.list != "-":
            self.problems.append(f"{place}: code list {row.list!r} is not known")
        if kind == "list":
            words["of"] = inner or "text"
        elif inner is not None:
            words["type"] = inner
        return words

    def _obligation(self, text: str, place: str, element: Words, notes: list[str]) -> None:
        if text in ("M", "O"):
            element["need"] = "must" if text == "M" else "optional"
            return
        condition = self.conditions.get(text)
        if condition is None:
            self.problems.append(f"{place}: no translation for {text!r}")
            return
        dataset = place.partition(".")[0]
        at = condition.get("at", {})
        special = at.get(place) or at.get(f"{dataset}.*") or {}
        if at and not special and "need" not in condition:
            self.problems.append(f"{place}: {text!r} has no translation here")
        merged = {**condition, **special}
        element["need"] = merged.get("need", "optional")
        element.update(merged.get("set", {}))
        if merged.get("note"):
            notes.append(merged["note"])
        self._rules_wanted.setdefault(dataset, set()).update(merged.get("rules", []))

    def _add(self, addition: Words, element: Words, notes: list[str], place: str) -> None:
        if values := addition.get("values"):
            element.update(type="code", list=values)
            self.element_lists[values] = _values_in_title(values, element, place)
        if "title" in addition:
            element["title"] = addition["title"] + (" (personal)" if "(personal)" in element["title"] else "")
        element.update(addition.get("set", {}))
        if addition.get("note"):
            notes.append(addition["note"])

    @staticmethod
    def _ordered(element: Words) -> Words:
        strange = set(element) - set(_ORDER)
        if strange:
            raise ValueError(f"{element['id']}: {strange}")
        return {word: element[word] for word in _ORDER if word in element}

    # --- code lists

    def get_codelists(self) -> dict[str, Words]:
        """Every code list by id: those of the source, those written in titles, those of our own data set."""
        lists = {codes.id: _codelist(codes) for codes in self.source.lists}
        lists.update(sorted(self.element_lists.items()))
        for name, held in load("knowledge_entry")["codelists"].items():
            lists[name] = {"title": held["title"], "mark": "own", "source": "OWN", "origin": "profile"}
            lists[name]["codes"] = list(held["codes"].items())
        return lists


def _fill(value: Any, **names: str) -> Any:
    if isinstance(value, list):
        return [_fill(v, **names) for v in value]
    for name, text in names.items():
        value = value.replace(f"{{{name}}}", text)
    return value


def _ordered_rule(rule: Words) -> Words:
    order = ("id", "when", "elements", "code", "severity", "says", "says_en", "fix", "fix_en", "mark", "source")
    return {word: rule[word] for word in order}


def _clean_title(title: str) -> str:
    """What is said by type and flags is not said in the title again."""
    for words in ("(personal)", "(分号分隔)"):
        title = title.replace(words, "")
    return title.strip()


def _values_in_title(name: str, element: Words, place: str) -> Words:
    """`在岗状态 (1 在岗 2 离岗 3 注销)` makes a code list; an odd number of words are names and codes in one."""
    found = re.search(r"\(([^()]+)\)$", element["title"])
    if found is None:
        raise ValueError(f"{place}: no values in {element['title']!r}")
    words = found[1].split()
    pairs = [(w, w) for w in words] if len(words) % 2 else list(zip(words[::2], words[1::2], strict=True))
    return {
        "title": element["title"][: found.start()].strip(),
        "mark": element["mark"],
        "source": f"{place}: {element['source']}",
        "origin": "element",
        "codes": pairs,
    }


def _codelist(codes: Codes) -> Words:
    title = re.sub(r" [a-z_]+$", "", codes.title)
    inside = re.search(r" \(([^()]*)\)$", title)
    adapter_only = inside is not None and "adapter only" in inside[1]
    if inside is not None:
        kept = [part for part in inside[1].split(", ") if part not in ("adapter only", "canonical")]
        title = title[: inside.start()] + (f"（{'，'.join(kept)}）" if kept else "")
    words: Words = {
        "title": title,
        "mark": "own" if "c" in codes.mark else "b" if "b" in codes.mark else "a",
        "source": codes.source,
        "origin": "standard",
        "codes": codes.codes,
    }
    if "/" in codes.mark:
        words["mark_note"] = codes.mark
    if adapter_only:
        words["adapter_only"] = "true"
    return words
