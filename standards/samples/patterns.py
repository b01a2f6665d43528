"""A text that matches a simple regular expression: literals, classes, groups with alternatives, and quantifiers."""

from __future__ import annotations

from random import Random

_CLASSES = {"d": "0123456789", "w": "abcdefghijklmnopqrstuvwxyz0123456789", "s": " "}
#: How often `*` and `+` repeat at most.
_MANY = 3


class NotSimple(ValueError):
    """The expression has a part that this maker does not know."""


def matching(pattern: str, random: Random) -> str:
    """A text that the pattern matches as a whole.  Raises NotSimple for what is beyond it."""
    maker = _Maker(pattern, random)
    made = maker.alternatives()
    if maker.rest():
        raise NotSimple(pattern)
    return made


class _Maker:
    def __init__(self, pattern: str, random: Random) -> None:
        self._pattern = pattern
        self._at = 0
        self._random = random

    def rest(self) -> str:
        return self._pattern[self._at :]

    def alternatives(self) -> str:
        """One of the branches, made."""
        made = [self._sequence()]
        while self.rest().startswith("|"):
            self._at += 1
            made.append(self._sequence())
        return self._random.choice(made)

    def _sequence(self) -> str:
        made = []
        while self.rest() and self.rest()[0] not in "|)":
            start = self._at
            self._atom()
            end = self._at
            for _ in range(self._times()):
                after, self._at = self._at, start
                made.append(self._atom())
                assert self._at == end
                self._at = after
        return "".join(made)

    def _atom(self) -> str:
        letter = self._next()
        if letter == "(":
            if self.rest().startswith("?:"):
                self._at += 2
            made = self.alternatives()
            if self._next() != ")":
                raise NotSimple(self._pattern)
            return made
        if letter == "[":
            return self._random.choice(self._class())
        if letter == "\\":
            escaped = self._next()
            if escaped.isalpha() and escaped not in _CLASSES:
                raise NotSimple(self._pattern)
            return self._random.choice(_CLASSES.get(escaped, escaped))
        if letter in "^$.*+?{":
            raise NotSimple(self._pattern)
        return letter

    def _class(self) -> str:
        letters = ""
        while (letter := self._next()) != "]":
            if letter == "^" and not letters:
                raise NotSimple(self._pattern)
            if letter == "\\":
                escaped = self._next()
                letters += _CLASSES.get(escaped, escaped)
            elif letter == "-" and letters and not self.rest().startswith("]"):
                letters += "".join(map(chr, range(ord(letters[-1]) + 1, ord(self._next()) + 1)))
            else:
                letters += letter
        return letters

    def _times(self) -> int:
        sign = self.rest()[:1]
        if sign in ("?", "*", "+"):
            self._at += 1
            low, high = {"?": (0, 1), "*": (0, _MANY), "+": (1, _MANY)}[sign]
            return self._random.randint(low, high)
        if sign != "{":
            return 1
        inner, closed, _ = self.rest()[1:].partition("}")
        self._at += len(inner) + 2
        first, comma, last = inner.partition(",")
        if not closed or not first.isdigit() or (last and not last.isdigit()):
            raise NotSimple(self._pattern)
        high = int(last) if last else int(first) + (_MANY if comma else 0)
        return self._random.randint(int(first), high)

    def _next(self) -> str:
        if self._at >= len(self._pattern):
            raise NotSimple(self._pattern)
        self._at += 1
        return self._pattern[self._at - 1]
