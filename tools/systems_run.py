"""`python -m tools.systems_run [--full]`: run the tests of the named systems and write what they came to.

docs/systems.md shows docs/systems-run.json; `./run docs` afterwards brings it up to date.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from lxml import etree

from standards.clock import SystemClock, local

ROOT = Path(__file__).resolve().parents[1]
_FEED = re.compile(r"\[([a-z0-9_]+)-(.+)\]$")


def main(words: list[str]) -> int:
    """What pytest said."""
    full = "--full" in words
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "tests/systems", f"--junitxml={report}"]
        ended = subprocess.run([*command, *(["--full"] if full else [])], cwd=ROOT, check=False)
        cases = list(etree.parse(report).iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    feeds: dict[str, str] = {}
    for case in cases:
        found = _FEED.search(case.get("name", ""))
        if "test_feeds" in case.get("classname", "") and found:
            feeds[f"{found[1]}/{found[2]}"] = "失败 failed" if case in failed else "通过 passed"
    told = {
        "date": local(SystemClock().now()).date().isoformat(),
        "size": "full" if full else "short",
        "tests": len(cases),
        "passed": len(cases) - len(failed),
        "feeds": dict(sorted(feeds.items())),
    }
    (ROOT / "docs" / "systems-run.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
