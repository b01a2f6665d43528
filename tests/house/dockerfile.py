"""A small reader of Dockerfiles: instructions with their flags and words; what it does not know, it refuses."""

import json
import re
import shlex
from dataclasses import dataclass
from typing import Self

KNOWN = {
    *("ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"),
    *("RUN", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}


class NotUnderstood(Exception):
    """An instruction that this reader does not know, with its line."""


@dataclass(frozen=True, kw_only=True)
class Instruction:
    name: str
    #: What stands after the name and its flags.
    text: str
    flags: dict[str, str]
    line: int

    @property
    def words(self) -> list[str]:
        """The exec form's words, or the text's as a shell would part them."""
        if self.is_exec:
            return list(map(str, json.loads(self.text)))
        return shlex.split(self.text)

    @property
    def is_exec(self) -> bool:
        return self.text.startswith("[")

    def pairs(self) -> dict[str, str]:
        """`ENV a=1 b=2` and `ARG a=1` as a dict; an ARG without a value has none."""
        return dict(word.split("=", 1) for word in self.words if "=" in word)


@dataclass(frozen=True, kw_only=True)
class Stage:
    base: str
    name: str
    steps: tuple[Instruction, ...]

    def all(self, name: str) -> list[Instruction]:
        return [step for step in self.steps if step.name == name]

    def last(self, name: str) -> Instruction:
        return self.all(name)[-1]


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    stages: tuple[Stage, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        arguments: dict[str, str] = {}
        stages: list[Stage] = []
        for step in _instructions(text):
            if step.name == "FROM":
                base, _, name = expand(step.text, arguments).partition(" AS ")
                stages.append(Stage(base=base.strip(), name=name.strip() or str(len(stages)), steps=()))
            elif not stages:
                arguments |= step.pairs()
            else:
                last = stages.pop()
                stages.append(Stage(base=last.base, name=last.name, steps=(*last.steps, step)))
        return cls(stages=tuple(stages))


def expand(text: str, variables: dict[str, str]) -> str:
    """`${NAME}` and `$NAME`, empty when unknown, as the builder does."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: variables.get(match[1] or match[2], ""), text)


def _instructions(text: str) -> list[Instruction]:
    found: list[Instruction] = []
    pending, began = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#") or (not pending and not line.strip()):
            continue
        began = began if pending else number
        pending += line.rstrip()
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        found.append(_instruction(pending.strip(), began))
        pending = ""
    return found


def _instruction(text: str, line: int) -> Instruction:
    name, _, rest = text.partition(" ")
    if name not in KNOWN:
        raise NotUnderstood(f"line {line}: {name}")
    flags: dict[str, str] = {}
    rest = rest.strip()
    while match := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
        flags[match[1]] = match[2]
        rest = rest[match.end() :]
    return Instruction(name=name, text=re.sub(r"\s+", " ", rest), flags=flags, line=line)
