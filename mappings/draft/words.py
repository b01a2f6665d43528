"""The words a name is made of, Chinese or English, whole, as pinyin or shortened, and how far two names share them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pypinyin import Style, lazy_pinyin

_PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[\u3400-\u9fff]+|#")
_HAN = re.compile(r"[\u3400-\u9fff]")
#: What abbreviations in field names of old systems stand for.
_SHORT = {
    "no": "number", "nm": "name", "dt": "date", "tm": "time", "cd": "code", "addr": "address", "org": "organisation",
    "cert": "certificate", "lic": "licence", "desc": "description", "insp": "inspection", "vio": "violation",
    "viol": "violation", "biz": "business", "bus": "business", "zip": "postcode", "dept": "department",
    "amt": "amount", "qty": "quantity", "cap": "capital", "est": "established", "fac": "facility", "auth": "authority",
    "exp": "expiry", "eff": "effective", "cur": "currency", "curr": "currency", "stat": "status", "cat": "category",
    "resp": "responsible", "loc": "location", "op": "operating", "cmt": "comment", "ph": "phone", "app": "approval",
    "appr": "approval", "#": "number", "dist": "district", "rslt": "result", "res": "result", "insptr": "inspector",
}  # fmt: skip
_EMPTY = frozenset({"of", "the", "a", "an", "and", "or", "in", "for", "by", "with", "w", "at"})
_ENDINGS = ("ments", "ment", "ings", "ing", "ies", "es", "ed", "s")
#: Weight of a word by its sort.
_ABOUT, _SORT, _CALLED, _FILLER = 1.0, 0.5, 0.25, 0.1


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a name: all it may mean, how much it says, how sure its reading is."""

    senses: frozenset[str]
    weight: float
    sure: float = 1.0


@dataclass(frozen=True, slots=True)
class _Lexicon:
    words: dict[str, Word]
    longest: int
    #: Whole pinyin and initials of the Chinese words.
    sounds: dict[str, Word]
    initials: dict[str, Word]


@cache
def _lexicon() -> _Lexicon:
    senses: dict[str, set[str]] = {}
    weights: dict[str, float] = {}
    for number, line in enumerate(Path(__file__).with_name("words.txt").read_text("utf-8").splitlines()):
        if not line or line.startswith("#"):
            continue
        weight = {"=": _SORT, "~": _CALLED, "-": _FILLER}.get(line[0], _ABOUT)
        for word in (w.strip() for w in line.lstrip("=~- ").split(",")):
            # Fillers have no group: each is only itself.
            senses.setdefault(word, set()).add(word if weight == _FILLER else f"group {number}")
            weights[word] = min(weight, weights.get(word, _ABOUT))
    words = {word: Word(frozenset(found), weights[word]) for word, found in senses.items()}
    sounds: dict[str, Word] = {}
    initials: dict[str, Word] = {}
    for word, read in words.items():
        if len(word) > 1 and _HAN.search(word):
            _add(sounds, "".join(lazy_pinyin(word)), read, 0.95)
            _add(initials, "".join(lazy_pinyin(word, style=Style.FIRST_LETTER)), read, 0.6)
    return _Lexicon(words, max(map(len, words)), sounds, initials)


def _add(table: dict[str, Word], sound: str, word: Word, sure: float) -> None:
    there = table.get(sound)
    senses = word.senses | (there.senses if there else frozenset())
    table[sound] = Word(senses, max(word.weight, there.weight if there else 0), sure)


@cache
def words_of(name: str) -> tuple[Word, ...]:
    """A name as words, each sense once."""
    found: list[Word] = []
    for piece in _PIECES.findall(unicodedata.normalize("NFKC", name)):
        for word in _han(piece) if _HAN.match(piece) else _latin(piece.lower()):
            if not any(word.senses <= other.senses for other in found):
                found.append(word)
    return tuple(found)


def tokens(name: str) -> tuple[str, ...]:
    """The pieces of a name as they are written."""
    return tuple(_PIECES.findall(unicodedata.normalize("NFKC", name)))


def _han(text: str) -> Iterator[Word]:
    """The longest known words from the left; what is between them is one word of its own."""
    lexicon = _lexicon()
    unknown = ""
    while text:
        for length in range(min(len(text), lexicon.longest), 0, -1):
            if text[:length] in lexicon.words:
                break
        else:
            unknown, text = unknown + text[0], text[1:]
            continue
        if unknown:
            yield Word(frozenset({unknown}), _ABOUT)
            unknown = ""
        yield lexicon.words[text[:length]]
        text = text[length:]
    if unknown:
        yield Word(frozenset({unknown}), _ABOUT)


def _latin(piece: str) -> Iterator[Word]:
    if piece in _EMPTY:
        return
    lexicon = _lexicon()
    senses: set[str] = set()
    weight = _ABOUT
    for form in _forms(_SHORT.get(piece, piece)):
        senses.add(form)
        if form in lexicon.words:
            senses |= lexicon.words[form].senses
            weight = min(weight, lexicon.words[form].weight)
    if len(senses) > 2 or weight < _ABOUT or any(s.startswith("group") for s in senses):
        yield Word(frozenset(senses), weight)
    elif piece in lexicon.sounds:
        yield lexicon.sounds[piece]
    elif 2 <= len(piece) <= 4 and piece in lexicon.initials:
        heard = lexicon.initials[piece]
        yield Word(heard.senses | senses, heard.weight, heard.sure)
    else:
        yield Word(frozenset(senses), weight)


def _forms(word: str) -> Iterator[str]:
    """The word, and without its ending."""
    yield word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            stem = word.removesuffix(ending)
            yield stem
            yield stem + "e"
            if ending == "ies":
                yield stem + "y"
            return


def shared(a: Sequence[Word], b: Sequence[Word]) -> float:
    """Share of two names that is common, by weight; 1 when they say the same."""
    left = list(b)
    common = total = 0.0
    for word in sorted(a, key=lambda w: -w.weight):
        match = max(
            (o for o in left if o.senses & word.senses), key=lambda o: len(o.senses & word.senses), default=None
        )
        if match is None:
            total += word.weight
            continue
        left.remove(match)
        weight = max(word.weight, match.weight)
        common += weight * word.sure * match.sure
        total += weight
    total += sum(word.weight for word in left)
    return common / total if total else 0.0


def only_sort(words: Sequence[Word]) -> bool:
    """True when a name says what sort of thing it is and not what about: date, name, 编号."""
    return any(w.weight in (_SORT, _CALLED) for w in words) and all(w.weight < _ABOUT for w in words)
