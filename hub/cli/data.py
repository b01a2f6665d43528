"""`hub submit`, `hub receipt`, `hub judge`, `hub failures`, `hub status`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import DATA, DONE, OTHER_SIDE, counts_words, err, out, print_json, table, told
from hub.receipt_text import in_text, records_in_text
from standards.states import word

#: Longest single wait at the door; the command asks again until its own time is over.
_WAIT = 30.0


@told
def submit(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="要报送的文件 the file")],
    connection: Annotated[str, typer.Option("--connection", "-c", help="接入名称 name of the connection")],
    config: Config = Path("hub.toml"),
    wait: Annotated[bool, typer.Option("--wait", help="等到办结 wait until every delivery has ended")] = False,
    wait_for: Annotated[Literal["judged", "settled"], typer.Option(help="等到什么状态 what to wait for")] = "settled",
    seconds: Annotated[float, typer.Option(help="最多等待秒数 longest wait")] = 600,
    submission_id: Annotated[
        str, typer.Option("--id", help="报送编号，重复提交时保持不变 own id of this hand-over")
    ] = "",
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """报送一个文件  hand over a file."""
    client = Client.find(config, url, key)
    headers = {"idempotency-key": submission_id} if submission_id else {}
    with _bar(as_json) as bar:
        task = bar.add_task(f"报送 {file.name}", total=file.stat().st_size)
        _, answer = client.send_file(
            "/v1/submissions",
            file,
            {"connection": connection, "name": file.name},
            headers,
            lambda n: bar.advance(task, n),
        )
    receipt_no = answer["receipt_no"]
    if not as_json:
        out.print(f"回执编号 receipt [bold]{receipt_no}[/]" + ("（此前已收到）" if answer["repeated"] else ""))
    if wait:
        answer = _wait(client, receipt_no, wait_for, seconds, as_json)
    if as_json:
        print_json(answer)
    elif wait:
        out.print(in_text(answer), markup=False)
    raise typer.Exit(_code(answer, wait))


def _bar(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=quiet or not err.is_terminal,
    )


def _wait(client: Client, receipt_no: str, wait_for: str, seconds: float, quiet: bool) -> Any:
    wanted = ("settled",) if wait_for == "settled" else ("judged", "settled")
    end = time.monotonic() + seconds
    pause = 0.05
    with err.status("…") if not quiet and err.is_terminal else _nothing() as shown:
        while True:
            receipt = client.get(f"/v1/receipts/{receipt_no}", brief=True)
            if receipt["state"] in (*wanted, "stalled") or time.monotonic() >= end:
                return client.get(f"/v1/receipts/{receipt_no}")
            if shown is not None:
                shown.update(f"{word(receipt['state'])}  {counts_words(receipt['counts'])}")
            time.sleep(pause)
            pause = min(1.0, pause * 1.5)


class _nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _code(receipt: dict[str, Any], waited: bool) -> int:
    if not waited:
        return DONE
    counts = receipt.get("counts", {})
    if receipt.get("problem") or counts.get("rejected") or counts.get("held"):
        return DATA
    return DONE if receipt["state"] in ("judged", "settled") else OTHER_SIDE


@told
def receipt(
    receipt_no: Annotated[str, typer.Argument(help="回执编号 receipt number")],
    config: Config = Path("hub.toml"),
    after: Annotated[int, typer.Option(help="从第几条之后 findings of rows behind this one")] = 0,
    english: Annotated[bool, typer.Option("--english", help="英文 in English")] = False,
    workbook: Annotated[
        Path | None, typer.Option(help="另存标注了问题的 Excel save the workbook with the faults marked")
    ] = None,
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """查询回执  show a receipt."""
    client = Client.find(config, url, key)
    found = client.get(f"/v1/receipts/{receipt_no}", after=after)
    if workbook is not None:
        workbook.write_bytes(client.content(f"/v1/receipts/{receipt_no}.xlsx"))
        err.print(f"已保存 saved: {workbook}")
    if as_json:
        print_json(found)
    else:
        out.print(in_text(found, "en" if english else "zh"), markup=False)
    raise typer.Exit(_code(found, waited=found["state"] in ("judged", "settled")))


@told
def judge(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="要试校验的文件 the file")],
    connection: Annotated[str, typer.Option("--connection", "-c", help="接入名称 name of the connection")],
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """试校验，不留存  judge a file without keeping it."""
    client = Client.find(config, url, key)
    _, verdict = client.send_file("/v1/judge", file, {"connection": connection, "name": file.name}, {}, lambda _n: None)
    if as_json:
        print_json(verdict)
    else:
        out.print(counts_words({**verdict["counts"], "duplicate": 0}))
        for note in verdict["notes"]:
            out.print(f"提示：{note['text']}。{note['hint']}。", markup=False)
        for line in records_in_text(verdict["records"]):
            out.print(line, markup=False)
    raise typer.Exit(DATA if verdict["counts"]["rejected"] else DONE)


_CLASSES = {"1": "未报送", "2": "报送错误", "3": "报送不一致", "8": "存疑", "9": "需运维处理"}


@told
def failures(
    group: Annotated[str, typer.Argument(help="异常组，缺省列出全部 a group; absent: all of them")] = "",
    party: Annotated[str, typer.Option(help="单位 party")] = "",
    dataset: Annotated[str, typer.Option(help="数据集 data set")] = "",
    code: Annotated[str, typer.Option(help="代码 finding code")] = "",
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """异常：什么问题、多少条、谁来处理、何时到期  what is wrong, in groups of one cause."""
    client = Client.find(config, url, key)
    if group:
        _one_group(client.get(f"/v1/failures/{group}"), as_json)
        raise typer.Exit(DATA)
    groups = client.get("/v1/failures", party=party, dataset=dataset, code=code)
    if as_json:
        print_json(groups)
    else:
        table(
            "异常 failures",
            ["组", "类别", "单位", "数据集", "数据项", "代码", "值的样式", "条数", "起始", "到期", "谁处理", "样例"],
            (
                [
                    g["group"],
                    _CLASSES.get(g["class"], g["class"]),
                    g["party"],
                    g["dataset"] + (f" → {g['destination']}" if g["destination"] else ""),
                    g["element_zh"] or g["element"],
                    g["rule"] or g["code"],
                    g["pattern"],
                    f"{g['count']}（+{g['joined']}）" if g["joined"] else g["count"],
                    g["since"],
                    g["due_at"] or g["due_missing"],
                    g["who"] or "运维 operator",
                    f"{g['sample']['receipt_no']} 第 {g['sample']['row']} 条" if g["sample"]["row"] else g["note"],
                ]
                for g in groups
            ),
        )
    raise typer.Exit(DATA if groups else DONE)


def _one_group(one: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    taken = f"，{one['taken_at']} 起处置中，其后新增 {one['joined']} 条 joined since" if one["taken_at"] else ""
    out.print(f"{one['count']} 条 records{taken}", markup=False)
    out.print(one["hint"], markup=False)
    lines = ([s["receipt_no"], str(s["row"]), s["place_zh"], s["field"], s["value"]] for s in one["samples"])
    table("样例 samples", ["回执", "第几条", "位置", "列", "值"], lines)
    if asked := one["question"]:
        words = f"{asked['mapping']} {asked['name']} {asked['source']}"
        out.print(f"hub crosswalk answer {words} 代码 code", markup=False)


@told
def trace(
    record: Annotated[str, typer.Argument(help="交换标识 cd_id、业务主键，或 回执编号#行号 receipt#row")],
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """数据在哪里：逐级查询  where a record is, level by level."""
    places = Client.find(config, url, key).post("/v1/trace", {"record": record})
    if as_json:
        print_json(places)
    elif places:
        rows = [row for place in places for row in _place(place)]
        heads = ["层级", "枢纽", "数据集", "版本", "结论", "回执", "去向", "状态", "自", "说明"]
        table("数据位置 where it is", heads, rows)
    else:
        out.print("没有找到该记录 not found")
    raise typer.Exit(DONE if places else DATA)


def _place(place: dict[str, Any]) -> list[list[Any]]:
    """One level's lines: one for each destination."""
    if "problem" in place:
        return [["?", place["hub"], "", "", "", "", "", "", "", place["problem"]]]
    own = [
        place["level"],
        place["hub"],
        place["dataset"],
        place["revision"],
        place["verdict_zh"],
        f"{place['receipt_no']}#{place['row']}",
    ]
    sent = place["deliveries"]
    if not sent:
        held = place["held"]
        return [[*own, "-", "", place["received_at"], f"{held['code']}，{held['due_at']} 到期" if held else ""]]
    return [
        [
            *own,
            one["destination"],
            one["state_zh"],
            one["ended_at"] or one["sent_at"] or one["due_at"],
            one["message"] or "，".join(f"{s['level']} {s['result']}" for s in one["spoken"]),
        ]
        for one in sent
    ]


@told
def status(config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = "") -> None:
    """运行概况  the exchange at a glance."""
    client = Client.find(config, url, key)
    seen = client.get("/v1/status")
    if as_json:
        print_json(seen)
        return
    connections_table(client.get("/v1/connections"))
    rows = [
        [
            name,
            word(d["state"]),
            d["since"],
            "，".join(f"{word(s)} {b['records']}" for s, b in d["backlog"].items()) or "-",
            d["reason"],
            d["next_probe_at"],
        ]
        for name, d in seen["destinations"].items()
    ]
    rows += [[name, "尚未使用", "", "-", "", ""] for name in seen["unused"]]
    table("投递目标 destinations", ["目标", "状态", "自", "积压", "原因", "下次探测"], rows)
    for state, found in seen["submissions"].items():
        out.print(f"{word(state)}：{found['count']} 件，最早 {found['oldest_at']}")
    out.print(
        f"未结异常 {sum(c['open'] for c in seen['cases'])}，挂起 {seen['holds']}，待发消息 {seen['outbox']['messages']}"
    )


def connections_table(rows: list[dict[str, Any]]) -> None:
    """Counts by connection."""
    names = ["read", "accepted", "rejected", "held", "duplicate", "delivered", "receipted"]
    table(
        "各接入 connections",
        ["接入", "报送", "测试", "读取", "通过", "退回", "挂起", "重复", "已送达", "已回执", "最近"],
        (
            [r["connection"], r["submissions"], r["test_submissions"], *(r[n] for n in names), r["last_at"]]
            for r in rows
        ),
    )
