"""The demo's folder: made anew, one demo at a time, never anybody else's."""

import socket
from contextlib import suppress
from pathlib import Path

import pytest

from demo.state import free_port, take
from standards.errors import BadConfiguration, NotAllowed


def test_what_an_earlier_demo_left_is_gone(tmp_path: Path) -> None:
    first = take(tmp_path / "demo")
    first.folder("ecology").mkdir()
    (first.root / "hub.toml").write_text("old")
    first.leave()

    second = take(tmp_path / "demo")

    assert not second.settings.exists()
    assert not second.folder("ecology").exists()
    second.leave()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(NotAllowed):
        take(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_demo_that_runs_is_noticed_and_named(tmp_path: Path) -> None:
    running = take(tmp_path)
    running.say("http://127.0.0.1:8080")
    running.settings.write_text("in use")

    with pytest.raises(BadConfiguration, match=r"http://127\.0\.0\.1:8080"):
        take(tmp_path)

    assert running.settings.read_text() == "in use"
    running.leave()


def test_keys_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    place = take(tmp_path)

    path = place.keep_key("drug", "secret")

    assert path.stat().st_mode & 0o077 == 0
    place.leave()


def test_another_port_is_taken_when_the_usual_one_is_not_free() -> None:
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody else has it: all the better
            held.bind(("127.0.0.1", 8080))
            held.listen()

        assert free_port(None) not in (0, 8080)


def test_a_port_that_is_asked_for_and_taken_is_wrong_use() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()

        with pytest.raises(BadConfiguration, match="--port"):
            free_port(held.getsockname()[1])
