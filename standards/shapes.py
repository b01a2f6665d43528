"""What a value looks like, so that the same mistake is known again in thousands of records.  Pure.

2026年3月5日     9年9月9日            20260305       9{8}
晋A12345        汉A9                 ab12@x         a9@a
"""

from __future__ import annotations

import re
from functools import lru_cache

#: Longer shapes tell nothing more.
LONGEST = 40
#: A run of digits of this length or more keeps its length: it is a number of a certain kind.
_KIND = 6
_RUN = re.compile(
    "(?P<digits>[0-9]+)|(?P<wide>[\uff10-\uff19]+)|(?P<upper>[A-Z]+)|(?P<lower>[a-z]+)"
    "|(?P<han>[\u3400-\u9fff][\u3400-\u9fff，。、；：（）“”《》·]*)|(?P<stars>\\*+)|(?P<blank>\\s+)|(?P<letters>[^\\W\\d_]+)|(?P<other>.)",
    re.DOTALL,
)
#: Han characters that say what the number before them is; they stay.
_UNITS = frozenset("年月日时分秒元角万亿千百个件号")
_HIDDEN = re.compile("[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")


@lru_cache(20_000)
def shape(value: str) -> str:
    """The pattern of a value; empty of an empty one.  No part of the value but signs and units is in it."""
    found = "".join(_told(one) for one in _RUN.finditer(value[: 10 * LONGEST]))
    return found if len(found) <= LONGEST else f"{found[: LONGEST - 1]}…"


def _told(one: re.Match[str]) -> str:
    said, kind = one[0], one.lastgroup
    match kind:
        case "digits":
            return f"9{{{len(said)}}}" if len(said) >= _KIND else "9"
        case "wide":
            return "９"
        case "upper":
            return "A"
        case "lower":
            return "a"
        case "han":
            return said if said in _UNITS else "汉"
        case "stars":
            return "*"
        case "blank":
            return "␣"
        case "letters":
            return "字"
        case _:
            return _HIDDEN.sub("␀", said)
