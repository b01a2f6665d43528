"""Logs: an event a line, with fields; ids and counts, never content.  JSON when nobody sits in front of it.

Errors of foreign libraries carry values in their texts (`could not convert '…'`, the parameters of a statement): only
their kind and place are told.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Any, TextIO

import structlog

from standards.errors import HubError


def configure(*, json: bool | None = None, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send logs to standard error, or to a stream."""
    stream = stream or sys.stderr
    as_json = not stream.isatty() if json is None else json
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _told_without_content,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Foreign("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # what matters is told by the broker in our words


class Foreign(logging.Formatter):
    """Lines of foreign libraries; of their errors the kind and the places only."""

    def formatException(self, ei: tuple[Any, ...]) -> str:
        """The error without its text."""
        return "\n".join(_lines(ei[1], set())) if isinstance(ei[1], BaseException) else ""


def kind_and_place(error: BaseException) -> str:
    """What kind of error it is and where it was raised: all that may be told of a foreign one."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {_short(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _told_without_content(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()[1]
    elif isinstance(found, tuple):
        found = found[1]
    if isinstance(found, BaseException):
        event["exception"] = "\n".join(_lines(found, set()))
    return event


def _lines(error: BaseException, seen: set[int]) -> list[str]:
    """The error and what caused it, the first cause first."""
    seen.add(id(error))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines = [*_lines(cause, seen), "which led to"] if cause is not None and id(cause) not in seen else []
    said = f": {error}" if isinstance(error, HubError) else ""
    return [*lines, *_frames(error.__traceback__), f"{type(error).__module__}.{type(error).__qualname__}{said}"]


def _frames(where: TracebackType | None) -> list[str]:
    return [f"  {_short(one.filename)}:{one.lineno} in {one.name}" for one in traceback.extract_tb(where)]


def _short(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-3:])
