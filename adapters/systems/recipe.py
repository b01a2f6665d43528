"""The part of `hub.toml` that connects a system: party, connections, destinations, routes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.systems.definition import Feed, System


def name_of(system: System, feed: str) -> str:
    """What a feed's connection or destination is called."""
    return f"{system.system}-{feed}".replace("_", "-")


def party_of(system: System) -> str:
    """What its party is called."""
    return system.system.replace("_", "-")


def recipe(
    system: System,
    words: Mapping[str, str],
    extra: Mapping[str, Mapping[str, Any]] | None = None,
    parties: Sequence[str] = (),
) -> str:
    """TOML for a system.

    `words` fill {url}, {folder}, {database}, {code} and the secrets (`secret:<name>`); one that is missing stays as it
    is, to be filled in by the operator.  `extra` adds or overrides settings of single feeds; `parties` are those whose
    records go there, empty: everybody's.
    """
    lines = [
        f"# {system.title} · {system.title_en}",
        f"[parties.{party_of(system)}]",
        f"title = {_value(system.party.title)}",
        f"code = {_value(words.get('code', '{code}'))}",
        f"kind = {_value(system.party.kind)}",
        "",
    ]
    for name, feed in system.feeds.items():
        lines += _feed(system, name, feed, words, (extra or {}).get(name, {}), parties)
    return "\n".join(lines) + "\n"


def _feed(
    system: System,
    name: str,
    feed: Feed,
    words: Mapping[str, str],
    extra: Mapping[str, Any],
    parties: Sequence[str],
) -> list[str]:
    kind = "connections" if feed.direction == "in" else "destinations"
    settings = {**_filled(feed.settings, {**words, "feed": name}), **extra}
    if feed.forms:
        settings["forms"] = dict(feed.forms)
    lines = [
        f"# {feed.title} · {feed.title_en}",
        f"[{kind}.{name_of(system, name)}]",
        f"party = {_value(party_of(system))}",
        f"title = {_value(feed.title)}",
        f"adapter = {_value(feed.channel)}",
    ]
    if feed.direction == "in":
        lines.append(f"mapping = {_value(feed.mapping)}" if feed.mapping else f"dataset = {_value(feed.datasets[0])}")
        if feed.read:
            lines.append(f"read = {_value(feed.read)}")
    lines += [f"{word} = {_value(value)}" for word, value in feed.more.items()]
    if settings:
        lines += ["", f"[{kind}.{name_of(system, name)}.settings]"]
        lines += [f"{word} = {_value(value)}" for word, value in settings.items()]
    lines.append("")
    if feed.direction == "out":
        lines += ["[[routes]]", f"datasets = {_value(list(feed.datasets))}", f"to = {_value([name_of(system, name)])}"]
        if parties:
            lines.append(f"parties = {_value(parties)}")
        if feed.when:
            lines.append(f"when = {_value(feed.when)}")
        lines.append("")
    return lines


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, words) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, words) for inner in value]
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace("{" + word + "}", text)
    return value


def _value(value: Any) -> str:
    """A TOML value; numbers and flags are written as YAML text and read back as what they are."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(str(k), ensure_ascii=False)} = {_value(v)}" for k, v in value.items())
        return "{" + (f" {inner} " if inner else "") + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False)
