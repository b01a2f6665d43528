"""Channel `mailbox`: the receiver fetches its parcels and confirms them; nobody needs to reach into its network.

Parcels wait here until the receiver's program asks for them (`GET /v1/mailbox`) and says, record by record, what it
made of them (`POST /v1/mailbox/{parcel}/receipt`).  What is not confirmed is shown again, so a repeat must be known by
its parcel id; `receipt_due` of the destination says when somebody is asked why nothing was fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from adapters.base import AdapterSettings, Manifest, Surroundings
from standards.parcel import Answer, Parcel
from standards.ports import Awaited


class MailboxSettings(AdapterSettings):
    """Nothing to set: the key belongs to the receiving party (`hub key new`)."""


class Mailbox:
    """Implements standards.ports.Destination."""

    def __init__(self, settings: MailboxSettings, around: Surroundings) -> None:
        self._name = around.name

    def deliver(self, parcel: Parcel) -> Answer:
        """It lies in the mailbox; the verdict comes with the receiver's confirmation."""
        return Answer(awaiting=True, speaker=self._name)

    def collect(self, awaited: Sequence[Awaited]) -> Iterable[tuple[UUID, Answer]]:
        """Nobody to ask: the receiver confirms by itself."""
        return ()

    def stored(self, parcel: Parcel) -> bool | None:
        """It cannot be asked."""
        return None

    def check(self) -> str:
        """Nothing to try: the receiver comes to us."""
        return "由对方领取 fetched by the receiver"

    def close(self) -> None:
        """Nothing is open."""


MANIFEST = Manifest(
    name="mailbox",
    title="信箱（对方领取）",
    title_en="fetched by the receiver",
    destination_settings=MailboxSettings,
    make_destination=Mailbox,
    canary="no",
    about=__doc__ or "",
)
