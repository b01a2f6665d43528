"""`python -m tools.docs [--check]`: make the reference pages, or say which are not as the code is; check all links."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.docs import links
from tools.docs.pages import pages

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


def main(words: list[str]) -> int:
    """0 when all is well, 1 when a page is stale or a link broken, 2 when used wrongly."""
    if words not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    made = pages()
    there = {str(p.relative_to(REFERENCE)): p for p in REFERENCE.rglob("*.md")}
    stale = [name for name, text in made.items() if name not in there or there[name].read_text("utf-8") != text]
    gone = [name for name in there if name not in made]
    if words:
        for name in stale + gone:
            print(f"docs/reference/{name}: 与代码不符，请运行 ./run docs · not as the code is; run ./run docs")
    else:
        for name in stale:
            path = REFERENCE / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[name], "utf-8")
        for name in gone:
            there[name].unlink()
        print(f"docs/reference: {len(made)} 页，更新 {len(stale)} 页 · {len(made)} pages, {len(stale)} changed")
    bad = list(links.broken(ROOT))
    for link in bad:
        print(f"{link}: 链接无效 · leads nowhere")
    return 1 if bad or (words and (stale or gone)) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
