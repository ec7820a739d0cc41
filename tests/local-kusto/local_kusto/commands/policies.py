"""Commands that set policies."""

from __future__ import annotations

import json
import re
from typing import Any

from ..database import Database, RowSet
from ..errors import KustoError, entity_not_found, syntax
from ..lexer import decode_literals
from ..values import VALUE_BYTES_MAX
from . import grammar
from .grammar import NAME, command, table_of

_NAMES = {
    "autodelete": "AutoDeletePolicy",
    "caching": "CachingPolicy",
    "encoding": "EncodingPolicy",
    "ingestionbatching": "IngestionBatchingPolicy",
    "ingestiontime": "IngestionTimePolicy",
    "merge": "ExtentsMergePolicy",
    "partitioning": "PartitioningPolicy",
    "restricted_view_access": "RestrictedViewAccessPolicy",
    "retention": "RetentionPolicy",
    "roworder": "RowOrderPolicy",
    "sharding": "ShardingPolicy",
    "streamingingestion": "StreamingIngestionPolicy",
    "update": "UpdatePolicy",
}
_PROFILES = {"Identifier", "BigObject", "BigObject32", "Vector16", "Vector32", "Default"}
_DURATION = re.compile(r"(?P<count>\d+)\s*(?P<unit>d|h|m|s)$")
_UNITS = {"d": "{0}.00:00:00", "h": "{0:02}:00:00", "m": "00:{0:02}:00", "s": "00:00:{0:02}"}


def _of_entity(database: Database, match: re.Match[str]) -> RowSet:
    policies, entity = policies_of(database, match)
    policy = match["policy"].lower()
    if policy not in _NAMES:
        raise syntax(f"there is no policy {policy}")
    policies[policy] = _read(policy, match["value"].strip(), policies.get(policy))
    database.changed()
    return shown(policy, entity, policies[policy])


def _delete(database: Database, match: re.Match[str]) -> RowSet:
    policies, entity = policies_of(database, match)
    policies.pop(match["policy"].lower(), None)
    database.changed()
    return shown(match["policy"].lower(), entity, None)


def policies_of(database: Database, match: re.Match[str]) -> tuple[dict[str, Any], str]:
    """The policies of the table, view or database that the command names."""
    kind, name = match["kind"].lower(), grammar.name(match["entity"])
    if kind == "database":
        return database.catalog.policies, f"[{database.name}]"
    if kind == "materialized-view":
        database.catalog.view(name)
        kept = database.catalog.policies.setdefault(f"materialized-view {name}", {})
        return kept, f"[{database.name}].[{name}]"
    return database.catalog.table(name).policies, f"[{database.name}].[{name}]"


def _encoding(database: Database, match: re.Match[str]) -> RowSet:
    table = database.catalog.table(grammar.name(match["table"]))
    column = grammar.name(match["column"])
    if column not in table.columns:
        raise entity_not_found("Column", f"{table.name}.{column}")
    profile = grammar.literal(match["profile"])
    if profile not in _PROFILES:
        raise KustoError(f"There is no encoding profile '{profile}'.", code="BadRequest")
    table.encodings.pop(column, None)
    if profile in VALUE_BYTES_MAX:
        table.encodings[column] = profile
    table.policies.setdefault("encoding", {})[column] = profile
    database.changed()
    return shown("encoding", f"[{database.name}].[{table.name}].[{column}]", profile)


def shown(policy: str, entity: str, value: Any) -> RowSet:
    """The row of a policy."""
    text = "null" if value is None else json.dumps(value)
    return table_of(
        ["PolicyName", "EntityName", "Policy", "ChildEntities", "EntityType"],
        [(_NAMES.get(policy, policy), entity, text, "", "Table")],
    )


def _read(policy: str, text: str, before: Any) -> Any:
    decoded = decode_literals(text)
    if decoded is not None:
        return json.loads(decoded)
    if policy in ("streamingingestion", "ingestiontime"):
        words = {"enable": True, "disable": False, "true": True, "false": False}
        if text.lower() not in words:
            raise syntax("enable or disable is expected")
        return {"IsEnabled": words[text.lower()], "HintAllocatedRate": None}
    if policy == "caching":
        span = _duration(text.partition("=")[2])
        return {"DataHotSpan": span, "IndexHotSpan": span}
    if policy == "retention":
        found = dict(re.findall(r"(\w+)\s*=\s*(\w+)", text.lower()))
        merged = {"SoftDeletePeriod": "36500.00:00:00", "Recoverability": "Enabled"}
        merged.update(before or {})
        if "softdelete" in found:
            merged["SoftDeletePeriod"] = _duration(found["softdelete"])
        if "recoverability" in found:
            merged["Recoverability"] = found["recoverability"].capitalize()
        return merged
    if policy == "roworder":
        keys = re.findall(r"([\w\[\]'\"]+)\s+(asc|desc)", text)
        return [{"ColumnName": grammar.name(key), "IsAscending": way == "asc"} for key, way in keys]
    return text


def _duration(text: str) -> str:
    match = _DURATION.match(text.strip())
    if not match:
        raise syntax("a duration such as 31d is expected")
    return _UNITS[match["unit"]].format(int(match["count"]))


_ENTITY = rf"(?P<kind>table|database|materialized-view) (?P<entity>{NAME}) policy (?P<policy>\w+)"

COMMANDS = [
    command(
        rf"\.alter column (?P<table>{NAME})\.(?P<column>{NAME}) policy encoding type\s*=\s*"
        r"(?P<profile>'\w+'|\"\w+\")\s*$",
        "table-admin",
        _encoding,
    ),
    command(rf"\.(?:alter|alter-merge) {_ENTITY}(?P<value>.*)$", "table-admin", _of_entity),
    command(rf"\.delete {_ENTITY}\s*$", "table-admin", _delete),
]
