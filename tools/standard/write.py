"""Writes the standard as YAML and CSV, always in the same bytes: one line an element, quoted where YAML needs it."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

_PLAIN = re.compile(r"[\w\u3400-\u9fff][\w\u3400-\u9fff ./()（）。、，；：？·“”《》〔〕%+=*;<>≥≤→–—-]*", re.ASCII)


def scalar(text: str, flow: bool = True) -> str:
    """The text as a YAML scalar; in double quotes where a plain one would be read otherwise."""
    plain = _PLAIN.fullmatch(text) and not text.endswith(" ") and (not flow or ": " not in text)
    return text if plain and " #" not in text else json.dumps(text, ensure_ascii=False)


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    return scalar(str(value))


def dataset(words: dict[str, Any]) -> str:
    """A data set: its facts line by line, one line an element, rules as blocks."""
    lines = []
    for word, value in words.items():
        if word == "elements":
            lines += ["elements:", *(f"  - {flow(element)}" for element in value)]
        elif word == "rules":
            lines.append("rules:")
            for rule in value:
                first = "  - "
                for name, text in rule.items():
                    lines.append(f"{first}{name}: {flow(text)}")
                    first = "    "
        else:
            lines.append(f"{word}: {flow(value)}")
    return "\n".join(lines) + "\n"


def elements(words: list[dict[str, Any]], title: str) -> str:
    """A list of elements with a heading comment."""
    return f"# {title}\nelements:\n" + "".join(f"  - {flow(element)}\n" for element in words)


def codes(pairs: list[tuple[str, str]]) -> str:
    """The codes of a list as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("code", "name"))
    writer.writerows(pairs)
    return text.getvalue()


def index(lists: dict[str, dict[str, Any]]) -> str:
    """What is said of each code list besides its codes."""
    order = ("title", "mark", "mark_note", "source", "origin", "adapter_only")
    rows = [f"{name}: {flow({w: held[w] for w in order if w in held})}\n" for name, held in lists.items()]
    return "# Title, mark and source of each code list; the codes are in <id>.csv.\n" + "".join(rows)
