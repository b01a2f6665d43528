"""A pytest plugin that writes down which conformance suites ran and how: read by `hub adapter test`.

python -m pytest -p adapters.conformance.report --conformance-report FILE …
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.conformance import DestinationConformance, SourceConformance

_SUITES = {"destination": DestinationConformance, "source": SourceConformance}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write."""
    parser.addoption("--conformance-report", default="", help="write the outcome of every test here, as JSON")


class _Outcomes:
    """Collects one line for each test."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tests: dict[str, dict[str, Any]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Any:
        report = yield
        line = self._tests.setdefault(item.nodeid, {"test": item.nodeid, "suite": _suite_of(item), "outcome": "passed"})
        if report.outcome != "passed" and line["outcome"] == "passed":
            line["outcome"] = "failed" if report.failed else "skipped"
            line["why"] = str(report.longrepr)[-2000:]
        return report

    def pytest_sessionfinish(self) -> None:
        self._path.write_text(json.dumps(list(self._tests.values()), ensure_ascii=False), "utf-8")


def _suite_of(item: pytest.Item) -> str:
    """The suite that a test was inherited from; '' for a test of the package's own."""
    cls = getattr(item, "cls", None)
    name = getattr(item, "originalname", item.name)
    if cls is None:
        return ""
    return next((suite for suite, base in _SUITES.items() if issubclass(cls, base) and hasattr(base, name)), "")


def pytest_configure(config: pytest.Config) -> None:
    """Only when somebody wants to read it."""
    if path := config.getoption("--conformance-report"):
        config.pluginmanager.register(_Outcomes(Path(path)))
