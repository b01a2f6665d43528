"""promtool of Debian's package `prometheus`: what Prometheus itself says of metrics and rules."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


class PromtoolSaysNo(AssertionError):
    """What promtool found wrong, in its words."""


def promtool(*words: str | Path, given: bytes = b"") -> str:
    """Run it; what it said.  Fails when it is not there, or when it found something."""
    program = shutil.which("promtool")
    assert program is not None, "no promtool: apt-get install --no-install-recommends prometheus (./run setup does it)"
    done = subprocess.run([program, *map(str, words)], input=given, capture_output=True, timeout=60, check=False)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    if done.returncode:
        raise PromtoolSaysNo(said)
    return said
