"""Channel `rest_push`: each parcel is posted to an HTTP address as a CloudEvent.

The parcel's id is the `Idempotency-Key`, so a repeat can be known.  The answer may be empty (all accepted), or say of
single records that they were refused:

    {"receipt_no": "…", "records": [{"cd_id": "…", "result": "refused", "code": "…", "element": "…", "message": "…"}]}

202 with `{"awaiting": true}` means that the verdict comes later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal
from uuid import UUID

from pydantic import Field

from adapters.base import Manifest, Surroundings
from adapters.reply import read_reply
from adapters.transport import HttpSettings, HttpTransport
from standards.parcel import Answer, Parcel, event_headers, to_data, to_event
from standards.ports import Awaited
from standards.tracing import outgoing


class RestPushSettings(HttpSettings):
    """Settings of a destination that takes parcels over HTTP."""

    mode: Literal["structured", "binary"] = Field("structured", description="Form of the CloudEvent.")
    level: str = Field("", description="Level that speaks in the answers: district, city, province, nation.")
    check_url: str = Field("", description="Address for the connection test; the service's own if empty.")


class RestPush:
    """Implements standards.ports.Destination."""

    def __init__(self, settings: RestPushSettings, around: Surroundings) -> None:
        self._settings = settings
        self._name = around.name
        key = around.secret(settings.key) if settings.key else ""
        self._http = HttpTransport(settings, key=key)

    def deliver(self, parcel: Parcel) -> Answer:
        """Post the parcel."""
        if self._settings.mode == "binary":
            body, headers = to_data(parcel), event_headers(parcel) | outgoing()
        else:
            body, headers = to_event(parcel), {"content-type": "application/cloudevents+json"}
        headers["idempotency-key"] = str(parcel.id)
        response = self._http.request("POST", self._settings.url, content=body, headers=headers)
        return read_reply(response.content, speaker=self._name, level=self._settings.level)[1]

    def collect(self, awaited: Sequence[Awaited]) -> Iterable[tuple[UUID, Answer]]:
        """Nothing to ask: a receiver that judges later posts its receipt to our door."""
        return ()

    def stored(self, parcel: Parcel) -> bool | None:
        """It cannot be asked."""
        return None

    def check(self) -> str:
        """Ask the address; whatever answers is there."""
        url = self._settings.check_url or self._settings.url
        return f"{url}: HTTP {self._http.status_of(url)}"

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


MANIFEST = Manifest(
    name="rest_push",
    title="接口投递",
    title_en="posted over HTTP",
    destination_settings=RestPushSettings,
    make_destination=RestPush,
    about=__doc__ or "",
)
