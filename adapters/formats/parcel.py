"""A parcel of another hub (a CloudEvent, see `standards.parcel`): its records in the standard's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapters.formats.base import LegacyChunk, Payload, Reading, ReadOptions, RowFault
from adapters.formats.records import ChunkBuilder, Record
from adapters.formats.refusal import unreadable
from standards.errors import PayloadTooLarge
from standards.parcel import EVENT_CONTENT_TYPE, NotAParcel, ParcelRecord, from_event

CONTENT_TYPE = EVENT_CONTENT_TYPE
#: A parcel holds some hundreds of records, so it is read whole; what is larger is none.
MAX_BYTES = 64 * 1024 * 1024


class ParcelReader:
    """Reads parcels."""

    def read(
        self, payload: Payload, options: ReadOptions, reading: Reading, resume: Mapping[str, int | str] | None = None
    ) -> Iterator[LegacyChunk]:
        """See `Reader.read`.  A record whose content is not what its digest says is a broken one."""
        reading.format, reading.encoding, reading.decoded_by = "parcel", "utf-8", "given"
        if payload.size > MAX_BYTES:
            raise PayloadTooLarge(f"a parcel of {payload.size} bytes", what_zh=f"交换包过大：{payload.size} 字节")
        with payload.open() as stream:
            body = stream.read(MAX_BYTES + 1)
        try:
            parcel = from_event(body, "")
        except NotAParcel as error:
            raise unreadable(
                f"不是交换包：{error}", f"it is no parcel: {error}", "请按接口说明发送 CloudEvent", "send a CloudEvent"
            ) from error
        if parcel.test:
            raise unreadable(
                "探测记录不是数据", "a canary is no data", "请发送到 POST /v1/parcels", "POST /v1/parcels takes it"
            )
        builder = ChunkBuilder(options, "utf-8")
        done = int(resume["record"]) if resume else 0
        for number, record in enumerate(parcel.records[done:], done):
            values = _values(record)
            if not builder.has_room(values, number):
                yield self._chunk(builder, number)
            builder.add(values, f"/data/records/{number}")
        if builder:
            yield self._chunk(builder, len(parcel.records))

    @staticmethod
    def _chunk(builder: ChunkBuilder, upto: int) -> LegacyChunk:
        built = builder.build()
        built.bookmark = {"record": upto}
        return built


def _values(record: ParcelRecord) -> Record:
    """Own and common elements of a record, with the organisation it belongs to."""
    if not record.digest_is_right():
        return RowFault("50002")
    values = {**record.common, **record.own()}
    owner = record.common.get("owner_org_code") or record.common.get("provider_code", "")
    return {
        **values,
        "owner_org_code": owner,
        "cd_operation": record.operation,
        "cd_revision": str(record.revision),
    }
