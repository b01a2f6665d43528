"""How like a field's name is to an element's, from 0 to 1."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pypinyin import Style, lazy_pinyin

from standards.model import Element

_PARTS = re.compile(r"[（(]([^）)]*)[）)]")
_NOISE = re.compile(r"[\s_\-:：、，,/\\.。*＊#【】\[\]（）()“”\"'?？]+")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
#: How a complaint came in says nothing about what a field holds.
_CAME_BY = re.compile(r"^(来信|来电|留言|信件|工单|诉求)")
_HAN = re.compile(r"[\u3400-\u9fff]")
#: What abbreviations in field names of old systems stand for.
_SHORT = {
    "no": "number", "num": "number", "nm": "name", "dt": "date", "cd": "code", "addr": "address", "tel": "telephone",
    "org": "organisation", "reg": "registered", "cert": "certificate", "lic": "licence", "license": "licence",
    "ent": "enterprise", "comp": "company", "id": "identifier", "desc": "description", "lat": "latitude",
    "lng": "longitude", "lon": "longitude", "insp": "inspection", "vio": "violation", "val": "value", "biz": "business",
    "zip": "postcode", "pin": "postcode", "dept": "department", "amt": "amount", "qty": "quantity", "cap": "capital",
}  # fmt: skip
_STOP = {"of", "the", "a", "and", "or", "in", "for", "to", "is"}


def likeness(field: str, element: Element) -> float:
    """1 when field and element are called the same, 0 when nothing speaks for it."""
    best = 0.0
    for said in variants(field):
        for title in (element.title, element.title_en or "", element.id):
            for named in variants(title):
                best = max(best, _alike(said, named))
                if best >= 0.97:
                    return best
    return max(best, _by_sound(field, element), _by_words(field, element))


@cache
def variants(name: str) -> tuple[str, ...]:
    """A name plain, without what stands in brackets, what stands in them, and without a word for where it came from."""
    text = unicodedata.normalize("NFKC", name)
    forms = [text, _PARTS.sub("", text), *(inner for inner in _PARTS.findall(text) if len(inner) > 2)]
    forms += [_CAME_BY.sub("", form) for form in forms if len(_CAME_BY.sub("", form)) > 1]
    plain = (_NOISE.sub("", form).lower() for form in forms)
    return tuple(dict.fromkeys(form for form in plain if form))


@cache
def _groups() -> dict[str, frozenset[int]]:
    """Word -> the groups of synonyms it stands in."""
    lines = Path(__file__).with_name("synonyms.txt").read_text("utf-8").splitlines()
    rows = [line.split(",") for line in lines if line and not line.startswith("#")]
    found: dict[str, set[int]] = {}
    for number, words in enumerate(rows):
        for word in words:
            for form in variants(word):
                found.setdefault(form, set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


def twins(a: Element, b: Element) -> bool:
    """Whether two elements are called by the same words, such as 监管对象 and 行政相对人: a field may feed either."""
    groups = _groups()

    def mine(element: Element) -> frozenset[int]:
        return frozenset().union(*(groups.get(form, frozenset()) for form in variants(element.title)))

    return bool(mine(a) & mine(b))


def _alike(a: str, b: str) -> float:
    if a == b:
        return 0.97
    groups = _groups()
    if groups.get(a, frozenset()) & groups.get(b, frozenset()):
        return 0.9
    if not (_HAN.search(a) and _HAN.search(b)):
        return 0.0
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
def _sounds(title: str) -> frozenset[tuple[str, str]]:
    """Full pinyin and initials of every form of a Chinese name, its synonyms too."""
    groups = _groups()
    forms = set(variants(title))
    for form in tuple(forms):
        mine = groups.get(form, frozenset())
        forms |= {word for word, theirs in groups.items() if mine & theirs and _HAN.search(word)}
    found = set()
    for form in forms:
        if _HAN.search(form):
            found.add(_sound(form))
    return frozenset(found)


@cache
def _sound(form: str) -> tuple[str, str]:
    return "".join(lazy_pinyin(form)), "".join(lazy_pinyin(form, style=Style.FIRST_LETTER))


def _by_sound(field: str, element: Element) -> float:
    said = _NOISE.sub("", field).lower()
    if _HAN.search(said) or len(said) < 2 or not said.isascii():
        return 0.0
    exact = {_sound(form) for form in variants(element.title)}
    best = 0.0
    for full, initials in _sounds(element.title):
        plain = (full, initials) in exact
        if said == full:
            best = max(best, 0.93 if plain else 0.88)
        elif said == initials:
            best = max(best, {2: 0.5, 3: 0.72}.get(len(said), 0.88 if plain else 0.84))
    return best


@cache
def _tokens(text: str) -> frozenset[str]:
    words = (w.lower() for w in _WORDS.findall(text))
    return frozenset(_SHORT.get(w, w) for w in words if w not in _STOP)


def _by_words(field: str, element: Element) -> float:
    if _HAN.search(field):
        return 0.0
    said = _tokens(field)
    best = 0.0
    for named in (_tokens(element.title_en or ""), _tokens(element.id)):
        if said and named:
            best = max(best, 0.9 * len(said & named) / len(said | named))
    return best
