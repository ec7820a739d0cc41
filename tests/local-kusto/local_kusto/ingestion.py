"""The rows in the body of an ingestion."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from .catalog import Table
from .errors import KustoError, entity_not_found, unsupported
from .values import store

#: Where the next record begins.
_NEXT = re.compile(r"[^\s,]")
_PATH_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<quote>['\"])(?P<quoted>.*?)(?P=quote)\]")


def read_rows(table: Table, data: bytes, form: str, mapping: str | None) -> list[list[Any]]:
    """The rows, a value for each column. What is not UTF-8 becomes U+FFFD."""
    text = data.decode("utf-8", "replace")
    form = form.lower()
    if form in ("json", "singlejson", "multijson"):
        records = _json_records(text)
        if mapping:
            paths = _paths(table, mapping)
            return [_mapped(table, paths, record) for record in records]
        return [_identical(table, record) for record in records]
    if form == "csv":
        return [_positional(table, fields) for fields in csv.reader(io.StringIO(text)) if fields]
    raise unsupported(f"ingestion of {form}")


def _json_records(text: str) -> list[dict[str, Any]]:
    decoder = json.JSONDecoder()
    records: list[dict[str, Any]] = []
    position = 0
    while True:
        start = _NEXT.search(text, position)
        if start is None:
            return records
        try:
            value, position = decoder.raw_decode(text, start.start())
        except ValueError as error:
            raise _malformed(f"JSON after record {len(records)}") from error
        found = value if isinstance(value, list) else [value]
        if not all(isinstance(record, dict) for record in found):
            raise _malformed(f"a record after record {len(records)}: it is no object")
        records.extend(found)


def _identical(table: Table, record: dict[str, Any]) -> list[Any]:
    """Fields by the names of columns; other fields are ignored, as in Kusto."""
    encodings = table.encodings
    return [
        store(record.get(name), kind, encodings.get(name)) for name, kind in table.columns.items()
    ]


def _mapped(table: Table, paths: dict[str, list[str]], record: dict[str, Any]) -> list[Any]:
    return [
        store(_follow(record, paths.get(name)), kind, table.encodings.get(name))
        for name, kind in table.columns.items()
    ]


def _positional(table: Table, fields: list[str]) -> list[Any]:
    padded = fields + [""] * (len(table.columns) - len(fields))
    return [
        store(_parsed(field, kind), kind, table.encodings.get(name))
        for field, (name, kind) in zip(padded, table.columns.items(), strict=False)
    ]


def _parsed(field: str, kind: str) -> Any:
    if kind == "string":
        return field
    if kind == "dynamic":
        try:
            return json.loads(field)
        except ValueError:
            return field
    return field or None


def _paths(table: Table, mapping: str) -> dict[str, list[str]]:
    if mapping not in table.mappings:
        raise KustoError(
            f"Mapping reference '{mapping}' of type 'json' could not be found.",
            code="BadRequest_MappingReferenceWasNotFound",
            kind="StreamingIngestionRequestException",
        )
    paths: dict[str, list[str]] = {}
    for entry in table.mappings[mapping]:
        column = entry.get("column") or entry.get("Column") or ""
        if column not in table.columns:
            raise entity_not_found("Column", column)
        properties = entry.get("Properties") or entry.get("properties") or {}
        path = properties.get("Path") or properties.get("path") or entry.get("path") or ""
        paths[column] = [
            step["name"] or step["quoted"] for step in _PATH_STEP.finditer(path.removeprefix("$"))
        ]
    return paths


def _follow(record: Any, path: list[str] | None) -> Any:
    if path is None:
        return None
    for step in path:
        record = record.get(step) if isinstance(record, dict) else None
    return record


def _malformed(what: str) -> KustoError:
    return KustoError(
        f"The stream is malformed: cannot read {what}.",
        code="BadRequest_InvalidJson",
        kind="StreamingIngestionRequestException",
    )
