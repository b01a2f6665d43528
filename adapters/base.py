"""What an adapter is: settings, a manifest, and a source or a destination made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from mappings.outward import OutForm
from standards.errors import BadConfiguration, UnknownName
from standards.model import CodeList, DataSet, Element
from standards.ports import Destination, Lookup, MessageTransport, Source, Transports


class AdapterSettings(BaseModel):
    """Settings of one use of an adapter: one typed model feeds parser, linter, reference page and form."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StandardView(Protocol):
    """What adapters ask about the standard."""

    @property
    def common(self) -> tuple[Element, ...]:
        """The common elements."""
        ...

    def dataset(self, dataset_id: str, version: str | None = None) -> DataSet:
        """A data set; raises UnknownName."""
        ...

    def codelist(self, list_id: str) -> CodeList:
        """A code list; raises UnknownName."""
        ...


def no_forms(name: str) -> OutForm:
    """Where there are none.  Raises UnknownName."""
    raise UnknownName(f"no form {name}", what_zh=f"没有名为 {name} 的输出格式")


def no_broker(url: str) -> MessageTransport:
    """Where nobody speaks AMQP.  Raises BadConfiguration."""
    raise BadConfiguration("AMQP is not to be had here", what_zh="此处不能使用 AMQP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an adapter is told about the hub it works for."""

    #: Name of the connection or destination in the settings.
    name: str
    hub: str
    level: str
    region: str
    #: Credit code of the party on the other side, and ours.
    party_code: str
    hub_code: str
    standard: StandardView
    #: Fetches a secret by its reference (`env:NAME`, `file:/path`).
    secret: Callable[[str], str]
    #: An outward form by its name; raises UnknownName, BadConfiguration.
    form: Callable[[str], OutForm] = no_forms
    #: Name of the party on the other side.
    party: str = ""
    #: Makes connections to the hub's RabbitMQ; None when messages are carried by the ledger alone.
    transports: Transports | None = None
    #: Connects to somebody else's RabbitMQ by its address, where we declare nothing.
    broker: Callable[[str], MessageTransport] = no_broker


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An adapter as it is listed and documented."""

    name: str
    title: str
    title_en: str
    #: `channel` or `system`.
    kind: str = "channel"
    source_settings: type[AdapterSettings] | None = None
    destination_settings: type[AdapterSettings] | None = None
    make_source: Callable[[Any, Surroundings], Source] | None = None
    make_destination: Callable[[Any, Surroundings], Destination] | None = None
    lookup_settings: type[AdapterSettings] | None = None
    make_lookup: Callable[[Any, Surroundings], Lookup] | None = None
    #: True when data comes to us by itself (HTTP), so that there is no source to run.
    pushed: bool = False
    #: True when levels above the receiver speak through it (standards.ports.Follows).
    follows: bool = False
    #: True when it works on the hub's own RabbitMQ, so that `broker.url` must be set.
    on_rabbitmq: bool = False
    #: How far test records may go: through the receiver, which knows their mark, and back; to `check()` only, which
    #: changes nothing there; not at all.
    canary: Literal["through", "connection", "no"] = "connection"
    #: Where its documentation text begins; the module's docstring.
    about: str = ""
