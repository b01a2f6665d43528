"""Mistakes of settings as they are gathered: each with its line and the near name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from hub.config import line_of
from hub.settings import Settings
from standards.identifiers import check_uscc, uscc_check_character
from standards.yaml_text import Problem

#: Where a word stands in the settings.
Path = tuple[str | int, ...]


class Complaints:
    """The mistakes of one settings file."""

    def __init__(self, settings: Settings, text: str, name: str) -> None:
        self.settings = settings
        self.text = text
        self.name = name
        self.problems: list[Problem] = []

    def complain(self, path: Path, what: str, hint: str = "") -> None:
        """One more mistake, at the line of a word."""
        self.problems.append(Problem(self.name, line_of(self.text, path), what, hint))

    def one_of(self, path: Path, what: str, value: str, known: Iterable[str]) -> bool:
        """True when a name is known; else it is told with the near one."""
        names = list(known)
        if value in names:
            return True
        near = get_close_matches(value, names, 1, 0.5)
        self.complain(
            path, f"no {what} {value}", f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
        )
        return False

    def organisation(self, path: Path, code: str) -> None:
        """Who reports is written into every record: a wrong code would be refused above, record by record."""
        hints = {
            "format": "it has 18 digits and capital letters, none of I O S V Z",
            "uscc": f"for its first 17 characters the last one is {uscc_check_character(code[:17])}",
            "region_part": "its characters 3 to 8 are the division where it was registered",
        }
        wrong = check_uscc(code)
        if wrong in hints:
            self.complain(path, f"{'.'.join(map(str, path))}: {code} is no unified social credit code", hints[wrong])
