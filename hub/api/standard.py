"""`/v1/standards`: data sets, code lists and every artefact made from them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from hub.api.access import TheHub
from standards.errors import UnknownName
from standards.exports import FORMATS

router = APIRouter(prefix="/v1/standards", tags=["标准 standards"])


@router.get("/datasets", summary="数据集列表 data sets")
def datasets(hub: TheHub) -> list[dict[str, Any]]:
    """Every data set in its newest version."""
    standard = hub.generations.current().standard
    found = [standard.dataset(name) for name in standard.ids()]
    return [
        {
            "id": d.id,
            "title": d.title,
            "title_en": d.title_en,
            "version": d.version,
            "library": d.library or "",
            "elements": len(d.elements),
            "valid_from": d.valid_from.isoformat(),
        }
        for d in found
    ]


@router.get("/datasets/{name}", summary="一个数据集 one data set")
def dataset(hub: TheHub, name: str, version: str | None = None) -> dict[str, Any]:
    """Its definition."""
    found = hub.generations.current().standard.dataset(name, version)
    return found.model_dump(mode="json")


@router.get("/datasets/{name}/{form}", summary="数据集的产物 an artefact of a data set")
def artefact(hub: TheHub, name: str, form: str, version: str | None = None) -> Response:
    """JSON Schema, XSD, DDL, Excel template, handbook page."""
    standard = hub.generations.current().standard
    found = standard.dataset(name, version)
    kind = FORMATS.get(form)
    if kind is None:
        raise UnknownName(
            f"no format {form}", what_zh=f"没有名为 {form} 的产物格式", hint=f"there are: {', '.join(FORMATS)}"
        )
    headers = {"content-disposition": f'attachment; filename="{kind.file_name(found)}"'}
    return Response(kind.export(found, standard), media_type=kind.media_type, headers=headers)


@router.get("/codelists/{name}", summary="码表 a code list")
def codelist(hub: TheHub, name: str) -> dict[str, Any]:
    """Its codes."""
    return hub.generations.current().standard.codelist(name).model_dump(mode="json")
