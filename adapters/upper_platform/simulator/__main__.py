"""A simulated centre as a process.

    python -m adapters.upper_platform.simulator --url sqlite:////tmp/centre.db --org city:ds_420100_

Prints one line of JSON when it is ready: {"url": …, "database": …}.  Ends with SIGTERM or Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from sqlalchemy.engine import make_url

from adapters.upper_platform.simulator import Faults, Organisation, start
from standards.registry import load


def main(words: list[str] | None = None) -> int:
    """Run until told to end."""
    asked = _arguments().parse_args(words)
    url = _secret(asked.url)
    host, _, port = asked.listen.rpartition(":")
    running = start(
        url,
        organisations=[_organisation(text) for text in asked.org] or [Organisation("city")],
        datasets=asked.dataset,
        standard=load([Path(folder) for folder in asked.site]),
        faults=Faults.of(dict(_switch(text) for text in asked.fault)),
        seed=asked.seed,
        tif={name: _secret(token) for name, token in (t.split("=", 1) for t in asked.tif)},
        sharing={_caller(name): _secret(key) for name, key in (t.split("=", 1) for t in asked.sharing)},
        host=host,
        port=int(port),
        level=asked.level,
        judge_later=asked.later,
        every=asked.every,
        reconcile=asked.reconcile,
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    where = make_url(url).render_as_string(hide_password=True)
    sys.stdout.write(json.dumps({"url": running.url, "database": where}) + "\n")
    sys.stdout.flush()
    stop.wait()
    running.stop()
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulator", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", required=True, help="SQLAlchemy URL of its database, or env:NAME, file:/path")
    parser.add_argument("--org", action="append", default=[], help="organisation NAME, or NAME:PREFIX of its tables")
    parser.add_argument("--dataset", action="append", default=[], help="data set it takes; none given: all")
    parser.add_argument("--site", action="append", default=[], help="folder with own standards, as in hub.toml")
    parser.add_argument(
        "--listen", default="127.0.0.1:0", help="HOST:PORT of its HTTP service; port 0 takes a free one"
    )
    parser.add_argument("--level", default="province", choices=("city", "province", "nation"))
    parser.add_argument("--later", action="store_true", help="judge parcels later, not with the answer")
    parser.add_argument("--reconcile", action="store_true", help="once a day report the day before (dn_ table)")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two looks into the tables")
    parser.add_argument("--tif", action="append", default=[], help="x-tif caller PAASID=env:TOKEN")
    parser.add_argument("--sharing", action="append", default=[], help="sharing platform caller RID/SID=env:APP_KEY")
    parser.add_argument("--fault", action="append", default=[], help="switch NAME=VALUE, such as wrong=0.01")
    parser.add_argument("--seed", type=int, default=1, help="of its chances")
    return parser


def _organisation(text: str) -> Organisation:
    name, colon, prefix = text.partition(":")
    return Organisation(name, prefix if colon else None)


def _caller(text: str) -> tuple[str, str]:
    rid, _, sid = text.partition("/")
    return rid, sid


def _switch(text: str) -> tuple[str, float | bool]:
    name, _, value = text.partition("=")
    return name, value == "true" if value in ("true", "false") else float(value)


def _secret(text: str) -> str:
    if text.startswith("env:"):
        return os.environ[text.removeprefix("env:")]
    if text.startswith("file:"):
        return Path(text.removeprefix("file:")).read_text("utf-8").strip()
    return text


if __name__ == "__main__":
    sys.exit(main())
