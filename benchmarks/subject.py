"""The file of one subject (一户一档) among a million records: how long until it is answered.

`./run bench subject [records]`: around the credit codes and names of the registry rows of the shared data, else made
ones: one registry record, penalties and licences for each firm.  One process, SQLite with its defaults.
"""

from __future__ import annotations

import csv
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from hub.bootstrap import Hub, build, prepare
from standards.identifiers import check_uscc, make_uscc
from standards.ports import HandOver
from standards.registry import built_in
from standards.samples import valid_records

CONFIG = """
[hub]
name = "bench"
title = "bench"
level = "city"
region = "140200"
code = "11140200E9QM7HGU4X"

[ledger]
url = "{ledger}"

[parties.registry]
title = "市场监督管理局"
code = "111402001D22DR363Y"

[parties.ecology]
title = "市生态环境局"
code = "11140200A4L2GB1F45"

[connections.objects]
party = "registry"
dataset = "supervise_object"

[connections.penalties]
party = "ecology"
dataset = "punish_action"

[connections.licences]
party = "registry"
dataset = "credit_license"
"""
#: Records of one firm: one of the registry, the rest penalties and licences.
_EACH = 20
_FILE = 50_000
_ASKED = 300


def firms(count: int) -> list[tuple[str, str]]:
    """Credit codes and names: the real registry first."""
    found: dict[str, str] = {}
    folder = Path(os.environ.get("HUB_SHARED_DATA", "../shared/data")) / "enterprise_cn"
    for path in sorted(folder.glob("*.csv")):
        for row in csv.DictReader(io.StringIO(path.read_text("utf-8"))):
            code = row["统一社会信用代码"].strip()
            if check_uscc(code) is None:
                found[code] = row["企业名称"]
    random = Random(7)
    while len(found) < count:
        found[make_uscc(random, "140200")] = f"大同市第{len(found)}商贸有限公司"
    return list(found.items())[:count]


def records(count: int) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Connection and rows, a file at a time."""
    standard = built_in()
    base = {
        connection: next(iter(valid_records(standard.dataset(name), standard, 1)))
        for connection, name in (
            ("objects", "supervise_object"),
            ("penalties", "punish_action"),
            ("licences", "credit_license"),
        )
    }
    held: dict[str, list[dict[str, str]]] = {name: [] for name in base}
    number = 0
    for code, name in firms(count // _EACH):
        for place in range(_EACH):
            number += 1
            connection = "objects" if place == 0 else "penalties" if place % 2 else "licences"
            row = dict(base[connection])
            if connection == "objects":
                row |= {"object_code": code, "ent_name": name}
            elif connection == "penalties":
                row |= {"administrative_cp_ui_code": code, "administrative_cp": name}
                row |= {"punish_action_code": f"CF{number}", "punish_document_code": f"罚〔2026〕{number}号"}
            else:
                row |= {
                    "xk_xdr_shxym": code,
                    "xk_xdr_mc": name,
                    "xk_wsh": f"许〔2026〕{number}号",
                    "xk_bh": f"XK{number}",
                }
            held[connection].append(row)
            if len(held[connection]) == _FILE:
                yield connection, held[connection]
                held[connection] = []
    yield from ((connection, rows) for connection, rows in held.items() if rows)


def fill(hub: Hub, count: int) -> int:
    """Take everything through the road; how many were accepted."""
    translator = hub.translator("bench")
    accepted = 0
    for connection, rows in records(count):
        body = (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
        kept = hub.intake.receive(HandOver(connection=connection, name="a.ndjson"), body)
        translator.translate(kept.submission_id)
        view = hub.receipts.receipt(kept.receipt_no)
        assert view is not None
        if view.rejected:
            raise SystemExit(json.dumps(view.document["records"][:1], ensure_ascii=False)[:2000])
        accepted += view.accepted
    return accepted


def main(arguments: list[str]) -> int:
    """Print how many records there are, and how long the file of a subject takes."""
    count = int(arguments[0]) if arguments else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hub.toml"
        path.write_text(CONFIG.format(ledger=os.environ.get("DATABASE_URL", "") if "pg" in arguments else ""), "utf-8")
        settings, body = prepare(path)
        hub = build(settings)
        hub.generations.publish(body, "bench")
        began = time.monotonic()
        accepted = fill(hub, count)
        filled = time.monotonic() - began
        desk = hub.sharing()
        asked = Random(1).sample([code for code, _ in firms(count // _EACH)], _ASKED)
        took, sizes = [], []
        for code in asked:
            started = time.perf_counter()
            file = desk.subject("", "bench", code, "benchmark")
            took.append((time.perf_counter() - started) * 1000)
            sizes.append(len(file["timeline"]))
        took.sort()
        hub.ledger.close()
    print(
        json.dumps(
            {
                "ledger": settings.ledger.url.partition(":")[0] or "sqlite",
                "records": accepted,
                "filled_seconds": round(filled, 1),
                "asked": len(took),
                "records_of_a_subject": statistics.median(sizes),
                "p50_ms": round(statistics.median(took), 1),
                "p99_ms": round(took[int(len(took) * 0.99) - 1], 1),
                "max_ms": round(took[-1], 1),
            }
        )
    )
    return 0
