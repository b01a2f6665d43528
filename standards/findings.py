"""Findings: what is wrong with one record, told so that a clerk can mend it.  The codes stand in `findings.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any, Protocol

import yaml

from standards import private_use
from standards.errors import BadConfiguration, UnknownName
from standards.masks import mask
from standards.masks_in_text import mask_text
from standards.model import DataSet, Element, Rule, Severity
from standards.places import in_words as place_in_words
from standards.wording import CodeNames, in_words

#: Longer values are cut in the middle when shown.
SHOWN = 60

#: What a text may ask for: what the finding itself knows …
OWN_WORDS = frozenset({"name", "title", "element", "value", "field", "where"})
#: … what is found out from the standard …
LOOKED_UP = frozenset({"when", "choices", "pattern", "key"})
#: … and what its maker gives in `params`.
PARAMS = frozenset(
    [
        *(
            "allowed",
            "crosswalk",
            "dataset",
            "encoding",
            "expected",
            "found",
            "group",
            "item",
            "length",
            "list",
            "max",
            "near",
        ),
        *("other", "other_row", "period", "reason", "state", "system", "through", "today"),
    ]
)

_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_INVISIBLE = re.compile(f"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060\ufeff{private_use.AREAS}]")


class FindingKind(StrEnum):
    """The classes of the working rules, and what is no matter of content."""

    WRONG = "报送错误"
    INCONSISTENT = "报送不一致"
    UNREPORTED = "未报送"
    REFUSED = "refused"
    RETRY = "retry"


class Names(CodeNames, Protocol):
    """Knows what codes and data sets are called; `Standard` does."""

    def title(self, dataset: str, language: str = "zh") -> str:
        """The title of a data set."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one record."""

    code: str
    severity: Severity
    #: Id of the element, or None where it is about the record or the file.
    element: str | None
    row: int
    #: Where in the sender's file; see `standards.places`.
    place: str
    #: The sender's own column, or ''.
    field: str
    value: str
    params: Mapping[str, str] = dataclass_field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What the catalogue says of one code."""

    code: str
    kind: FindingKind
    severity: Severity
    text: str
    text_en: str
    hint: str
    hint_en: str


class Catalogue:
    """All finding codes."""

    def __init__(self, entries: Iterable[CodeEntry]) -> None:
        self._entries = {entry.code: entry for entry in entries}

    def __contains__(self, code: str) -> bool:
        return code in self._entries

    def __iter__(self) -> Iterator[CodeEntry]:
        return iter(self._entries.values())

    def entry(self, code: str) -> CodeEntry:
        """What is said of a code; of an unknown sub-code what is said of its main code."""
        found = self._entries.get(code) or self._entries.get(code.partition(".")[0])
        if found is None:
            raise UnknownName(f"no finding code {code}", what_zh=f"没有问题代码 {code}")
        return found

    def severity(self, code: str, rule: Rule | None = None) -> Severity:
        """What a finding does to its record: as its rule says, else as the catalogue says."""
        return rule.severity if rule is not None else self.entry(code).severity

    def codes(self) -> list[str]:
        """Every code, in the order of the catalogue."""
        return list(self._entries)


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with the hub."""
    text = (files("standards") / "findings.yaml").read_text(encoding="utf-8")
    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    held = yaml.load(text, Loader=loader)  # noqa: S506 - a base loader makes text only
    try:
        return Catalogue(
            CodeEntry(code, FindingKind(words.pop("kind")), Severity(words.pop("severity")), **words)
            for code, words in held.items()
        )
    except (TypeError, ValueError, KeyError) as error:
        raise BadConfiguration(f"findings.yaml: {error}") from error


def severity_of(code: str, dataset: DataSet, params: Mapping[str, str]) -> Severity:
    """The severity of a fault of the checker, whose params name the rule if it comes from one."""
    return catalogue().severity(code, _rule(dataset, params))


def text(
    finding: Finding,
    language: str = "zh",
    dataset: DataSet | None = None,
    names: Names | None = None,
    common: Iterable[Element] = (),
) -> str:
    """What is wrong, and where: place, the sender's column, what was there and what was expected."""
    words = _Words(finding, language, dataset, names, common)
    return words.place() + words.told()


_SHOWN_VALUE = re.compile(r'(: |：|, )?["“(（]\{(?!name\})[a-z_]+\}["”)）]')
_FIGURE = re.compile(r"(：|: )?\{(?!name\})[a-z_]+\}")


@lru_cache(4096)
def plain(template: str) -> str:
    """A text or hint of the catalogue without what only a single finding fills in."""
    return _FIGURE.sub("…", _SHOWN_VALUE.sub("", _OPTIONAL.sub("", template)))


@lru_cache(4096)
def in_short(code: str, language: str = "zh") -> str:
    """What a code means, without the value and the place of one finding; empty for a code of somebody else."""
    known = {entry.code: entry for entry in catalogue()}
    entry = known.get(code) or known.get(code.partition(".")[0])
    if entry is None:
        return ""
    template = entry.text if language == "zh" else entry.text_en
    words = plain(template).replace("{name}", "" if language == "zh" else "a value")
    return " ".join(words.split()).strip(" ，,：:").removeprefix("的")


def hint(
    finding: Finding,
    language: str = "zh",
    dataset: DataSet | None = None,
    names: Names | None = None,
    common: Iterable[Element] = (),
) -> str:
    """How to mend it."""
    return _Words(finding, language, dataset, names, common).hint()


def sentence(
    finding: Finding,
    language: str = "zh",
    dataset: DataSet | None = None,
    names: Names | None = None,
    common: Iterable[Element] = (),
) -> str:
    """Text and hint together."""
    words = _Words(finding, language, dataset, names, common)
    if language == "zh":
        return f"{words.place()}{words.told()}。{words.hint()}。"
    return f"{words.place()}{words.told()}. {_capital(words.hint())}."


def shown(value: str, limit: int = SHOWN) -> str:
    """A value fit to be shown: invisible characters made visible, long ones cut in the middle."""
    visible = _INVISIBLE.sub(_visible, value[: 20 * limit])
    if len(visible) <= limit:
        return visible
    head = limit * 2 // 3
    return f"{visible[:head]}…{visible[-(limit - head - 1) :]}"


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)  # the picture of the control character
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _rule(dataset: DataSet | None, params: Mapping[str, str]) -> Rule | None:
    wanted = params.get("rule")
    if wanted is None or dataset is None:
        return None
    return next((rule for rule in dataset.rules if rule.id == wanted), None)


class _Words:
    """One finding in one language."""

    def __init__(
        self, finding: Finding, language: str, dataset: DataSet | None, names: Names | None, common: Iterable[Element]
    ) -> None:
        self.finding = finding
        self.chinese = language == "zh"
        self.language = language
        self.dataset = dataset
        self.names = names
        self.entry = catalogue().entry(finding.code)
        self.element = self._element(common)
        self.rule = _rule(dataset, finding.params)

    def _element(self, common: Iterable[Element]) -> Element | None:
        wanted = self._element_id()
        if self.dataset is not None and wanted in self.dataset.by_id:
            return self.dataset.by_id[wanted]
        return next((e for e in common if e.id == wanted), None)

    def _element_id(self) -> str:
        """A finding about a whole file names its element among the parameters."""
        return self.finding.element or self.finding.params.get("element", "")

    def place(self) -> str:
        """Where in the sender's file, with a colon."""
        place = place_in_words(self.finding.place, self.language) if self.finding.place else ""
        # A text that names the column itself needs it not twice.
        column = "" if "{field}" in self.entry.text else self.finding.field
        if self.chinese:
            column = f"“{shown(column)}”列" if column else ""
            said = "，".join(part for part in (place, column) if part)
            return f"{said}：" if said else ""
        column = f'column "{shown(column)}"' if column else ""
        said = ", ".join(part for part in (place, column) if part)
        return f"{_capital(said)}: " if said else ""

    def told(self) -> str:
        """What is wrong, without the place."""
        if self.rule is not None:
            said = self.rule.says if self.chinese else self.rule.says_en
            held = self._held()
            return said + (f"（{held}）" if self.chinese else f" ({held})") if held else said
        return self._filled(self.entry.text if self.chinese else self.entry.text_en)

    def hint(self) -> str:
        """How to mend it."""
        if self.rule is not None and (fix := self.rule.fix if self.chinese else self.rule.fix_en):
            return fix
        return self._filled(self.entry.hint if self.chinese else self.entry.hint_en)

    def _held(self) -> str:
        """What stood in the first element of a broken rule."""
        value = self._value()
        if not value or self.element is None:
            return ""
        return f"{self._name()}为“{value}”" if self.chinese else f'{self._name()} is "{value}"'

    def _filled(self, template: str) -> str:
        known = self._known(template)

        def part(found: re.Match[str]) -> str:
            wanted = _placeholders(found[1])
            return "" if any(not known.get(name) for name in wanted) else found[1].format_map(known)

        pieces = []
        end = 0
        for found in _OPTIONAL.finditer(template):
            pieces += [template[end : found.start()].format_map(known), part(found)]
            end = found.end()
        return "".join(pieces) + template[end:].format_map(known)

    def _known(self, template: str) -> Mapping[str, str]:
        known = _Given({k: self._param(k, v) for k, v in self.finding.params.items()})
        known |= {
            "element": self._element_id(),
            "title": self._title(),
            "name": self._name(),
            "value": self._value(),
            "field": shown(self.finding.field) or known.get("field", ""),
            "where": self._where(),
        }
        if "{length}" in template and not known.get("length") and self.finding.value:
            known["length"] = str(len(self.finding.value))
        for name, look in (("when", self._when), ("choices", self._choices), ("pattern", self._pattern)):
            if f"{{{name}}}" in template:
                known[name] = look()
        if "{key}" in template and self.dataset is not None:
            known["key"] = "、".join(self._title_of(self.dataset.by_id[k]) for k in self.dataset.natural_key)
        return known

    def _where(self) -> str:
        if self.element is not None:
            return self._name()
        if column := shown(self.finding.params.get("field", "")):
            return f"“{column}”列" if self.chinese else f'column "{column}"'
        return "内容" if self.chinese else "the text"

    def _param(self, name: str, value: str) -> str:
        if name == "dataset":
            return self.names.title(value, self.language) if self.names is not None else value
        if name in ("item", "other", "near") and self._is_personal():
            return shown(mask(value))
        return shown(mask_text(value), 200 if name in ("expected", "group", "reason") else SHOWN)

    def _is_personal(self) -> bool:
        return self.element is not None and self.element.personal

    def _value(self) -> str:
        value = self.finding.value
        return shown(mask(value) if self._is_personal() else mask_text(value))

    def _title(self) -> str:
        return self._title_of(self.element) if self.element is not None else self._element_id()

    def _title_of(self, element: Element) -> str:
        return element.title if self.chinese else element.title_en or element.title

    def _name(self) -> str:
        title = self._title()
        if not title:
            return "该记录" if self.chinese else "the record"
        return f"“{title}”" if self.chinese else f'"{title}"'

    def _when(self) -> str:
        condition = self.finding.params.get("when") or (self.element.when if self.element else None)
        if not condition or self.dataset is None:
            return ""
        return in_words(condition, self.dataset, self.names, self.language)

    def _choices(self) -> str:
        if self.element is None or self.element.list is None or self.names is None:
            return ""
        try:
            codes = self.names.codes(self.element.list)
        except LookupError:
            return ""
        said = [code if code == name else f"{code} {name}" for code, name in list(codes.items())[:8]]
        joined = ("、" if self.chinese else ", ").join(said)
        return joined + (" …" if len(codes) > 8 else "")

    def _pattern(self) -> str:
        if self.element is None:
            return ""
        says, says_en = self.element.pattern_says, self.element.pattern_says_en
        return says if self.chinese else says_en or says


class _Given(dict[str, str]):
    """What is known; a placeholder that is not given reads as a dash."""

    def __missing__(self, key: str) -> str:
        return "—"


def _placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def placeholders(template: str) -> set[str]:
    """The names a template of the catalogue asks for, also inside its optional parts."""
    return _placeholders(template.replace("[", "").replace("]", ""))
