"""How like a field's name is to an element's, from 0 to 1, and by which words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pypinyin import Style, lazy_pinyin

from mappings.draft.words import only_sort, shared, words_of
from standards.model import Element

_PARTS = re.compile(r"[（(]([^）)]*)[）)]")
_NOISE = re.compile(r"[\s_\-:：、，,/\\.。*＊#【】\[\]（）()“”\"'?？]+")
#: How a complaint came in says nothing about what a field holds.
_CAME_BY = re.compile(r"^(来信|来电|留言|信件|工单|诉求)")
_EITHER = re.compile(r"[或/、]")
_HAN = re.compile(r"[\u3400-\u9fff]")


#: From here on two names are the very same.
EXACT = 0.95
#: What a name counts without what stands in its brackets, across languages, and when it says only its sort.
_STRIPPED, _ACROSS, _ONLY_SORT = 0.93, 0.92, 0.75


@dataclass(frozen=True, slots=True, order=True)
class Likeness:
    """1 when field and element are called the same, 0 when nothing speaks for it."""

    score: float = 0.0
    #: The name of the element, or the synonym, that the field's name is like.
    to: str = ""


def likeness(field: str, element: Element) -> Likeness:
    """How like the names are, whole or in their words, as characters, sounds or English."""
    best = max(_by_characters(field, element), _by_sound(field, element))
    return best if best.score >= EXACT else max(best, _by_words(field, element))


def _by_characters(field: str, element: Element) -> Likeness:
    return max(
        Likeness(_alike(said, named) * (_STRIPPED if nth else 1) - 0.0001 * place, title)
        for place, title in enumerate((element.title, element.title_en or element.id, element.id))
        for nth, said in enumerate(variants(field))
        for named in variants(title)
    )


@cache
def variants(name: str) -> tuple[str, ...]:
    """A name plain, without what stands in brackets, what stands in them, and without a word for where it came from."""
    text = unicodedata.normalize("NFKC", name)
    forms = [text, _PARTS.sub("", text), *(inner for inner in _PARTS.findall(text) if len(inner) > 2)]
    forms += [part for part in _EITHER.split(_PARTS.sub("", text)) if len(part) > 2 and _HAN.search(part)]
    forms += [_CAME_BY.sub("", form) for form in forms if len(_CAME_BY.sub("", form)) > 1]
    plain = (_NOISE.sub("", form).lower() for form in forms)
    return tuple(dict.fromkeys(form for form in plain if form))


@cache
def _groups() -> tuple[dict[str, frozenset[int]], tuple[tuple[str, ...], ...]]:
    """Word -> the groups of synonyms it stands in; and the groups."""
    lines = Path(__file__).with_name("synonyms.txt").read_text("utf-8").splitlines()
    rows = tuple(
        tuple(w.strip() for w in line.split(",") if w.strip()) for line in lines if line and not line.startswith("#")
    )
    found: dict[str, set[int]] = {}
    for number, words in enumerate(rows):
        for word in words:
            for form in variants(word):
                found.setdefault(form, set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}, rows


def _groups_of(names: Iterable[str]) -> frozenset[int]:
    groups, _ = _groups()
    return frozenset().union(*(groups.get(form, frozenset()) for name in names for form in variants(name)))


def twins(a: Element, b: Element) -> bool:
    """Whether two elements are called by the same words, such as 监管对象 and 行政相对人: a field may feed either."""
    return same(a.title, b.title)


def same(a: str, b: str) -> bool:
    """Whether two names stand in one group of synonyms."""
    return a == b or bool(_groups_of([a]) & _groups_of([b]))


@cache
def _phrases(title: str, title_en: str, name: str) -> tuple[tuple[str, float], ...]:
    """Everything an element is called, with how much that counts."""
    _, rows = _groups()
    own = [(text, 1.0) for text in (title, _PARTS.sub("", title), title_en, name.replace("_", " ")) if text]
    mine = sorted(_groups_of([title]))
    return (*own, *((word, 0.97) for number in mine for word in rows[number]))


def _by_words(field: str, element: Element) -> Likeness:
    best = Likeness()
    parts = [p for p in _EITHER.split(_PARTS.sub("", field)) if len(p) > 2 and _HAN.search(p)]
    for form in dict.fromkeys((field, _PARTS.sub("", field), *parts)):
        said = words_of(form)
        if not said:
            continue
        worth = 0.92 * (1 if form == field else _STRIPPED) * (_ONLY_SORT if only_sort(said) else 1)
        for phrase, counts in _phrases(element.title, element.title_en, element.id):
            across = 1 if bool(_HAN.search(form)) == bool(_HAN.search(phrase)) else _ACROSS
            best = max(best, Likeness(worth * counts * across * shared(said, words_of(phrase)), phrase))
    return best


def _alike(a: str, b: str) -> float:
    if a == b:
        return 0.97
    groups, _ = _groups()
    if groups.get(a, frozenset()) & groups.get(b, frozenset()):
        return 0.9
    if not (_HAN.search(a) and _HAN.search(b)):
        return 0.0
    if len(a) == len(b) >= 5 and sum(x != y for x, y in zip(a, b, strict=True)) == 1:
        return 0.85  # one character mistyped or misread
    short, long = sorted((a, b), key=len)
    if len(short) >= 2 and short in long:
        # The end of a Chinese name says what it is, its beginning whose.
        return (0.58 if long.endswith(short) else 0.45) + 0.3 * len(short) / len(long)
    return 0.85 * _dice(a, b)


def _dice(a: str, b: str) -> float:
    """Share of common pairs of characters."""
    one, two = list(_pairs(a)), list(_pairs(b))
    if not one or not two:
        return 0.0
    common = sum(min(one.count(p), two.count(p)) for p in set(one))
    return 2 * common / (len(one) + len(two))


def _pairs(text: str) -> Iterator[str]:
    return (text[i : i + 2] for i in range(len(text) - 1))


@cache
def _sounds(title: str) -> tuple[tuple[str, str, str], ...]:
    """Every Chinese form of a name and its synonyms, with full pinyin and initials."""
    groups, _ = _groups()
    mine = _groups_of([title])
    forms = {*variants(title), *(word for word, theirs in groups.items() if mine & theirs)}
    return tuple((form, *_sound(form)) for form in sorted(forms) if _HAN.search(form))


@cache
def _sound(form: str) -> tuple[str, str]:
    return "".join(lazy_pinyin(form)), "".join(lazy_pinyin(form, style=Style.FIRST_LETTER))


def _by_sound(field: str, element: Element) -> Likeness:
    said = _NOISE.sub("", field).lower()
    if _HAN.search(said) or len(said) < 2 or not said.isascii():
        return Likeness()
    exact = set(variants(element.title))
    best = Likeness()
    for form, full, initials in _sounds(element.title):
        if said == full:
            best = max(best, Likeness(0.93 if form in exact else 0.88, form))
        elif said == initials:
            score = {2: 0.5, 3: 0.72}.get(len(said), 0.88 if form in exact else 0.84)
            best = max(best, Likeness(score, form))
    return best


def called_like(field: str, words: Iterable[str]) -> float:
    """How like a field's name is to one of some Chinese words or their synonyms."""
    best = 0.0
    for word in words:
        for said in variants(field):
            best = max(best, *(_alike(said, named) for named in variants(word)))
        best = max(best, 0.92 * shared(words_of(field), words_of(word)))
    return best
