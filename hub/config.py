"""Reading hub.toml: every mistake at once, with line and near name; secrets fetched from where they are kept."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub.settings import Settings
from standards.errors import BadConfiguration
from standards.yaml_text import Problem, words_at

ENV_PREFIX = "HUB_"


def load(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read a settings file; HUB_SECTION__WORD in the environment wins over the file.

    Raises BadConfiguration with every mistake.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise BadConfiguration(
            f"cannot read {path}: {error.strerror}",
            what_zh=f"无法读取配置文件 {path}",
            hint="name it by --config or HUB_CONFIG; docs/examples/first-record/hub.toml is one to begin with",
            hint_zh="请用 --config 或环境变量 HUB_CONFIG 指明；可从 docs/examples/first-record/hub.toml 开始",
        ) from error
    return parse(text, path.name, os.environ if environment is None else environment)


def parse(text: str, name: str, environment: Mapping[str, str] | None = None) -> Settings:
    """Read settings from text."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration(f"{name}: not TOML: {error}", what_zh=f"{name} 不是有效的 TOML：{error}") from error
    _override(values, environment or {})
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = [_problem(one, text, name) for one in error.errors()]
    raise mistakes(problems, name)


def mistakes(problems: list[Problem], name: str) -> BadConfiguration:
    """One error that tells them all."""
    told = "\n".join(str(p) for p in problems)
    return BadConfiguration(
        f"{name}: {len(problems)} mistake(s)\n{told}", what_zh=f"{name} 有 {len(problems)} 处错误\n{told}"
    )


def _override(values: dict[str, Any], environment: Mapping[str, str]) -> None:
    for key, value in environment.items():
        if not key.startswith(ENV_PREFIX) or "__" not in key:
            continue
        *path, last = key.removeprefix(ENV_PREFIX).lower().split("__")
        if path[0] not in Settings.model_fields:
            continue
        place: dict[str, Any] = values
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value


def _problem(error: Any, text: str, name: str) -> Problem:
    path = tuple(error["loc"])
    line = line_of(text, path)
    where = ".".join(str(p) for p in path)
    if error["type"] == "extra_forbidden":
        near = get_close_matches(str(path[-1]), words_at(Settings, path[:-1]), 1)
        return Problem(name, line, f"unknown word {where}", f"did you mean {near[0]}?" if near else "")
    if error["type"] == "missing":
        return Problem(name, line, f"{where} is missing")
    return Problem(name, line, f"{where}: {error['msg'].removeprefix('Value error, ')}")


def line_of(text: str, path: tuple[str | int, ...]) -> int:
    """The line of a TOML value, or of the table it belongs to; 1 when it cannot be told."""
    names = [p for p in path if isinstance(p, str)]
    numbers = [p for p in path if isinstance(p, int)]
    table: list[str] = []
    tables_seen: dict[str, int] = {}
    best = 1
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?", line):
            table = [part.strip().strip('"') for part in found[1].split(".")]
            dotted = ".".join(table)
            tables_seen[dotted] = tables_seen.get(dotted, -1) + 1
            if table == names[: len(table)] and (not numbers or tables_seen[dotted] == numbers[0]):
                best = number
        elif found := re.match(r'^\s*"?([\w.-]+)"?\s*=', line):
            whole = [*table, *found[1].split(".")]
            right_one = not numbers or tables_seen.get(".".join(table), 0) == numbers[0]
            if whole == names[: len(whole)] and right_one:
                best = number
    return best


def secret(reference: str) -> str:
    """Fetch a secret from the environment or a file; raises BadConfiguration when it is not there."""
    kind, _, where = reference.partition(":")
    if kind == "env":
        value = os.environ.get(where)
        if not value:
            raise BadConfiguration(f"the secret {where} is not in the environment", what_zh=f"环境变量 {where} 未设置")
        return value
    try:
        return Path(where).read_text("utf-8").strip()
    except OSError as error:
        raise BadConfiguration(
            f"the secret file {where} cannot be read: {error.strerror}", what_zh=f"无法读取密钥文件 {where}"
        ) from error
