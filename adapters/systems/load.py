"""Finding and reading the definitions of systems."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from pathlib import Path

from adapters.systems.definition import System
from standards import yaml_text
from standards.errors import BadConfiguration, UnknownName

FOLDER = Path(__file__).parent


def system_names() -> list[str]:
    """Every system there is."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def load_system(name: str) -> System:
    """A system by name.  Raises UnknownName with the near name, BadConfiguration with every mistake."""
    path = FOLDER / f"{name}.yaml"
    if name not in system_names():
        near = get_close_matches(name, system_names(), 1, 0.5)
        raise UnknownName(
            f"no system {name}",
            what_zh=f"没有名为 {name} 的系统",
            hint=f"did you mean {near[0]}?" if near else f"there are: {', '.join(system_names())}",
        )
    document = yaml_text.read(path.read_text("utf-8"), path.name)
    made = yaml_text.validate(document, System)
    if made is None or document.problems:
        raise BadConfiguration(f"{path.name} is wrong: " + "; ".join(map(str, document.problems)))
    return made


def systems() -> list[System]:
    """All of them."""
    return [load_system(name) for name in system_names()]
