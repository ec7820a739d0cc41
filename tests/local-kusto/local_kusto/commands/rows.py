"""Commands that add and remove rows."""

from __future__ import annotations

import re
import uuid

from ..database import Database, RowSet, kept_rows, quoted
from ..errors import KustoError, syntax, unsupported
from ..ingestion import read_rows
from ..lexer import split_statements, tokens
from ..values import compact, store
from . import grammar
from .grammar import NAME, WITH, command, properties, table_of


def ingest_inline(database: Database, match: re.Match[str]) -> RowSet:
    """`.ingest inline`."""
    table = database.catalog.table(grammar.name(match["table"]))
    given = properties(match)
    mapping = given.get("ingestionmappingreference")
    data = match["data"].strip().encode("utf-8", "surrogatepass")
    database.insert(table.name, read_rows(table, data, given.get("format", "csv"), mapping))
    return table_of(
        ["ExtentId", "ItemLoaded", "Duration", "HasErrors", "OperationId"],
        [(str(uuid.uuid4()), "inline:1", "00:00:00", "false", str(uuid.uuid4()))],
    )


def _append(database: Database, match: re.Match[str]) -> RowSet:
    name = grammar.name(match["table"])
    results = database.query(match["query"], {})
    if len(results) != 1:
        raise syntax("one tabular statement is expected")
    table = database.catalog.table(name)
    kinds = list(table.columns.items())
    if len(results[0].columns) != len(kinds):
        raise KustoError("The query and the table have different columns.", code="BadRequest")
    rows = [
        [
            value if kind not in ("string", "dynamic") else _text(value, kind, table.encodings)
            for value, (_, kind) in zip(row, kinds, strict=True)
        ]
        for row in results[0].rows
    ]
    database.insert(name, rows)
    return table_of(
        ["ExtentId", "OriginalSize", "RowCount"], [(str(uuid.uuid4()), "0", str(len(rows)))]
    )


def _text(value: object, kind: str, encodings: dict[str, str]) -> object:
    if kind == "dynamic":
        return value if value is None or isinstance(value, str) else compact(value)
    return store(value, kind, encodings.get(kind))


def _delete_from_table(database: Database, match: re.Match[str]) -> RowSet:
    table = database.catalog.table(grammar.name(match["table"]))
    doomed = _doomed(database, table.name, table.name, match["predicate"])
    if "whatif" not in properties(match):
        database.keep_rows_of_views(table.name)
        _remove(database, table.name, doomed)
    return _deleted(len(doomed))


def _delete_from_view(database: Database, match: re.Match[str]) -> RowSet:
    view = database.catalog.view(grammar.name(match["view"]))
    doomed = _doomed(database, view.name, kept_rows(view.name), match["predicate"])
    if "whatif" not in properties(match):
        _remove(database, kept_rows(view.name), doomed)
    return _deleted(len(doomed))


def _doomed(database: Database, name: str, stored: str, predicate: str) -> list[int]:
    """The rows that the predicate selects, by DuckDB's numbers for them."""
    statements = split_statements(predicate)
    words = [token for token in tokens(statements[-1] if statements else "")]
    words = [token for token in words if token.kind not in ("space", "comment")]
    if len(statements) != 1 or not words or words[0].text != name:
        raise syntax("the predicate is a query of the same table")
    used = {token.text for token, before in zip(words[1:], words, strict=False)
            if before.text == "|"}
    if "where" not in used or not used <= {"where", "extend", "take", "order", "sort"}:
        raise unsupported("soft delete by anything but where, extend, order and take")
    sql = database.translate(statements[0])[0].sql
    numbered = f"FROM (SELECT *, rowid AS \"$row\" FROM {quoted(stored)})"
    return [
        row[0]
        for row in database.sql(
            f"SELECT \"$row\" FROM ({sql.replace(f'FROM {quoted(name)}', numbered)})"
        )
    ]


def _remove(database: Database, stored: str, doomed: list[int]) -> None:
    database.sql(
        f"DELETE FROM {quoted(stored)} WHERE rowid IN (SELECT unnest(CAST(? AS BIGINT[])))",
        [doomed],
    )


def _deleted(count: int) -> RowSet:
    return RowSet(
        [("ExtentId", "guid"), ("RecordsMatchPredicate", "long")], [(str(uuid.uuid4()), count)]
    )


COMMANDS = [
    command(
        rf"\.ingest inline into table (?P<table>{NAME}){WITH}\s*<\|(?P<data>.*)$",
        "ingestor",
        ingest_inline,
    ),
    command(
        rf"\.(?:append|set-or-append)(?: async)? (?P<table>{NAME}){WITH}\s*<\|(?P<query>.*)$",
        "ingestor",
        _append,
    ),
    command(
        rf"\.delete(?: async)? table (?P<table>{NAME}) records{WITH}\s*<\|(?P<predicate>.*)$",
        "admin",
        _delete_from_table,
    ),
    command(
        rf"\.delete(?: async)? materialized-view (?P<view>{NAME}) records{WITH}\s*"
        r"<\|(?P<predicate>.*)$",
        "admin",
        _delete_from_view,
    ),
]
