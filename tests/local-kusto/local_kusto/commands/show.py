"""Commands that show something. Query operators may follow them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from ..catalog import DATA_TYPES, Table
from ..database import Database, RowSet, quoted
from ..errors import syntax
from . import grammar
from .grammar import NAME, Command, command, table_of
from .policies import policies_of, shown


def _tables(database: Database, match: re.Match[str]) -> RowSet:
    return table_of(
        ["TableName", "DatabaseName", "Folder", "DocString"],
        [
            (table.name, database.name, table.folder, table.docstring)
            for table in database.catalog.tables.values()
        ],
    )


def _table(database: Database, match: re.Match[str]) -> RowSet:
    table = database.catalog.table(grammar.name(match["table"]))
    return table_of(
        ["AttributeName", "AttributeType", "ExtentSize", "CompressionRatio", "IndexSize"],
        [
            (name, f"System.{DATA_TYPES[kind]}", "0", "0", "0")
            for name, kind in table.columns.items()
        ],
    )


def _table_schema(database: Database, match: re.Match[str]) -> RowSet:
    table = database.catalog.table(grammar.name(match["table"]))
    as_json = "json" in match["form"].lower()
    text = json.dumps(_schema(table)) if as_json else table.schema_text()
    return table_of(
        ["TableName", "Schema", "DatabaseName", "Folder", "DocString"],
        [(table.name, text, database.name, table.folder, table.docstring)],
    )


def _schema(table: Table) -> dict[str, object]:
    return {
        "Name": table.name,
        "OrderedColumns": [
            {"Name": name, "Type": f"System.{DATA_TYPES[kind]}", "CslType": kind}
            for name, kind in table.columns.items()
        ],
    }


def _table_details(database: Database, match: re.Match[str]) -> RowSet:
    table = database.catalog.table(grammar.name(match["table"]))
    count = database.sql(f"SELECT count(*) FROM {quoted(table.name)}")[0][0]
    names = ["TableName", "DatabaseName", "Folder", "DocString"]
    columns = [(name, "string") for name in names] + [("TotalRowCount", "long")]
    return RowSet(columns, [(table.name, database.name, table.folder, table.docstring, count)])


def _mappings(database: Database, match: re.Match[str]) -> RowSet:
    table = database.catalog.table(grammar.name(match["table"]))
    return table_of(
        ["Name", "Kind", "Mapping", "LastUpdatedOn", "Database", "Table"],
        [
            (name, "Json", json.dumps(entries), "", database.name, table.name)
            for name, entries in table.mappings.items()
            if not match["mapping"] or grammar.literal(match["mapping"]) == name
        ],
    )


def _policy(database: Database, match: re.Match[str]) -> RowSet:
    policies, entity = policies_of(database, match)
    policy = match["policy"].lower()
    return shown(policy, entity, policies.get(policy))


def _column_policy(database: Database, match: re.Match[str]) -> RowSet:
    table = database.catalog.table(grammar.name(match["table"]))
    column = grammar.name(match["column"])
    profile = table.policies.get("encoding", {}).get(column)
    return shown("encoding", f"[{database.name}].[{table.name}].[{column}]", profile)


def _database_schema(database: Database, match: re.Match[str]) -> RowSet:
    if "json" in (match["form"] or ""):
        tables = {table.name: _schema(table) for table in database.catalog.tables.values()}
        shown_schema = {"Databases": {database.name: {"Name": database.name, "Tables": tables}}}
        return table_of(["DatabaseSchema"], [(json.dumps(shown_schema),)])
    rows: list[tuple[object, ...]] = [
        (database.name, table.name, column, f"System.{DATA_TYPES[kind]}")
        for table in database.catalog.tables.values()
        for column, kind in table.columns.items()
    ]
    return table_of(["DatabaseName", "TableName", "ColumnName", "ColumnType"], rows)


def _functions(database: Database, match: re.Match[str]) -> RowSet:
    wanted = match["function"] and grammar.name(match["function"])
    return table_of(
        ["Name", "Parameters", "Body", "Folder", "DocString"],
        [
            (one.name, one.parameters, one.body, one.folder, one.docstring)
            for one in database.catalog.functions.values()
            if not wanted or one.name == wanted
        ],
    )


def _views(database: Database, match: re.Match[str]) -> RowSet:
    wanted = match["view"] and grammar.name(match["view"])
    if wanted:
        database.catalog.view(wanted)
    return table_of(
        ["Name", "SourceTable", "Query", "IsHealthy", "IsEnabled", "Folder", "DocString"],
        [
            (one.name, one.source, one.query, "true", "true", one.folder, one.docstring)
            for one in database.catalog.views.values()
            if not wanted or one.name == wanted
        ],
    )


def _databases(database: Database, match: re.Match[str]) -> RowSet:
    return table_of(
        ["DatabaseName", "PersistentStorage", "Version", "PrettyName"],
        [(database.name, "", "v1.0", database.name)],
    )


def _version(database: Database, match: re.Match[str]) -> RowSet:
    return table_of(
        ["BuildVersion", "ServiceType", "ProductVersion"],
        [("1.0.0", "LocalKusto", "LocalKusto, which is not Kusto")],
    )


def _identity(database: Database, match: re.Match[str]) -> RowSet:
    return table_of(["NodeId", "Address", "Name"], [("local", "127.0.0.1", "local")])


def _piped(pattern: str, role: str, run: Callable[[Database, re.Match[str]], RowSet]) -> Command:
    """A command that query operators may follow."""

    def run_piped(database: Database, match: re.Match[str]) -> RowSet:
        result = run(database, match)
        return _pipe(database, result, match["pipe"]) if match["pipe"] else result

    return command(pattern + r"\s*(?:\|(?P<pipe>.*))?$", role, run_piped)


def _pipe(database: Database, result: RowSet, operators: str) -> RowSet:
    name = "shown_by_command"
    if name in database.catalog.tables:
        raise syntax(f"a table may not be called {name} here")
    columns = ", ".join(f"{quoted(column)} VARCHAR" for column, _ in result.columns)
    database.sql(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
    try:
        texts = [[None if value is None else str(value) for value in row] for row in result.rows]
        database.insert(name, texts)
        table = Table(name, dict.fromkeys((column for column, _ in result.columns), "string"))
        return database.query_alone(table, f"{name} | {operators}")
    finally:
        database.sql(f"DROP TABLE {name}")


_ENTITY = rf"(?P<kind>table|database|materialized-view) (?P<entity>{NAME}) policy (?P<policy>\w+)"

COMMANDS = [
    _piped(r"\.show tables(?: details)?", "viewer", _tables),
    _piped(
        rf"\.show table (?P<table>{NAME}) (?P<form>cslschema|schema(?: as (?:json|csl))?)",
        "viewer",
        _table_schema,
    ),
    _piped(rf"\.show table (?P<table>{NAME}) details", "viewer", _table_details),
    _piped(
        rf"\.show table (?P<table>{NAME}) ingestion(?: json)? mappings?"
        r"(?: (?P<mapping>'[^']+'|\"[^\"]+\"))?",
        "viewer",
        _mappings,
    ),
    _piped(rf"\.show {_ENTITY}", "viewer", _policy),
    _piped(
        rf"\.show column (?P<table>{NAME})\.(?P<column>{NAME}) policy encoding",
        "viewer",
        _column_policy,
    ),
    _piped(rf"\.show table (?P<table>{NAME})", "viewer", _table),
    _piped(rf"\.show database(?: {NAME})? schema(?P<form> as json)?", "viewer", _database_schema),
    _piped(rf"\.show functions?(?: (?P<function>{NAME}))?", "viewer", _functions),
    _piped(rf"\.show materialized-views?(?: (?P<view>{NAME}))?", "viewer", _views),
    _piped(r"\.show databases?", "viewer", _databases),
    _piped(r"\.show version", "viewer", _version),
    _piped(r"\.show cluster", "viewer", _identity),
]
