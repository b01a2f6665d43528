"""`hub party`: the organisations that take part; and a RabbitMQ user for one that has its own AMQP client."""

from __future__ import annotations

import secrets
import shlex
import subprocess
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from hub import config as reading
from hub.bootstrap import broker_url
from hub.cli.options import Config, Json
from hub.cli.output import err, out, print_json, table, told
from hub.parties import Rights, commands, rights_of
from standards.errors import BadConfiguration, BadSetup

parties = typer.Typer(no_args_is_help=True, help="接入方 parties")

_SECONDS = 60


@parties.command("list")
@told
def list_parties(config: Config = Path("hub.toml"), as_json: Json = False) -> None:
    """接入方列表  parties."""
    settings = reading.load(config)
    rows = [
        {
            "name": name,
            "title": party.title,
            "kind": party.kind,
            "connections": [n for n, c in settings.connections.items() if c.party == name],
            "destinations": [n for n, d in settings.destinations.items() if d.party == name],
        }
        for name, party in settings.parties.items()
    ]
    if as_json:
        print_json(rows)
        return
    lines = (
        [r["name"], r["title"], r["kind"], *("、".join(r[k]) for k in ("connections", "destinations"))] for r in rows
    )
    table("接入方 parties", ["名称", "全称", "类别", "接入", "投递目标"], lines)


@parties.command("amqp")
@told
def amqp(
    party: Annotated[str, typer.Argument(help="接入方 party")],
    user: Annotated[
        str, typer.Option(help="RabbitMQ 用户名，缺省为接入方名称 its user; absent: the party's name")
    ] = "",
    apply: Annotated[bool, typer.Option("--apply", help="立即执行，而不只是列出命令 do it, not only print it")] = False,
    new_password: Annotated[bool, typer.Option("--new-password", help="已有用户换新密码 a new password")] = False,
    rabbitmqctl: Annotated[str, typer.Option(help="如何调用 rabbitmqctl how it is called")] = "rabbitmqctl",
    config: Config = Path("hub.toml"),
    as_json: Json = False,
) -> None:
    """为接入方建立 RabbitMQ 用户：只能写自己的键、读自己的队列  a user that can do the party's own work only."""
    settings = reading.load(config)
    rights = rights_of(settings, party)
    url = urlsplit(_broker(broker_url(settings)))
    user = user or party
    if user == unquote(url.username or "guest"):
        raise BadConfiguration(
            f"{user} is the hub's own user",
            what_zh=f"{user} 是枢纽自己的用户",
            hint="choose another name with --user",
            hint_zh="请用 --user 换一个用户名",
        )
    todo = commands(rights, user, unquote(url.path.removeprefix("/")) or "/")
    if not apply:
        _show(rights, user, todo, rabbitmqctl, as_json)
        return
    password = Server(shlex.split(rabbitmqctl)).give(user, todo, new_password=new_password)
    if as_json:
        print_json({"party": party, "user": user, "password": password})
        return
    if password:
        err.print("请妥善保存，之后无法再次查看  keep the password: it cannot be shown again")
        out.print(password, markup=False)
    else:
        err.print(f"用户 {user} 已存在，只更新了权限  the user was there; its rights are as they should be")


def _broker(url: str) -> str:
    if not url:
        raise BadConfiguration(
            "the hub has no RabbitMQ: broker.url is empty",
            what_zh="枢纽没有使用 RabbitMQ：broker.url 为空",
            hint="set url or url_secret in [broker]",
            hint_zh="请在 [broker] 中设置 url 或 url_secret",
        )
    return url


def _show(rights: Rights, user: str, todo: list[list[str]], rabbitmqctl: str, as_json: bool) -> None:
    """The commands as a person may type them; the first asks for the password."""
    words = [["add_user", user], *todo]
    if as_json:
        print_json({"party": rights.party, "user": user, "commands": words})
        return
    err.print("在 RabbitMQ 主机上执行（第一条会询问密码）  run on RabbitMQ's host; the first one asks for a password")
    for command in words:
        out.print(f"{rabbitmqctl} {shlex.join(command)}", markup=False)


class Server:
    """A RabbitMQ server, through its own command."""

    def __init__(self, program: list[str]) -> None:
        self._program = program

    def give(self, user: str, todo: list[list[str]], *, new_password: bool) -> str:
        """Make the user, if it is not there, and give it its rights; its password, '' when it kept the old one.

        Raises BadSetup.
        """
        there = self._tags(user)
        if there:
            raise BadSetup(
                f"{user} is an administrator of RabbitMQ ({there})",
                what_zh=f"{user} 是 RabbitMQ 的管理用户（{there}）",
                hint="choose another name with --user",
                hint_zh="请用 --user 另选用户名",
            )
        password = secrets.token_urlsafe(24) if there is None or new_password else ""
        if password:
            # By standard input: an argument could be read in the list of processes.
            self._run(["add_user" if there is None else "change_password", user], password)
        for command in todo:
            self._run(command)
        return password

    def _tags(self, user: str) -> str | None:
        """The tags of a user, '' for an ordinary one; None when it is not there."""
        for line in self._run(["list_users", "--quiet"]).splitlines():
            name, _, tags = line.partition("\t")
            if name == user:
                return tags.strip().strip("[]")
        return None

    def _run(self, words: list[str], told: str = "") -> str:
        try:
            done = subprocess.run(
                [*self._program, *words], input=told, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BadSetup(
                f"{self._program[0]} cannot be run: {error}",
                what_zh=f"无法执行 {self._program[0]}",
                hint="run it on RabbitMQ's host, or use the printed commands; --rabbitmqctl 'sudo rabbitmqctl'",
                hint_zh="请在 RabbitMQ 主机上执行，或按列出的命令手工执行",
            ) from error
        if done.returncode != 0:
            why = (done.stderr or done.stdout).strip().splitlines()
            raise BadSetup(f"rabbitmqctl {words[0]}: {' '.join(why)[:300]}", what_zh=f"rabbitmqctl {words[0]} 执行失败")
        return done.stdout
