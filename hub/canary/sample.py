"""The record that a canary carries: made up, valid, the same every time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from hub.generations import Generation
from standards.checker import Fault
from standards.clock import local
from standards.digest import canonical_json, sm3
from standards.model import Severity
from standards.parcel import Parcel, ParcelRecord
from standards.registry import Standard
from standards.samples import valid_records

CD_ID = "CANARY"


def _own(standard: Standard, dataset: str) -> bytes:
    (record,) = valid_records(standard.dataset(dataset), standard, 1)
    return canonical_json(record)


def parcel_of(generation: Generation, identifier: UUID, way: str, dataset: str, started_at: datetime) -> Parcel:
    """A canary as it travels."""
    content = _own(generation.standard, dataset)
    hub = generation.settings.hub
    record = ParcelRecord(
        cd_id=f"{CD_ID}-{hub.name}",
        revision=1,
        operation="i",
        digest=sm3(content).hex(),
        content=msgspec.Raw(content),
        common={"provider_code": hub.code},
    )
    return Parcel(
        id=identifier,
        origin=hub.name,
        destination=way,
        direction=str(generation.settings.destinations[way].direction),
        dataset=dataset,
        version=generation.standard.dataset(dataset).version,
        batch="",
        created_at=started_at,
        records=(record,),
        lane="now",
        test=True,
    )


def faults_of(generation: Generation, parcel: Parcel, now: datetime) -> list[str]:
    """What a hub finds wrong with a canary's records, as codes and elements; [] when all is well.

    The checker is the one that data meet; nothing is looked up, compared or kept.
    """
    dataset = generation.standard.dataset(parcel.dataset)
    wrong = ["50002" for record in parcel.records if not record.digest_is_right()]
    rows = [record.own() for record in parcel.records]
    columns = {e.id: [row.get(e.id, "") for row in rows] for e in dataset.elements}
    severity = generation.severity_of(dataset)
    found: list[Fault] = generation.checker(dataset).check(columns, len(rows), local(now).date().isoformat())
    return wrong + [
        f"{fault.code} {fault.element}".strip()
        for fault in found
        if severity(fault.code, fault.params.get("rule", "")) is not Severity.WARNING
    ]
