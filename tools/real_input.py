"""`python -m tools.real_input [folder]`: take the real files through a hub and write docs/real-input.md.

The folder is that of the shared data: HUB_SHARED_DATA, or ../shared/data.  Exit codes: 0 as expected, 1 not, 2 no data.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from standards.ports import ReceiptView
from tools.real.expected import REAL, RealInput
from tools.real.running import hand_over, hub_for

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "real-input.md"
_COMMONEST = 5


def run(root: Path) -> list[tuple[RealInput, ReceiptView]]:
    """Every real input and its receipt."""
    with tempfile.TemporaryDirectory() as folder, hub_for(Path(folder)) as hub:
        return [(one, hand_over(hub, one, one.data(root))) for one in REAL]


def share(view: ReceiptView) -> float:
    """Accepted of what was read; what is there already counts as accepted."""
    return (view.accepted + view.duplicate) / view.read if view.read else 0.0


def is_as_expected(one: RealInput, view: ReceiptView) -> bool:
    """Whether the share lies where it was expected beforehand."""
    return one.at_least <= share(view) <= one.at_most


def page(results: Sequence[tuple[RealInput, ReceiptView]]) -> str:
    """The page."""
    return "\n".join(_page(results)) + "\n"


def _page(results: Sequence[tuple[RealInput, ReceiptView]]) -> Iterator[str]:
    yield "<!-- made by python -m tools.real_input; change the mappings, not this page -->"
    yield ""
    yield "# 真实数据走完全程 · real files on the road"
    yield ""
    yield "公开的真实文件，未作修改，经过与业务数据完全相同的路。应通过的比例在运行之前写在"
    yield "[tools/real/expected.py](../tools/real/expected.py)。缺少必填项就是问题，枢纽不编造任何值。"
    yield ""
    yield "Real files as they were published, on the same road as everything else. The share that should be"
    yield "accepted was stated beforehand. A must-element that is missing is a finding; the hub invents nothing."
    yield ""
    heads = ("文件 file", "映射 mapping", "读取 read", "通过 accepted", "挂起 held", "退回 rejected", "重复 duplicate")
    yield f"| {' | '.join(heads)} | 预期 expected |"
    yield "|---|---|---|---|---|---|---|---|"
    for one, view in results:
        mark = "✓" if is_as_expected(one, view) else "✗"
        yield (
            f"| [{one.name}](#{one.name}) | `{one.mapping}` | {view.read} | {view.accepted} | {view.held} | "
            f"{view.rejected} | {view.duplicate} | {one.at_least:.0%}–{one.at_most:.0%} {mark} |"
        )
    for one, view in results:
        yield from _section(one, view.document)


def _section(one: RealInput, document: Any) -> Iterator[str]:
    yield ""
    yield f"## {one.name}"
    yield ""
    read = " ".join(word for word in (document["file"]["format"], document["file"]["encoding"]) if word)
    yield f"{'、'.join(f'`{file}`' for file in one.files)}（{read}）"
    yield ""
    yield f"预期：{one.why_zh}。Expected: {one.why_en}."
    yield ""
    if document["commonest"]:
        yield "| 最常见的问题 commonest findings | 条数 records |"
        yield "|---|---|"
        for told in document["commonest"][:_COMMONEST]:
            said = told["example"]
            yield f"| `{told['code']}` {_cell(said['text'])}<br>{_cell(said['text_en'])} | {told['count']} |"
        yield ""
    yield f"怎么办：{one.do_zh} What to do: {one.do_en}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main(words: list[str]) -> int:
    """See the first line."""
    given = words[0] if words else os.environ.get("HUB_SHARED_DATA", "")
    root = Path(given) if given else ROOT.parent / "shared" / "data"
    if not root.is_dir():
        print(f"没有真实数据 no shared data: {root}", file=sys.stderr)
        return 2
    results = run(root)
    PAGE.write_text(page(results), "utf-8")
    for one, view in results:
        mark = "✓" if is_as_expected(one, view) else "✗"
        print(f"{mark} {one.name}: {view.read} = {view.accepted} + {view.held} + {view.rejected} + {view.duplicate}")
    return 0 if all(is_as_expected(one, view) for one, view in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
