"""Folders on a real SFTP server: the same as one of this machine, and told in our words when it is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from adapters.file.folder import Folder, LocalFolder
from adapters.file.sftp import SftpFolder, SftpSettings
from demo import ecology
from hub.bootstrap import build, prepare
from standards.errors import BadSetup, NotAllowed, SystemUnreachable
from tests.hub.city import City, config, until
from tests.receiver import Receiver
from tests.services.sshd import SshServer


def settings(server: SshServer, **changes: object) -> SftpSettings:
    values: dict[str, object] = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": server.user,
        "private_key": server.private_key,
        "host_key": server.host_key,
        "connect_seconds": 5,
    }
    return SftpSettings.model_validate({**values, **changes})


def secret(reference: str) -> str:
    return Path(reference.removeprefix("file:")).read_text("utf-8")


@pytest.fixture(params=["local", "sftp"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    """The same folder, looked at from here and over the line."""
    made: Folder
    if request.param == "local":
        made = LocalFolder(str(tmp_path))
    else:
        server: SshServer = request.getfixturevalue("ssh_server")
        made = SftpFolder(settings(server), str(tmp_path), secret)
    yield made
    made.close()


def test_a_folder_is_the_same_here_and_over_the_line(folder: Folder, tmp_path: Path) -> None:
    pieces = [b"a" * 1_500_000, "处罚".encode(), b""]
    folder.make("work")
    folder.write("一.csv", pieces)
    (tmp_path / "link.csv").symlink_to(tmp_path / "一.csv")

    assert {e.name for e in folder.entries()} == {"一.csv"}
    seen = folder.entry("一.csv")
    assert seen is not None
    assert seen.size == 1_500_006
    assert b"".join(folder.read("一.csv")) == b"".join(pieces)
    assert folder.entry("link.csv") is None
    assert folder.entry("none.csv") is None
    folder.write("一.csv", [b"newer"])
    assert b"".join(folder.read("一.csv")) == b"newer"
    folder.move("一.csv", "work/一.csv")
    folder.write("二.csv", [b"x"])
    with pytest.raises(FileExistsError):
        folder.move("二.csv", "work/一.csv")
    with pytest.raises(FileNotFoundError):
        folder.move("三.csv", "work/三.csv")
    with pytest.raises(FileNotFoundError):
        list(folder.read("三.csv"))
    folder.remove("二.csv")
    folder.remove("二.csv")
    assert [e.name for e in folder.entries()] == []
    assert [e.name for e in folder.entries("work")] == ["一.csv"]


def test_a_folder_that_is_not_there_is_told(ssh_server: SshServer, tmp_path: Path) -> None:
    folder = SftpFolder(settings(ssh_server), str(tmp_path / "nowhere"), secret)
    with pytest.raises(BadSetup, match="not there"):
        folder.entries()
    folder.close()


def test_a_server_with_another_key_is_not_spoken_to(ssh_server: SshServer, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    folder = SftpFolder(settings(ssh_server, host_key=other), str(tmp_path), secret)
    with pytest.raises(BadSetup, match="another key"):
        folder.entries()
    folder.close()


def test_a_wrong_key_of_ours_is_told(ssh_server: SshServer, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    folder = SftpFolder(settings(ssh_server, private_key=f"file:{tmp_path / 'key'}"), str(tmp_path), secret)
    with pytest.raises(NotAllowed):
        folder.entries()
    folder.close()


def test_a_server_that_goes_away_and_comes_back(ssh_server: SshServer, tmp_path: Path) -> None:
    folder = SftpFolder(settings(ssh_server), str(tmp_path), secret)
    folder.write("a.csv", [b"x"])
    ssh_server.stop()
    folder._drop()  # the session's own process outlives the server
    with pytest.raises(SystemUnreachable):
        folder.entries()
    ssh_server.start()
    assert [e.name for e in folder.entries()] == ["a.csv"]
    folder.close()


def test_the_server_key_must_be_known() -> None:
    with pytest.raises(ValueError, match="always checked"):
        SftpSettings.model_validate({"host": "h", "user": "u", "password": "env:X"})


SFTP = """
[connections.by-sftp]
party = "ecology"
adapter = "file"
mapping = "demo_ecology/punish_action"
[connections.by-sftp.settings]
folder = "{inbox}"
stable_seconds = 0
pause_seconds = 0.2
sftp = {sftp}

[destinations.files]
party = "market"
adapter = "file"
[destinations.files.settings]
folder = "{outbox}"
form = "ndjson"
sftp = {sftp}

[[routes]]
to = ["files"]
connections = ["by-sftp"]
"""


def test_files_come_and_go_over_sftp_with_their_receipts(ssh_server: SshServer, tmp_path: Path) -> None:
    inbox, outbox = tmp_path / "inbox", tmp_path / "outbox"
    inbox.mkdir()
    outbox.mkdir()
    s = settings(ssh_server)
    line = (
        f'{{ host = "{s.host}", port = {s.port}, user = "{s.user}", private_key = "{s.private_key}", '
        f'host_key = "{s.host_key}" }}'
    )
    receiver = Receiver().start()
    path = tmp_path / "hub.toml"
    path.write_text(config(receiver.url, more=SFTP.format(inbox=inbox, outbox=outbox, sftp=line)), "utf-8")
    made, body = prepare(path)
    hub = build(made)
    hub.generations.publish(body, "test")
    hub.start()
    city = City(hub, receiver)
    try:
        rows = list(ecology.rows(20, faults=0.2))
        good = sum(not row.fault for row in rows)
        (inbox / "处罚.part").write_bytes(b"".join(ecology.pieces(iter(rows))))
        (inbox / "处罚.part").rename(inbox / "处罚.csv")
        until((inbox / "failed" / "处罚.csv").exists, 30)
        until(lambda: len([*(inbox / "failed").glob("*回执.txt")]) > 0, 30)
        until(lambda: sum(p.read_text("utf-8").count("\n") for p in outbox.glob("*.ndjson")) == good, 30)
    finally:
        city.hub.stop()
        receiver.stop()
