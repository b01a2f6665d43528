"""A new Debian 12 with nothing but python3: `./run` brings the rest and leaves no service and no trace of its own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.debian_root import DebianRoot
from tests.house.repository import files, name_of
from tests.skips import NO_ROOT

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def machine() -> Iterator[DebianRoot]:
    """With the repository's files under /src, and nothing of what `./run` installs."""
    if os.geteuid() != 0:
        pytest.skip(NO_ROOT)
    with tempfile.TemporaryDirectory(prefix="hub-fresh-") as folder:
        root = DebianRoot(Path(folder), suite="bookworm", packages=("python3",))
        for path in files():
            inside = root.path(f"/src/{name_of(path)}")
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, inside)
        yield root


def test_the_tests_of_the_services_pass_where_nothing_was_installed(machine: DebianRoot) -> None:
    done = machine.run("./run", "test", "tests/services", cwd="/src")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " passed" in done.stdout
    assert not machine.path("/usr/sbin/policy-rc.d").exists()


def test_the_demo_goes_all_the_way_where_nothing_was_installed(machine: DebianRoot) -> None:
    done = machine.run("./run", "demo", "--check", cwd="/src")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
