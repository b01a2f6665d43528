"""A hub with a connection for each real input."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.bootstrap import Hub
from tools.real.running import hub_for


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One for all tests of a module."""
    with hub_for(tmp_path_factory.mktemp("real")) as hub:
        yield hub
