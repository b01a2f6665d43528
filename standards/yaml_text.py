"""YAML read as text only (a code `01` stays `01`), with the line of every value."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

_Loader: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

Path = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one file."""

    file: str
    line: int
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" + (f" ({self.hint})" if self.hint else "")


@dataclass(slots=True)
class Document:
    """A parsed file: plain values, and where each stands."""

    file: str
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of the value at `path`, or of its nearest parent."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def complain(self, path: Path, what: str, hint: str = "") -> None:
        """Note a mistake at `path`."""
        self.problems.append(Problem(self.file, self.line(path), what, hint))


def read(text: str, file: str) -> Document:
    """Parse; mistakes of YAML itself are in `problems`."""
    document = Document(file)
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        document.problems.append(
            Problem(file, mark.line + 1 if mark else 1, f"not YAML: {getattr(error, 'problem', None) or error}")
        )
        return document
    if node is None:
        document.problems.append(Problem(file, 1, "the file is empty"))
        return document
    document.value = _build(node, (), document)
    return document


def _build(node: yaml.Node, path: Path, document: Document) -> Any:
    document.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            if key in result:
                document.problems.append(Problem(document.file, key_node.start_mark.line + 1, f"{key} stands twice"))
            result[key] = _build(value_node, (*path, key), document)
            document.lines[(*path, key)] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*path, i), document) for i, child in enumerate(node.value)]
    return node.value


def validate(document: Document, model: type[Model]) -> Model | None:
    """The document as a model, or None with every mistake noted in `document.problems`."""
    if document.value is None:
        return None
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        for one in error.errors():
            path = tuple(part for part in one["loc"])
            if one["type"] == "extra_forbidden":
                name = str(path[-1])
                near = get_close_matches(name, words_at(model, path[:-1]), 1)
                document.complain(path, f"unknown word {name}", f"did you mean {near[0]}?" if near else "")
            else:
                where = ".".join(str(part) for part in path)
                document.complain(path, f"{where}: {one['msg'].removeprefix('Value error, ')}")
        return None


def words_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The words a model knows at a path, as well as can be told; for near names only."""
    words = {f.alias or n for n, f in model.model_fields.items()}
    for part in path:
        found = model.model_fields.get(str(part))
        inner = _inner_model(found.annotation) if found else None
        if inner is not None:
            model = inner
            words = {f.alias or n for n, f in model.model_fields.items()}
    return sorted(words)


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := _inner_model(argument):
            return found
    return None
