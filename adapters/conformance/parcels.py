"""Parcels as the hub makes them, of valid sample records; and what adapters are told about the hub."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from uuid import UUID

import msgspec

from adapters.base import Surroundings
from standards.clock import FrozenClock, local_text
from standards.digest import canonical_json, cd_id, join_key, sm3, uuid7
from standards.errors import BadConfiguration
from standards.parcel import Parcel, ParcelRecord
from standards.registry import Standard, built_in
from standards.samples import Samples

NOW = datetime(2025, 7, 1, 2, 0, 0, tzinfo=UTC)
PROVIDER = "11140200A4L2GB1F45"
_BATCHES = count(1)


def clock() -> FrozenClock:
    """A clock that stands still on the day the samples are made for."""
    return FrozenClock(NOW)


def around(name: str = "province", level: str = "city", **secrets: str) -> Surroundings:
    """What an adapter is told."""

    def secret(reference: str) -> str:
        if reference not in secrets.values() and reference.removeprefix("env:") not in secrets:
            raise BadConfiguration(f"no secret {reference}")
        return secrets[reference.removeprefix("env:")]

    return Surroundings(
        name=name,
        hub="city-hub",
        level=level,
        region="420100",
        party_code="11140000N8Y3CP4F3H",
        hub_code=PROVIDER,
        standard=built_in(),
        secret=secret,
    )


@cache
def _pool(dataset: str, size: int) -> tuple[dict[str, str], ...]:
    standard: Standard = built_in()
    return tuple(Samples(standard.dataset(dataset), standard, seed=7, whole=True).records(size))


def contents(size: int, dataset: str = "punish_action") -> list[dict[str, str]]:
    """That many valid records, complete as an upper platform would see them."""
    return [dict(record) for record in _pool(dataset, size)]


def a_record(
    content: dict[str, str], *, dataset: str = "punish_action", revision: int = 1, operation: str = "i"
) -> ParcelRecord:
    """A record with its common elements, as the hub fills them; batch and time come with the parcel."""
    definition = built_in().dataset(dataset)
    key = cd_id(PROVIDER, dataset, join_key([content[name] for name in definition.natural_key]))
    own = {name: value for name, value in content.items() if name in definition.by_id and value}
    encoded = canonical_json(own)
    digest = sm3(encoded).hex()
    common = {
        "record_unique_identity": key,
        "cd_id": key,
        "cd_source": PROVIDER,
        "cd_operation": operation,
        "dataset_version": definition.version,
        "provider_code": PROVIDER,
        "report_way": "4",
        "trace_id": uuid7().hex,
        "content_digest": digest,
    }
    if definition.event_date and (day := content.get(definition.event_date, "")[:10]):
        common["event_date"] = day
    return ParcelRecord(
        cd_id=key,
        revision=revision,
        operation=operation,
        digest=digest,
        content=msgspec.Raw(encoded),
        common=common,
    )


def a_parcel(
    records: Iterable[ParcelRecord], *, dataset: str = "punish_action", identifier: UUID | None = None
) -> Parcel:
    """A parcel; each has a higher batch number than those before."""
    batch = f"20250701{next(_BATCHES):05}"
    common = {"cd_batch": batch, "cd_time": local_text(NOW)}
    return Parcel(
        id=identifier or uuid7(),
        origin="city-hub",
        destination="province",
        direction="up",
        dataset=dataset,
        version=built_in().dataset(dataset).version,
        batch=batch,
        created_at=NOW,
        records=tuple(msgspec.structs.replace(r, common={**r.common, **common}) for r in records),
        hops=("city-hub",),
    )


def some(size: int, dataset: str = "punish_action") -> Parcel:
    """A parcel of the first sample records."""
    return a_parcel([a_record(c, dataset=dataset) for c in contents(size, dataset)], dataset=dataset)


def again(parcel: Parcel) -> Parcel:
    """The same parcel, sent once more."""
    return replace(parcel, attempt=parcel.attempt + 1)


def revised(content: dict[str, str], revision: int, **changes: str) -> ParcelRecord:
    """A later revision of a record."""
    return a_record({**content, **changes}, revision=revision, operation="u")
