"""The Dockerfile, as far as it can be tried without an engine: read always, carried out in Debian roots by --full."""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.house import image
from tests.house.dockerfile import Dockerfile, NotUnderstood
from tests.house.repository import ROOMS, ROOT, files, name_of
from tests.skips import NO_ROOT


@pytest.fixture(scope="module")
def dockerfile() -> Dockerfile:
    return Dockerfile.parse((ROOT / "Dockerfile").read_text())


def copied_from_context(dockerfile: Dockerfile) -> list[str]:
    return [
        name
        for stage in dockerfile.stages
        for step in stage.all("COPY")
        if "from" not in step.flags
        for name in step.words[:-1]
    ]


def test_an_instruction_that_the_reader_does_not_know_is_refused() -> None:
    with pytest.raises(NotUnderstood, match="line 2: ADD"):
        Dockerfile.parse("FROM python:3.13-slim\nADD http://example.com/x /x\n")


def test_the_reader_joins_lines_and_expands_arguments_in_from() -> None:
    read = Dockerfile.parse(
        "ARG BASE=python:3.13-slim\nFROM ${BASE} AS build\n"
        'RUN one \\\n  # why\n  && two\nFROM build\nHEALTHCHECK --interval=5s \\\n CMD ["a", "b c"]\n'
    )

    assert [(stage.base, stage.name) for stage in read.stages] == [("python:3.13-slim", "build"), ("build", "1")]
    assert read.stages[0].last("RUN").text == "one && two"
    assert read.stages[1].last("HEALTHCHECK").flags == {"interval": "5s"}


def test_the_base_is_a_slim_python_that_we_support(dockerfile: Dockerfile) -> None:
    floor = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]

    for stage in dockerfile.stages:
        version = stage.base.removeprefix("python:").removesuffix("-slim")
        assert stage.base == f"python:{version}-slim"
        assert tuple(map(int, version.split("."))) >= tuple(map(int, floor.removeprefix(">=").split(".")))


def test_everything_that_is_copied_exists_and_reaches_the_engine(dockerfile: Dockerfile) -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    for name in copied_from_context(dockerfile):
        assert (ROOT / name).exists(), name
        assert name in let_through, f"{name} is kept out by .dockerignore"


def test_what_is_installed_is_pinned_by_hashes(dockerfile: Dockerfile) -> None:
    installing = [step.text for step in dockerfile.stages[0].all("RUN") if "pip install" in step.text]

    assert installing
    for text in installing:
        assert "--require-hashes" in text or "--no-deps --no-index" in text, text


def test_the_image_runs_as_an_ordinary_user_and_keeps_its_state_in_a_volume(dockerfile: Dockerfile) -> None:
    final = dockerfile.stages[-1]

    assert final.last("USER").text not in {"", "root", "0"}
    assert final.last("VOLUME").text == final.last("WORKDIR").text
    assert final.all("EXPOSE")
    assert final.all("HEALTHCHECK")


def test_no_secret_is_written_into_the_image(dockerfile: Dockerfile) -> None:
    names = [name for stage in dockerfile.stages for step in stage.all("ENV") for name in step.pairs()]

    assert not [name for name in names if any(word in name for word in ("PASSWORD", "SECRET", "TOKEN", "KEY"))]


def test_the_command_is_a_program_that_the_wheel_brings(dockerfile: Dockerfile) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert dockerfile.stages[-1].last("CMD").words[0] in scripts


def test_a_wheel_built_from_what_is_copied_holds_every_file_of_the_rooms(
    dockerfile: Dockerfile, tmp_path: Path
) -> None:
    context, dist = tmp_path / "context", tmp_path / "dist"
    for path in files(*(f"{name}*" for name in copied_from_context(dockerfile))):
        (context / name_of(path)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, context / name_of(path))

    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)],
        cwd=context,
        capture_output=True,
        text=True,
        check=False,
    )

    assert built.returncode == 0, built.stdout + built.stderr
    inside = set(zipfile.ZipFile(next(dist.glob("*.whl"))).namelist())
    rooms = {name_of(path) for path in files(*(f"{room}/*" for room in ROOMS))}
    assert rooms <= inside, sorted(rooms - inside)


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_the_steps_of_the_image_can_be_done_and_its_command_starts(dockerfile: Dockerfile) -> None:
    if os.geteuid() != 0:
        pytest.skip(NO_ROOT)
    with tempfile.TemporaryDirectory(prefix="hub-image-") as workshop:
        built = image.build(dockerfile, ROOT, Path(workshop))

        program = dockerfile.stages[-1].last("CMD").words[0]
        answer = built.run(program, "--version")
        rooms = built.run("python", "-c", f"import {', '.join(ROOMS)}; print(hub.__file__)")
        may_write = built.run("touch", "state-of-the-hub")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert rooms.stdout.startswith("/opt/hub/"), rooms.stderr
    assert may_write.returncode == 0, may_write.stderr
