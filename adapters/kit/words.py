"""Settings models walked word by word, and what may be wrong with how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from adapters.base import AdapterSettings

_SECRET = re.compile(r"(^|_)(password|secret|token|key|passphrase)$")


def parts(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The models that stand in the words of a model, each with the word (with `<name>` where names are free)."""
    for name, field in model.model_fields.items():
        for inner, free in _models(field.annotation):
            yield f"{name}{free}", inner


def _models(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, ""
    elif origin is dict:
        for model, _ in _models(arguments[1]):
            yield model, ".<name>"
    elif origin is tuple:
        for model, _ in _models(arguments[0]):
            yield model, "[]"
    elif origin in (Annotated, Union, UnionType):
        for argument in arguments:
            yield from _models(argument)


def every_word(model: type[BaseModel], head: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every word of a model and of the models within it, by where it stands."""
    for name, field in model.model_fields.items():
        yield f"{head}{field.alias or name}", field
    for name, inner in parts(model):
        yield from every_word(inner, f"{head}{name}.")


def faults_of(model: type[BaseModel]) -> list[str]:
    """What is wrong with a settings model: words nobody explained, secrets with a default, unknown words let pass."""
    faults = []
    if not issubclass(model, AdapterSettings):
        faults.append(f"{model.__name__} 未继承 AdapterSettings is no AdapterSettings")
    elif model.model_config.get("extra") != "forbid":
        faults.append(f"{model.__name__} 放过了未知项 lets unknown words pass")
    for word, field in every_word(model):
        if not field.description:
            faults.append(f"{word} 没有说明 has no description")
        if _SECRET.search(word) and not field.is_required() and field.get_default(call_default_factory=True):
            faults.append(f"{word} 是密钥，不得有缺省值 is a secret and has a default")
    return faults
