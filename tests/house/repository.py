"""The files of the repository: those that git has or would take."""

import subprocess
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: The rooms and what stands beside them on top.
ROOMS = ("standards", "mappings", "adapters", "hub", "monitor", "demo")


def files(*patterns: str) -> list[Path]:
    """Every file that is committed or could be, by patterns on its path; all of them without a pattern."""
    found = _by_git()
    names = sorted(_by_walking() if found is None else found)
    return [ROOT / name for name in names if not patterns or any(fnmatch(name, pattern) for pattern in patterns)]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _by_git() -> list[str] | None:
    """None outside a clone (an unpacked archive) or where git is not installed."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        top = subprocess.run(
            ["git", "rev-parse", "--show-toplevel"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    if Path(top.stdout.strip()).resolve() != ROOT:
        return None
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def _by_walking() -> list[str]:
    ignored = [line.strip().strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.strip()]
    ignored.append(".git")
    names: list[str] = []
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if path.is_file() and not any(fnmatch(part, pattern) for part in parts for pattern in ignored):
            names.append(path.relative_to(ROOT).as_posix())
    return names
