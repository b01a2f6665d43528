"""`hub user`: accounts of people.  The first one of a fresh hub is made here, on the hub's machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import err, out, print_json, table, told
from standards.rights import Right, Role

users = typer.Typer(no_args_is_help=True, help="用户 people with names and roles")

Name = Annotated[str, typer.Argument(help="用户名 user name")]
Roles = Annotated[list[Role], typer.Option("--role", help="角色，可多次 role; may be repeated")]
Rights = Annotated[list[Right], typer.Option("--right", help="另加的单项权限，可多次 single right; may be repeated")]
Region = Annotated[str, typer.Option(help="限定的行政区划 region they are confined to")]


@users.command("add")
@told
def add(
    name: Name,
    title: Annotated[str, typer.Option(help="真实姓名 real name")],
    party: Annotated[str, typer.Option(help="所属接入方，缺省为枢纽 party; absent: the hub's own")] = "",
    role: Roles = [],  # noqa: B006 - typer reads it
    right: Rights = [],  # noqa: B006
    region: Region = "",
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """新建用户，初始密码只显示一次  somebody new; the first password is shown this once."""
    body = {"name": name, "title": title, "party": party, **_given(role, right, region)}
    _tell(Client.find(config, url, key).post("/v1/users", body), as_json)


def _given(role: list[Role], right: list[Right], region: str) -> dict[str, Any]:
    return {"roles": [str(one) for one in role], "rights": [str(one) for one in right], "region": region}


def _tell(made: dict[str, str], as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    err.print(
        "初始密码只显示这一次，请当面交给本人；首次登录须修改  shown this once; it is changed at the first log-in"
    )
    out.print(made["password"], markup=False)


@users.command("list")
@told
def list_users(config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = "") -> None:
    """用户列表  users."""
    rows = Client.find(config, url, key).get("/v1/users")
    if as_json:
        print_json(rows)
        return
    heads = ["用户名", "姓名", "单位", "角色", "另加权限", "区划", "状态", "二次验证", "最近登录"]
    lines = (
        [
            r["name"],
            r["title"],
            r["party"] or "枢纽",
            "、".join(r["roles_zh"]),
            " ".join(r["more"]),
            r["region"],
            "启用" if r["active"] else "停用",
            "✓" if r["second_factor"] else "",
            r["logged_in_at"],
        ]
        for r in rows
    )
    table("用户 users", heads, lines)


@users.command("roles")
@told
def roles(
    name: Name,
    role: Roles = [],  # noqa: B006 - typer reads it
    right: Rights = [],  # noqa: B006
    region: Region = "",
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """角色与权限，取代原有的  roles and rights instead of those before; the sessions end."""
    made = Client.find(config, url, key).post(f"/v1/users/{name}/roles", _given(role, right, region))
    out.print(f"{name}: {'、'.join(made['roles_zh']) or '-'}  {' '.join(made['rights'])}", markup=False)


@users.command("disable")
@told
def disable(
    name: Name,
    reason: Annotated[str, typer.Option(help="原因 why")] = "",
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """停用：立即退出，不能再登录  out at once, and not in again."""
    Client.find(config, url, key).post(f"/v1/users/{name}/state", {"state": "disabled", "reason": reason})
    out.print(f"已停用 disabled {name}")


@users.command("enable")
@told
def enable(name: Name, config: Config = Path("hub.toml"), url: Url = "", key: Key = "") -> None:
    """重新启用  may log in again."""
    Client.find(config, url, key).post(f"/v1/users/{name}/state", {"state": "active"})
    out.print(f"已启用 enabled {name}")


@users.command("reset")
@told
def reset(
    name: Name,
    factor: Annotated[bool, typer.Option("--factor", help="同时重设二次验证 the second factor too")] = False,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """重置密码并解除锁定  a new password to begin with; ends the wait of who was locked out."""
    _tell(Client.find(config, url, key).post(f"/v1/users/{name}/reset", {"factor": factor}), as_json)
