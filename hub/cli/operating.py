"""`hub key`, `hub destination`, `hub crosswalk`: the operator's verbs, carried out by the hub that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import err, out, print_json, table, told
from standards.rights import Right

keys = typer.Typer(no_args_is_help=True, help="密钥 keys of machines")
destination = typer.Typer(no_args_is_help=True, help="投递目标 destinations")
crosswalk = typer.Typer(no_args_is_help=True, help="码表对照 crosswalks")


@keys.command("new")
@told
def new_key(
    party: Annotated[str, typer.Argument(help="接入方，空为运维 party; empty: operator")] = "",
    note: Annotated[str, typer.Option(help="用途 what it is for")] = "",
    right: Annotated[
        list[Right],
        typer.Option("--right", help="只给这些权限，可多次，缺省为该方全部 only these; absent: all of its side"),
    ] = [],  # noqa: B006 - typer reads it
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """新建密钥（只显示一次）  make a key; it is shown this once."""
    rights = [str(one) for one in right]
    made = Client.find(config, url, key).post("/v1/keys", {"party": party, "note": note, "rights": rights})
    if as_json:
        print_json(made)
    else:
        err.print("请妥善保存，之后无法再次查看  keep it: it cannot be shown again")
        out.print(made["key"], markup=False)


@keys.command("list")
@told
def list_keys(config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = "") -> None:
    """密钥列表  keys."""
    rows = Client.find(config, url, key).get("/v1/keys")
    if as_json:
        print_json(rows)
    else:
        columns = ["id", "party", "note", "rights", "created_at", "expires_at", "revoked_at"]
        heads = ["编号 id", "接入方 party", "用途 note", "权限 rights", "建立 made", "到期 expires", "撤销 revoked"]
        table("密钥 keys", heads, ([r[c] for c in columns] for r in rows))


@keys.command("revoke")
@told
def revoke_key(
    identifier: Annotated[str, typer.Argument(help="密钥编号 key id")],
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """撤销密钥  a key counts no more."""
    Client.find(config, url, key).delete(f"/v1/keys/{identifier}")
    out.print(f"已撤销 revoked {identifier}")


@destination.command("pause")
@told
def pause(
    name: Annotated[str, typer.Argument(help="投递目标 destination")],
    reason: Annotated[str, typer.Option(help="原因 why")] = "",
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """暂停投递  its parcels wait."""
    Client.find(config, url, key).post(f"/v1/destinations/{name}/pause", {"reason": reason})
    out.print(f"已暂停 paused {name}")


@destination.command("resume")
@told
def resume(
    name: Annotated[str, typer.Argument(help="投递目标 destination")],
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """恢复投递  let it go on."""
    done = Client.find(config, url, key).post(f"/v1/destinations/{name}/resume", {})
    out.print(f"已恢复 resumed {name}，{done['hastened']} 个交换包立即投递")


@destination.command("stopped")
@told
def stopped(
    name: Annotated[str, typer.Argument(help="投递目标 destination")],
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """待人工决定的交换包  parcels that wait for a person."""
    rows = Client.find(config, url, key).get(f"/v1/destinations/{name}/stopped")
    if as_json:
        print_json(rows)
    else:
        columns = ["parcel", "state_zh", "dataset", "batch", "count", "since", "why"]
        heads = ["交换包", "状态", "数据集", "批次", "条数", "自", "原因"]
        table("停下的交换包 stopped parcels", heads, ([r[c] for c in columns] for r in rows))


Reason = Annotated[str, typer.Option(help="依据，必填 why, and how it is known")]
Parcel = Annotated[str, typer.Option("--parcel", help="只处理这一个交换包 this parcel only")]


@destination.command("resend")
@told
def resend(
    name: Annotated[str, typer.Argument(help="投递目标 destination")],
    reason: Reason,
    parcel: Parcel = "",
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """重新投递停下的交换包  send stopped parcels again."""
    _decide(Client.find(config, url, key), name, "resend", reason, parcel)


@destination.command("arrived")
@told
def arrived(
    name: Annotated[str, typer.Argument(help="投递目标 destination")],
    reason: Reason,
    parcel: Parcel = "",
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """对方确已收到停下的交换包  the receiver does have the stopped parcels."""
    _decide(Client.find(config, url, key), name, "arrived", reason, parcel)


def _decide(client: Client, name: str, verb: str, reason: str, parcel: str) -> None:
    body = {"verb": verb, "reason": reason, "parcel": parcel or None}
    done = client.post(f"/v1/destinations/{name}/stopped", body)
    out.print(f"已处理 {done['parcels']} 个交换包 parcels decided about")


@crosswalk.command("answer")
@told
def answer(
    mapping: Annotated[str, typer.Argument(help="映射 mapping")],
    name: Annotated[str, typer.Argument(help="码表对照名 crosswalk")],
    source: Annotated[str, typer.Argument(help="来源系统的值 the system's word")],
    code: Annotated[str, typer.Argument(help="标准代码 our code")],
    note: Annotated[str, typer.Option(help="备注 note")] = "",
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """回答一个未知代码  say what an unknown word means."""
    body = {"mapping": mapping, "name": name, "source": source, "code": code, "note": note}
    Client.find(config, url, key).post("/v1/crosswalks", body)
    out.print(f"{source} → {code}")
