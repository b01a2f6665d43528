"""A drafted mapping as text: its lines with their confidences, code pairs, what could not be placed, first cases."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from mappings import compile as compiler
from mappings.draft.place import Placement, place
from mappings.draft.profile import Profile
from mappings.draft.sample import look_at
from mappings.grammar import MappingFile
from standards.checker import UNREADABLE, Checker
from standards.model import DataSet, Element, FilledBy, Kind
from standards.yaml_text import read

#: Rows of the sample that become cases.
_CASES = 3
_SIGNS = ("、", "；", ";", "，", ",", "|")
_UNITS = ("万元", "百万元", "亿元", "千元", "元")
_SURE = 0.62


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal; everything in it is to be looked through by a person."""

    placements: tuple[Placement, ...]
    #: Fields of the sample that fit no element.
    unplaced: tuple[str, ...]
    #: Must-elements of the sender that no field feeds.
    missing: tuple[Element, ...]
    #: Crosswalk -> value of the sample -> proposed code and its name; '' where nothing is like it.
    pairs: Mapping[str, Mapping[str, tuple[str, str]]]
    mapping: str
    cases: str


def draft(
    title: str,
    columns: Mapping[str, Sequence[str]],
    dataset: DataSet,
    common: Sequence[Element],
    codes: Callable[[str], Mapping[str, str]],
    checker: Checker,
    read_options: Mapping[str, object] | None = None,
) -> Draft:
    """Propose a mapping of a sample, given as columns of text, to a data set."""
    sample = look_at(columns)
    profiles = sample.profiles
    placed = place(sample, dataset, codes, common)
    fields = {p.field for p in placed}
    unplaced = tuple(name for name in columns if name not in fields)
    fed = {p.element.id for p in placed}
    missing = tuple(
        e for e in dataset.elements if e.need == "must" and e.filled_by is FilledBy.SENDER and e.id not in fed
    )
    pairs = {p.element.id: _pairs(p.element, profiles[p.field], codes) for p in placed if _needs_pairs(p.element)}
    pairs = {name: held for name, held in pairs.items() if held}
    text = _mapping_text(title, placed, unplaced, missing, pairs, profiles, dataset, read_options or {})
    cases = _cases_text(text, columns, dataset, common, codes, checker)
    return Draft(tuple(placed), unplaced, missing, pairs, text, cases)


def _needs_pairs(element: Element) -> bool:
    return element.list is not None and element.type in (Kind.CODE, Kind.LIST)


def _pairs(element: Element, seen: Profile, codes: Callable[[str], Mapping[str, str]]) -> dict[str, tuple[str, str]]:
    """The sample's words that are neither code nor name of the list, each with the most similar code."""
    assert element.list is not None
    known = codes(element.list)
    names = set(known.values())
    result = {}
    for value in seen.common:
        for item in _items(value) if element.type is Kind.LIST else (value,):
            if item in known or item in names or not item:
                continue
            best = max(known.items(), key=lambda pair: SequenceMatcher(None, item, pair[1]).ratio(), default=("", ""))
            alike = SequenceMatcher(None, item, best[1]).ratio()
            contained = min(len(item), len(best[1])) >= 2 and (item in best[1] or best[1] in item)
            result[item] = best if alike >= _SURE or contained else ("", "")
    return result


def _items(value: str) -> list[str]:
    for sign in _SIGNS[1:]:
        value = value.replace(sign, _SIGNS[0])
    return [part.strip() for part in value.split(_SIGNS[0])]


def _quoted(text: str) -> str:
    """A text as a YAML scalar that means the same everywhere."""
    return json.dumps(text, ensure_ascii=False)


def _mapping_text(
    title: str,
    placed: Sequence[Placement],
    unplaced: Sequence[str],
    missing: Sequence[Element],
    pairs: Mapping[str, Mapping[str, tuple[str, str]]],
    profiles: Mapping[str, Profile],
    dataset: DataSet,
    read_options: Mapping[str, object],
) -> str:
    lines = [
        "# 由样例自动起草，请逐行核对。Drafted from a sample; look through every line.",
        "# 行尾为把握程度：高（≥0.80）通常正确；中、低请人工确认。The confidence stands behind each line.",
        f"mapping: {_quoted(title)}",
        f"dataset: {dataset.id}",
    ]
    if read_options:
        lines += [
            "read:",
            *(f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in read_options.items()),
        ]
    order = {e.id: n for n, e in enumerate(dataset.elements)}
    lines.append("elements:")
    for p in sorted(placed, key=lambda p: order[p.element.id]):
        spec = _spec(p, profiles[p.field], bool(pairs.get(p.element.id)))
        lines.append(f"  {p.element.id}: {spec}  # {p.element.title} · {_degree(p.confidence)} {p.confidence:.2f}")
    if any(code for held in pairs.values() for code, _ in held.values()):
        lines.append("crosswalks:")
        for name, held in pairs.items():
            lines.append(f"  {name}:")
            for value, (code, meaning) in held.items():
                said = f"    {_quoted(value)}: {_quoted(code)}  # {meaning}？请核对 check"
                lines.append(said if code else f"    # {_quoted(value)}: 待定 not known")
            if not any(code for code, _ in held.values()):
                lines[-len(held) - 1] = f"  {name}: {{}}"
    if missing:
        lines.append("lacks:")
        lines += [f"  {e.id}: 样例中没有与“{e.title}”对应的字段，请向对方确认或按实际填写" for e in missing]
    if unplaced:
        lines.append("ignore:  # 未能对应的字段，请逐个确认后再忽略 not placed: look at each before leaving it out")
        lines += [f"  - {_quoted(_plain(name))}" for name in unplaced]
    return "\n".join(lines) + "\n"


def _plain(name: str) -> str:
    """A field name in `ignore`, where * and ? mean more than themselves."""
    return name.replace("*", "?")


def _degree(confidence: float) -> str:
    return "高" if confidence >= 0.8 else "中" if confidence >= 0.6 else "低"


def _spec(p: Placement, seen: Profile, has_pairs: bool) -> str:
    words = {"from": _quoted(p.field)}
    own = next((u for u in _UNITS if u in p.field), None)
    theirs = next((u for u in _UNITS if u in p.element.title), None)
    if p.element.type is Kind.DECIMAL and own and theirs and own != theirs:
        words |= {"unit": own, "to": theirs}
    if p.element.type is Kind.LIST and any(sign in value for value in seen.common for sign in _SIGNS):
        words["split"] = "[" + ", ".join(_quoted(sign) for sign in _SIGNS) + "]"
    if has_pairs:
        words["codes"] = p.element.id
    if p.element.type is Kind.USCC:
        words["upper"] = "true"
    if len(words) == 1:
        return words["from"]
    return "{" + ", ".join(f"{name}: {value}" for name, value in words.items()) + "}"


def _cases_text(
    text: str,
    columns: Mapping[str, Sequence[str]],
    dataset: DataSet,
    common: Sequence[Element],
    codes: Callable[[str], Mapping[str, str]],
    checker: Checker,
) -> str:
    """What the draft makes of the first rows: right as long as nobody changes the mapping."""
    file = MappingFile.model_validate(read(text, "draft").value)
    program = compiler.build("draft", file, dataset, common, codes, crosswalks=_crosswalks(file))
    count = min(_CASES, max((len(values) for values in columns.values()), default=0))
    lines = ["# 由样例前几行生成的用例；改动映射后请核对。Made from the first rows of the sample.", "cases:"]
    for n in range(count):
        done = program.run({name: [values[n]] for name, values in columns.items()}, 1)
        expect = {name: column[0] for name, column in done.columns.items() if column[0] and column[0] != UNREADABLE}
        faults = [*done.faults, *checker.check(done.columns, 1, "2026-12-31")]
        found = sorted({f"{f.code} {f.element}" for f in faults if f.element not in file.lacks})
        lines += [
            f"  - name: 样例第 {n + 1} 行",
            "    given: " + json.dumps({name: columns[name][n] for name in columns}, ensure_ascii=False),
            "    expect: " + json.dumps(expect, ensure_ascii=False),
            "    findings: " + json.dumps(found, ensure_ascii=False),
        ]
    return "\n".join(lines) + "\n" if count else ""


def _crosswalks(file: MappingFile) -> dict[str, dict[str, str]]:
    return {name: held for name, held in file.crosswalks.items() if isinstance(held, dict)}
