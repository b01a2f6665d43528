"""Channel `soap_push`: parcels are handed to somebody's SOAP service, in its own words, by an outward form each.

The body that the form makes is one string argument, as in `importPermissionXml(xml)`; the answer is read as the form
says (its `answer` begins at what the operation returns).  Such services know no ids: say `idempotent = "key"` when a
row that comes again takes the place of the first, else `"none"`, and a lost answer goes to a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from pydantic import Field

from adapters.base import Manifest, Surroundings
from adapters.outward import Rendering, answer_of
from adapters.soap.calling import SoapCallSettings, SoapService
from standards.encodings import decode
from standards.parcel import Answer, Parcel
from standards.ports import Awaited


class SoapPushSettings(SoapCallSettings):
    """Settings of a SOAP service that receives."""

    forms: dict[str, str] = Field(
        min_length=1, description="Data set = form.", examples=[{"credit_penalty": "credit_china/penalty_2016"}]
    )
    operations: dict[str, str] = Field(
        min_length=1,
        description="Data set = operation that takes it.",
        examples=[{"credit_penalty": "importPenalyXml"}],
    )
    body: str = Field("xml", description="Argument that takes the message.")
    arguments: dict[str, str] = Field({}, description="Its other arguments.")
    level: str = Field("", description="Level that speaks in the answers: district, city, province, nation.")


class SoapPush:
    """Implements standards.ports.Destination."""

    def __init__(self, settings: SoapPushSettings, around: Surroundings) -> None:
        self._s = settings
        self._name = around.name
        self._rendering = Rendering(settings.forms, around)
        self._service = SoapService(settings, around.secret(settings.password) if settings.password else "")

    def deliver(self, parcel: Parcel) -> Answer:
        """Call the operation with the rows that fit."""
        rendered = self._rendering.of(parcel)
        if not rendered.rows:
            return Answer(lines=rendered.refused, speaker=self._name, level=self._s.level)
        wire = rendered.form.file.wire
        arguments = {**self._s.arguments, self._s.body: decode(rendered.body(), wire.encoding)}
        said = self._service.call(self._s.operations[parcel.dataset], arguments)
        # One returned string stands as it is; several returned values as JSON, for a form that reads JSON.
        text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, default=str)
        return answer_of(text.encode(), rendered, speaker=self._name, level=self._s.level)

    def collect(self, awaited: Sequence[Awaited]) -> Iterable[tuple[UUID, Answer]]:
        """Nothing comes later."""
        return ()

    def stored(self, parcel: Parcel) -> bool | None:
        """It cannot be asked."""
        return None

    def check(self) -> str:
        """Read the WSDL and look for the operations; nothing is called, because a call would hand something over."""
        return self._service.offers(self._s.operations.values())

    def close(self) -> None:
        """Let go of the connections."""
        self._service.close()


MANIFEST = Manifest(
    name="soap_push",
    title="调用对方 Web 服务推送",
    title_en="handed to a SOAP service in its own words",
    destination_settings=SoapPushSettings,
    make_destination=SoapPush,
    about=__doc__ or "",
)
