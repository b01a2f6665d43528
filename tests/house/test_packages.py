"""Every folder of modules is a package, and the locks agree with each other and with pyproject.toml."""

import re
import tomllib
from pathlib import Path

from tests.house.repository import ROOMS, ROOT, files, name_of

#: Scripts that alembic loads by itself.
NO_PACKAGE = ("hub/ledger/migrations",)


def pins(lock: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", (ROOT / lock).read_text(), re.M):
        found.setdefault(name, set()).add(version)
    return found


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in files(*(f"{top}/*.py" for top in (*ROOMS, "tests")))}

    without = {name_of(folder) for folder in folders if not (folder / "__init__.py").exists()}
    assert not {name for name in without if not name.startswith(NO_PACKAGE)}


def test_every_module_says_its_subject_in_its_first_line() -> None:
    silent = [
        name_of(path)
        for path in files(*(f"{room}/*.py" for room in ROOMS))
        if path.read_text().strip() and not path.read_text().lstrip().startswith(('"""', 'r"""'))
    ]

    assert not silent, silent


def test_the_development_lock_holds_the_whole_of_the_other_locks() -> None:
    development = pins("requirements-dev.lock")

    for name, versions in pins("requirements.lock").items():
        assert versions <= development.get(name, set()), name
    for name, versions in pins("requirements-build.lock").items():
        assert versions <= development.get(name, versions), name


def test_every_requirement_is_locked_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for lock, requirements in {
        "requirements.lock": project["project"]["dependencies"],
        "requirements-dev.lock": project["dependency-groups"]["dev"],
        "requirements-build.lock": project["dependency-groups"]["build"],
    }.items():
        locked = pins(lock)
        for requirement in requirements:
            name = re.match(r"[A-Za-z0-9._-]+", requirement)
            assert name
            assert name[0].lower().replace("_", "-") in locked, f"{requirement} is not in {lock}: tools/lock"
        text = Path(ROOT / lock).read_text()
        assert len(re.findall(r"^\S+==", text, re.M)) <= text.count("--hash=sha256:")
