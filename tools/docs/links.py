"""Whether what one page points to is there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def broken(root: Path) -> Iterator[str]:
    """Relative links of all Markdown files of the repository that lead nowhere."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        page = root / name
        if not page.exists():
            continue
        for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
            for target in _LINK.findall(line):
                if "://" in target or target.startswith(("#", "mailto:")):
                    continue
                if not (page.parent / target.partition("#")[0]).exists():
                    yield f"{name}:{number}: {target}"
