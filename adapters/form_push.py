"""Channel `form_push`: parcels are posted in the receiver's own words, by an outward form for each data set.

The form says how rows, body and envelope look and how the answer is read (`docs/reference/outward.md`).  The parcel's
id goes along as `Idempotency-Key`; receivers that do not know it may know a row by its key: say `idempotent = "key"`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal
from uuid import UUID

from pydantic import Field

from adapters.base import Manifest, Surroundings
from adapters.outward import Rendering, answer_of
from adapters.signing import Gateway, SignedAnew, signer_of
from adapters.transport import HttpSettings, HttpTransport
from mappings.outward.wire import content_type
from standards.clock import SystemClock
from standards.parcel import Answer, Parcel
from standards.ports import Awaited


class FormPushSettings(HttpSettings):
    """Settings of a receiver that wants its own words."""

    forms: dict[str, str] = Field(
        min_length=1,
        description="Data set = form.",
        examples=[{"random_check_result": "credit_china/random_result"}],
    )
    urls: dict[str, str] = Field({}, description="Data set = address, where it is not the address above.")
    method: Literal["POST", "PUT"] = Field("POST", description="How it is sent.")
    headers: dict[str, str] = Field({}, description="Further headers, such as SOAPAction.")
    gateway: Gateway | None = Field(None, description="How the gateway in front wants requests signed; empty: not.")
    level: str = Field("", description="Level that speaks in the answers: district, city, province, nation.")


class FormPush:
    """Implements standards.ports.Destination."""

    def __init__(self, settings: FormPushSettings, around: Surroundings) -> None:
        self._s = settings
        self._name = around.name
        self._rendering = Rendering(settings.forms, around)
        self._http = HttpTransport(settings, key=around.secret(settings.key) if settings.key else "")
        self._signer = signer_of(settings.gateway, around.secret, SystemClock(), self._post_plain)

    def _post_plain(self, url: str, body: bytes) -> bytes:
        return self._http.request("POST", url, content=body, headers={"content-type": "application/json"}).content

    def deliver(self, parcel: Parcel) -> Answer:
        """Send the rows that fit."""
        rendered = self._rendering.of(parcel)
        if not rendered.rows:
            return Answer(lines=rendered.refused, speaker=self._name, level=self._s.level)
        headers = {
            "content-type": content_type(rendered.form.file.wire),
            "idempotency-key": str(parcel.id),
            **self._s.headers,
        }
        response = self._http.request(
            self._s.method,
            self._s.urls.get(parcel.dataset, self._s.url),
            content=rendered.body(),
            headers=SignedAnew(headers, self._signer),
        )
        return answer_of(response.content, rendered, speaker=self._name, level=self._s.level)

    def collect(self, awaited: Sequence[Awaited]) -> Iterable[tuple[UUID, Answer]]:
        """Nothing comes later."""
        return ()

    def stored(self, parcel: Parcel) -> bool | None:
        """It cannot be asked."""
        return None

    def check(self) -> str:
        """Ask the address; whatever answers is there."""
        return f"{self._s.url}: HTTP {self._http.status_of(self._s.url)}"

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


MANIFEST = Manifest(
    name="form_push",
    title="按对方格式推送",
    title_en="posted in the receiver's own words",
    destination_settings=FormPushSettings,
    make_destination=FormPush,
    about=__doc__ or "",
)
