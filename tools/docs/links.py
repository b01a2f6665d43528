"""Whether what one page points to is there: the file, and the heading in it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
_HEADING = re.compile(r"^#+ +(.+)$", re.M)
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


def broken(root: Path) -> Iterator[str]:
    """Relative links of all Markdown files of the repository that lead nowhere."""
    listed = subprocess.run(
        ["git", "-c", "core.quotePath=off", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    yield from broken_in(root, [name for name in listed.stdout.splitlines() if (root / name).exists()])


def broken_in(root: Path, names: Iterable[str]) -> Iterator[str]:
    """The same for these files."""
    for name in names:
        page = root / name
        for number, line in enumerate(_without_code(page.read_text("utf-8")).splitlines(), 1):
            for target in _LINK.findall(line):
                if "://" in target or target.startswith("mailto:"):
                    continue
                file, _, anchor = target.partition("#")
                there = page.parent / file if file else page
                if not there.exists() or (anchor and anchor not in _anchors(there)):
                    yield f"{name}:{number}: {target}"


def targets(text: str) -> list[str]:
    """Everything that a text links to."""
    return _LINK.findall(_without_code(text))


@cache
def _anchors(page: Path) -> frozenset[str]:
    """The headings of a page as they are linked to."""
    headings = _HEADING.findall(_without_code(page.read_text("utf-8")))
    return frozenset(_NOT_IN_ANCHORS.sub("", heading.lower()).replace(" ", "-") for heading in headings)


def _without_code(text: str) -> str:
    """The text with its blocks of code emptied; lines keep their numbers."""
    return _FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)
