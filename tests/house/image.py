"""Does what a Dockerfile says, step by step, in Debian roots instead of an engine."""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.house.debian_root import DebianRoot
from tests.house.dockerfile import Dockerfile, Instruction, Stage, expand

#: The Debian that has the Python of a base image.
SUITES = {"python:3.11": "bookworm", "python:3.13": "trixie"}
PACKAGES = ("python3", "python3-venv")
#: The PATH of the official images.
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Built:
    root: DebianRoot
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    cwd: str = "/"
    user: str = "root"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.root.run(*words, cwd=self.cwd, env=self.env, user=self.user)


def build(dockerfile: Dockerfile, context: Path, workshop: Path) -> Built:
    """Every stage in its own root; the last one is the image.  Raises AssertionError with the step that failed."""
    stages: dict[str, Built] = {}
    for number, stage in enumerate(dockerfile.stages):
        built = Built(root=_base(stage, workshop / str(number)))
        for step in stage.steps:
            _do(step, built, context, stages)
        stages[stage.name] = built
    return built


def _base(stage: Stage, folder: Path) -> DebianRoot:
    suite = next(suite for base, suite in SUITES.items() if stage.base.startswith(base))
    root = DebianRoot(folder, suite=suite, packages=PACKAGES)
    # The official images call it python; Debian does not.
    root.path("/usr/local/bin/python").symlink_to("/usr/bin/python3")
    return root


def _do(step: Instruction, built: Built, context: Path, stages: dict[str, Built]) -> None:
    match step.name:
        case "ENV" | "ARG":
            built.env |= {name: expand(value, built.env) for name, value in step.pairs().items()}
        case "WORKDIR":
            built.cwd = step.text
            built.root.path(step.text).mkdir(parents=True, exist_ok=True)
        case "USER":
            built.user = f"{step.text}:{step.text}"
        case "COPY":
            source = stages[step.flags["from"]].root.folder if "from" in step.flags else context
            _copy(step.words, source, built)
        case "RUN":
            words = step.words if step.is_exec else ["/bin/sh", "-c", step.text]
            done = built.run(*words)
            assert done.returncode == 0, f"line {step.line}: {step.text}\n{(done.stdout + done.stderr)[-3000:]}"


def _copy(words: list[str], source: Path, built: Built) -> None:
    *names, target = words
    into = built.root.path(target if target.startswith("/") else f"{built.cwd}/{target}")
    for name in names:
        path = source / name.lstrip("/")
        if path.is_dir():
            shutil.copytree(path, into, symlinks=True, dirs_exist_ok=True)
        else:
            into.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, into)
