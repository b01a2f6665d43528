"""What every test may use: see tests/services/fixtures.py; what the run says at its end: tests/contracts.py."""

import os

import pytest
import structlog

from tests.services import host
from tests.services.process import die_with_parent

pytest_plugins = ["tests.services.fixtures", "tests.contracts", "tests.skips"]

_host = pytest.StashKey[host.ServiceHost]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also the tests marked 'full': the sizes that the issues name")


def pytest_configure(config: pytest.Config) -> None:
    # Tracebacks without every local variable: printing them takes longer than a test may.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
    if hasattr(config, "workerinput"):
        die_with_parent()
    # The process that pytest was started as holds the services for all of xdist's workers.
    if host.ADDRESS not in os.environ:
        config.stash[_host] = host.ServiceHost()


def pytest_unconfigure(config: pytest.Config) -> None:
    if services := config.stash.get(_host, None):
        services.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--full"):
        too_long = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if not item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=too_long)
