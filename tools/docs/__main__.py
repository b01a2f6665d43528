"""`python -m tools.docs [--check] [--real]`: make the pages that come from the code, and check all links.

--check  write nothing; say which pages are not as the code is
--real   also make docs/real-input.md from the shared data (minutes); refused where there are none
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.docs import links
from tools.docs.pages import pages

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_MADE = ("reference", "adapters")


def main(words: list[str], folder: Path = DOCS) -> int:
    """0 when all is well, 1 when a page is stale or a link broken, 2 when used wrongly."""
    if not {"--check", "--real"} >= set(words):
        print(__doc__, file=sys.stderr)
        return 2
    if "--real" in words:
        ended = subprocess.run([sys.executable, "-m", "tools.real_input"], cwd=ROOT, check=False)
        if ended.returncode:
            return ended.returncode
    made = pages()
    stale = [name for name, text in made.items() if _text(folder / name) != text]
    gone = [name for name in _there(folder) if name not in made]
    if "--check" in words:
        for name in stale + gone:
            print(f"docs/{name}: 与代码不符，请运行 ./run docs · not as the code is; run ./run docs")
    else:
        _write(folder, {name: made[name] for name in stale}, gone)
        print(f"docs: {len(made)} 页，更新 {len(stale)} 页 · {len(made)} pages, {len(stale)} changed")
    bad = list(links.broken(ROOT))
    for link in bad:
        print(f"{link}: 链接无效 · leads nowhere")
    return 1 if bad or ("--check" in words and (stale or gone)) else 0


def _there(folder: Path) -> list[str]:
    """Pages under `reference/` and `adapters/`: all of them come from the code."""
    return [path.relative_to(folder).as_posix() for made in _MADE for path in (folder / made).rglob("*.md")]


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def _write(folder: Path, made: dict[str, str], gone: list[str]) -> None:
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for name in gone:
        (folder / name).unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
