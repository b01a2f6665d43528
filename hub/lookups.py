"""Asking bases: each in a thread of its own, within its time, what was answered remembered for a while.

A base that did not answer is left alone for a moment, so that a large hand-over is not a large wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters import registry
from hub.dispatch.doors import surroundings
from hub.generations import Generation
from hub.logs import kind_and_place
from hub.settings import LookupSettings
from hub.translate.consult import Key
from standards.clock import Clock
from standards.errors import BadConfiguration, BadSetup, HubError, SystemBusy, SystemUnreachable
from standards.ports import Lookup

Fields = Mapping[str, str]

_REMEMBERED = 200_000
#: What is not known is asked again sooner: it may have been registered meanwhile.
_MISSING = timedelta(minutes=1)


def open_lookup(generation: Generation, name: str) -> Lookup:
    """Make the adapter of a lookup.  Raises BadConfiguration."""
    settings = generation.settings.lookups[name]
    manifest = registry.load(settings.adapter)
    if manifest.make_lookup is None or manifest.lookup_settings is None:
        raise BadConfiguration(
            f"the adapter {settings.adapter} cannot be asked", what_zh=f"适配器 {settings.adapter} 不能用于查询"
        )
    parsed = manifest.lookup_settings.model_validate(settings.settings)
    return manifest.make_lookup(parsed, surroundings(generation, name, settings.party))


@dataclass(slots=True)
class _Base:
    """One base: its adapter lives in its thread."""

    generation: Generation
    name: str
    open: Callable[[Generation, str], Lookup]
    clock: Clock
    known: dict[Key, tuple[Fields | None, datetime]] = field(default_factory=dict)
    down_until: datetime | None = None
    why: HubError | None = None
    _lookup: Lookup | None = None
    _asked: Future[Mapping[Key, Fields]] | None = None
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "lookup"))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def settings(self) -> LookupSettings:
        return self.generation.settings.lookups[self.name]

    def find(self, keys: Sequence[Key]) -> dict[Key, Fields]:
        """What is remembered, and one call for the rest."""
        with self._lock:
            now = self.clock.now()
            unknown = [key for key in keys if key not in self.known or self.known[key][1] <= now]
            if unknown:
                self._remember(unknown, self._ask(unknown, now), now)
            held = {key: self.known[key][0] for key in keys}
        return {key: fields for key, fields in held.items() if fields is not None}

    def _ask(self, keys: list[Key], now: datetime) -> Mapping[Key, Fields]:
        if self.down_until is not None and now < self.down_until and self.why is not None:
            raise self.why
        try:
            if self._asked is not None and not self._asked.done():
                raise SystemBusy(f"{self.name} is still at the call before", what_zh=f"{self.name} 尚未答复上次查询")
            self._asked = self._thread.submit(self._call, keys)
            found = self._asked.result(self.settings.seconds.total_seconds())
        except HubError as error:
            self._failed(error, now)
            raise
        except TooLong as error:
            late = SystemUnreachable(f"{self.name} did not answer in time", what_zh=f"{self.name} 未在规定时间内答复")
            self._failed(late, now)
            raise late from error
        except Exception as error:
            stumbled = BadSetup(f"the lookup {self.name} stumbled: {kind_and_place(error)}")
            self._failed(stumbled, now)
            raise stumbled from error
        self.down_until = self.why = None
        return found

    def _call(self, keys: list[Key]) -> Mapping[Key, Fields]:
        if self._lookup is None:
            self._lookup = self.open(self.generation, self.name)
        return self._lookup.find(keys)

    def _failed(self, error: HubError, now: datetime) -> None:
        self.down_until, self.why = now + self.settings.rest, error

    def _remember(self, keys: list[Key], found: Mapping[Key, Fields], now: datetime) -> None:
        if len(self.known) + len(keys) > _REMEMBERED:
            self.known = {k: v for k, v in self.known.items() if v[1] > now and len(self.known) < _REMEMBERED}
        good = now + self.settings.remember
        missing = min(good, now + _MISSING)
        for key in keys:
            fields = found.get(key)
            self.known[key] = (fields, good if fields is not None else missing)

    def close(self) -> None:
        """End its thread; one that hangs is left to its own time limit."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._lookup is not None and (self._asked is None or self._asked.done()):
            self._lookup.close()


@dataclass(slots=True)
class Desk:
    """The bases of this process; shared by its threads."""

    clock: Clock
    open: Callable[[Generation, str], Lookup] = open_lookup
    _bases: dict[str, _Base] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, generation: Generation, name: str, keys: Sequence[Key]) -> dict[Key, Fields]:
        """What a base knows of these keys.  Raises HubError when it does not answer, or did not just now."""
        return self._base(generation, name).find(keys)

    def _base(self, generation: Generation, name: str) -> _Base:
        with self._lock:
            held = self._bases.get(name)
            settings = generation.settings.lookups[name]
            if held is None or held.settings != settings:
                if held is not None:
                    held.close()
                held = self._bases[name] = _Base(generation, name, self.open, self.clock)
            return held

    def close(self) -> None:
        """Let go of all of them."""
        with self._lock:
            for base in self._bases.values():
                base.close()
            self._bases.clear()
