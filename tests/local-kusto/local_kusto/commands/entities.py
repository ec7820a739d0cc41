"""Commands that create and drop tables, mappings, functions and views."""

from __future__ import annotations

import json
import re
from copy import deepcopy

from ..catalog import Function, Table, View
from ..database import Database, RowSet, kept_rows, quoted
from ..errors import KustoError, entity_not_found, syntax
from ..lexer import names
from . import grammar
from .grammar import NAME, WITH, command, properties, table_of

#: The end of a view's query.
_KEYS = re.compile(rf"\bby\s+(?P<keys>{NAME}(?:\s*,\s*{NAME})*)\s*$")
_DOCSTRING = re.compile(rf"(?P<column>{NAME})\s*:\s*(?P<docstring>'[^']*'|\"[^\"]*\")")


def _create_table(database: Database, match: re.Match[str]) -> RowSet:
    name = grammar.name(match["table"])
    merge = "merge" in match["verb"].lower()
    if not merge and name in database.catalog.tables:
        raise KustoError(
            f"Entity '{name}' of kind 'Table' already exists.",
            code="BadRequest_EntityAlreadyExists",
            kind="EntityAlreadyExistsException",
        )
    given = properties(match)
    columns = grammar.columns(match["columns"])
    existing = database.catalog.tables.get(name)
    for column, kind in columns.items():
        if existing and existing.columns.get(column, kind) != kind:
            raise KustoError(
                f"Column '{column}' of table '{name}' has another type.",
                code="BadRequest_IncompatibleColumnType",
            )
    database.create_table(Table(name, columns, given.get("folder", ""), given.get("docstring", "")))
    table = database.catalog.table(name)
    return table_of(
        ["TableName", "Schema", "DatabaseName", "Folder", "DocString"],
        [(name, table.schema_text(), database.name, table.folder, table.docstring)],
    )


def _create_table_based_on(database: Database, match: re.Match[str]) -> RowSet:
    """A table with the columns and policies of another one."""
    name = grammar.name(match["table"])
    if name not in database.catalog.tables:
        given = properties(match)
        like = deepcopy(database.catalog.table(grammar.name(match["like"])))
        like.name, like.mappings = name, {}
        like.folder = given.get("folder", like.folder)
        like.docstring = given.get("docstring", f"Created based on {grammar.name(match['like'])}")
        database.create_table(like)
    elif not match["ifnotexists"]:
        raise KustoError(
            f"Entity '{name}' of kind 'Table' already exists.",
            code="BadRequest_EntityAlreadyExists",
            kind="EntityAlreadyExistsException",
        )
    table = database.catalog.table(name)
    return table_of(["TableName", "Schema"], [(table.name, table.schema_text())])


def _set_docstrings(database: Database, match: re.Match[str]) -> RowSet:
    table = database.catalog.table(grammar.name(match["table"]))
    for one in _DOCSTRING.finditer(match["docstrings"]):
        column = grammar.name(one["column"])
        if column not in table.columns:
            raise entity_not_found("Column", column)
        table.docstrings[column] = grammar.literal(one["docstring"])
    database.changed()
    return table_of(["TableName", "DatabaseName"], [(table.name, database.name)])


def _drop_table(database: Database, match: re.Match[str]) -> RowSet:
    name = grammar.name(match["table"])
    if name not in database.catalog.tables and not match["ifexists"]:
        raise entity_not_found("Table", name)
    if name in database.catalog.tables:
        if any(view.source == name for view in database.catalog.views.values()):
            raise KustoError(f"Table '{name}' has a materialized view.", code="BadRequest")
        database.make(f"DROP TABLE {quoted(name)}")
        del database.catalog.tables[name]
        database.changed()
    return table_of(["TableName", "DatabaseName"], [(name, database.name)])


def _clear_table(database: Database, match: re.Match[str]) -> RowSet:
    table = database.catalog.table(grammar.name(match["table"]))
    database.release(everything=True)
    database.sql(f"DELETE FROM {quoted(table.name)}")
    return table_of(["Result"], [("Completed",)])


def _create_mapping(database: Database, match: re.Match[str]) -> RowSet:
    table = database.catalog.table(grammar.name(match["table"]))
    mapping = grammar.literal(match["mapping"])
    try:
        entries = json.loads(grammar.literal(match["entries"]))
    except ValueError as error:
        raise syntax("the entries of the mapping are no JSON") from error
    unknown = [entry for entry in entries if entry.get("column") not in table.columns]
    if unknown:
        raise entity_not_found("Column", str(unknown[0].get("column")))
    table.mappings[mapping] = entries
    database.changed()
    return table_of(
        ["Name", "Kind", "Mapping", "Database", "Table"],
        [(mapping, "Json", json.dumps(entries), database.name, table.name)],
    )


def _create_function(database: Database, match: re.Match[str]) -> RowSet:
    given = properties(match)
    name = grammar.name(match["function"])
    parameters, rest = grammar.head_and_rest(match["rest"], "(", ")")
    body, after = grammar.head_and_rest(rest, "{", "}")
    if after.strip():
        raise syntax("nothing may follow the body of a function")
    before = dict(database.catalog.functions)
    if name in before and match["ifnotexists"]:
        return _functions_row(before[name])
    function = Function(
        name,
        f"({parameters})",
        "{" + body + "}",
        given.get("folder", ""),
        given.get("docstring", ""),
    )
    database.catalog.functions[name] = function
    try:
        database.changed()
        if all("=" in parameter for parameter in parameters.split(",") if parameter.strip()):
            # Kusto checks a body when it is stored.
            database.translated(f"{name}()")
    except KustoError:
        database.catalog.functions = before
        database.changed()
        raise
    return _functions_row(function)


def _functions_row(function: Function) -> RowSet:
    return table_of(
        ["Name", "Parameters", "Body", "Folder", "DocString"],
        [(function.name, function.parameters, function.body, function.folder, function.docstring)],
    )


def _drop_function(database: Database, match: re.Match[str]) -> RowSet:
    name = grammar.name(match["function"])
    if database.catalog.functions.pop(name, None) is None and not match["ifexists"]:
        raise entity_not_found("Function", name)
    database.changed()
    return table_of(["Name"], [(name,)])


def _create_view(database: Database, match: re.Match[str]) -> RowSet:
    given = properties(match)
    name = grammar.name(match["view"])
    source = grammar.name(match["table"])
    query, after = grammar.head_and_rest(match["rest"], "{", "}")
    if after.strip():
        raise syntax("nothing may follow the query of a view")
    alter = "alter" in match["verb"].lower()
    if name in database.catalog.views and not alter:
        if match["ifnotexists"]:
            return _view_row(database.catalog.views[name])
        raise KustoError(
            f"Entity '{name}' of kind 'MaterializedView' already exists.",
            code="BadRequest_EntityAlreadyExists",
            kind="EntityAlreadyExistsException",
        )
    backfill = given.get("backfill", "false").lower() == "true"
    if backfill and not match["asynchronous"] and not alter:
        raise KustoError("A view with backfill is made by an async command.", code="BadRequest")
    if {"order", "sort", "top", "now", "ago"} & names(query):
        raise KustoError("The query of a view cannot sort or ask for the time.", code="BadRequest")
    keys = _KEYS.search(query)
    if not keys:
        raise KustoError("The query of a view ends in summarize ... by ...", code="BadRequest")
    view = View(
        name,
        source,
        query.strip(),
        {},
        [grammar.name(key) for key in keys["keys"].split(",")],
        given.get("folder", ""),
        given.get("docstring", ""),
    )
    database.create_view(view)
    return _view_row(view)


def _view_row(view: View) -> RowSet:
    return table_of(
        ["Name", "SourceTable", "Query", "IsHealthy", "IsEnabled", "Folder", "DocString"],
        [(view.name, view.source, view.query, "true", "true", view.folder, view.docstring)],
    )


def _drop_view(database: Database, match: re.Match[str]) -> RowSet:
    name = grammar.name(match["view"])
    if name in database.catalog.views:
        database.make(f"DROP VIEW {quoted(name)}")
        database.make(f"DROP TABLE {quoted(kept_rows(name))}")
        del database.catalog.views[name]
        database.changed()
    elif not match["ifexists"]:
        raise entity_not_found("MaterializedView", name)
    return table_of(["Name"], [(name,)])


def _nothing(database: Database, match: re.Match[str]) -> RowSet:
    """Does nothing: the schema is never cached here, and roles come from settings."""
    return table_of(["Result"], [("Completed",)])


COMMANDS = [
    command(
        rf"\.create table (?P<table>{NAME}) based-on (?P<like>{NAME})"
        rf"(?P<ifnotexists> ifnotexists)?{WITH}\s*$",
        "admin",
        _create_table_based_on,
    ),
    command(
        rf"\.(?P<verb>create|create-merge|alter-merge) table (?P<table>{NAME})\s*"
        rf"\((?P<columns>[^()]*)\){WITH}\s*$",
        "user",
        _create_table,
    ),
    command(
        rf"\.(?:alter|alter-merge) table (?P<table>{NAME}) column-docstrings\s*"
        r"\((?P<docstrings>.*)\)\s*$",
        "table-admin",
        _set_docstrings,
    ),
    command(
        rf"\.drop table (?P<table>{NAME})(?P<ifexists> ifexists)?\s*$", "table-admin", _drop_table
    ),
    command(rf"\.clear table (?P<table>{NAME}) data\s*$", "table-admin", _clear_table),
    command(
        rf"\.(?:create|create-or-alter|alter) table (?P<table>{NAME}) ingestion json mapping "
        r"(?P<mapping>'[^']+'|\"[^\"]+\")\s+(?P<entries>.*)$",
        "ingestor",
        _create_mapping,
    ),
    command(
        rf"\.(?:create|create-or-alter|alter) function(?P<ifnotexists> ifnotexists)?{WITH} "
        rf"(?P<function>{NAME})\s*(?P<rest>\(.*)$",
        "user",
        _create_function,
    ),
    command(
        rf"\.drop function (?P<function>{NAME})(?P<ifexists> ifexists)?\s*$", "user", _drop_function
    ),
    command(
        rf"\.(?P<verb>create|create-or-alter|alter)(?P<asynchronous> async)?"
        rf"(?P<ifnotexists> ifnotexists)? materialized-view{WITH} (?P<view>{NAME}) "
        rf"on table (?P<table>{NAME})\s*(?P<rest>\{{.*)$",
        "admin",
        _create_view,
    ),
    command(
        rf"\.drop materialized-view (?P<view>{NAME})(?P<ifexists> ifexists)?\s*$",
        "admin",
        _drop_view,
    ),
    command(r"\.clear database cache streamingingestion schema\s*$", "ingestor", _nothing),
    command(r"\.(?:add|set|drop) (?:database|table|cluster) .*\(.*\).*$", "admin", _nothing),
]
