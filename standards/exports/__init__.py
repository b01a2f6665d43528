"""Every artefact that is made from a data set's definition.  `FORMATS` names them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from standards.exports import ddl, handbook, json_schema, workbook, xsd
from standards.model import DataSet
from standards.registry import Standard


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of artefact."""

    title: str
    title_en: str
    suffix: str
    media_type: str
    export: Callable[[DataSet, Standard], bytes]

    def file_name(self, dataset: DataSet) -> str:
        """The name of the artefact as a file."""
        return f"{dataset.id}-{dataset.version}{self.suffix}"


_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

FORMATS: Mapping[str, Format] = {
    "json-schema": Format("JSON Schema", "JSON Schema", ".schema.json", "application/schema+json", json_schema.export),
    "xsd": Format("XML Schema", "XML Schema", ".xsd", "application/xml", xsd.export),
    "ddl-postgresql": Format(
        "前置库建表（PostgreSQL）", "DDL for PostgreSQL", ".postgresql.sql", "text/plain", ddl.postgresql
    ),
    "ddl-mysql": Format("前置库建表（MySQL）", "DDL for MySQL", ".mysql.sql", "text/plain", ddl.mysql),
    "ddl-oracle": Format("前置库建表（Oracle）", "DDL for Oracle", ".oracle.sql", "text/plain", ddl.oracle),
    "ddl-dameng": Format("前置库建表（达梦）", "DDL for 达梦", ".dameng.sql", "text/plain", ddl.dameng),
    "xlsx": Format("Excel 填报模板", "Excel template", ".xlsx", _SHEET, workbook.export),
    "handbook": Format("手册页", "Handbook page", ".md", "text/markdown; charset=utf-8", handbook.export),
}

__all__ = ["FORMATS", "Format"]
