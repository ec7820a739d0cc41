"""Commands that add and remove rows."""

from __future__ import annotations

import re
import uuid

from ..database import AMONG, Database, RowSet, kept_rows, quoted
from ..errors import KustoError, syntax, unsupported
from ..ingestion import read_rows
from ..lexer import decode_literals, tokens
from ..values import compact, store
from . import grammar
from .grammar import NAME, WITH, command, properties, table_of


def ingest_inline(database: Database, match: re.Match[str]) -> RowSet:
    """`.ingest inline`."""
    table = database.catalog.table(grammar.name(match["table"]))
    given = properties(match)
    mapping = given.get("ingestionmappingreference")
    data = match["data"].strip().encode("utf-8", "surrogatepass")
    database.ingest(table.name, read_rows(table, data, given.get("format", "csv"), mapping))
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
    _check_predicate(table.name, match["predicate"])
    numbered = f'FROM (SELECT *, rowid AS "$row" FROM {quoted(table.name)})'
    sql = database.translated(match["predicate"])
    selected = sql.replace(f"FROM {quoted(table.name)}", numbered)
    doomed = [row[0] for row in database.sql(f'SELECT "$row" FROM ({selected})')]
    if not _what_if(match):
        database.keep_for_views(table.name, doomed)
        database.sql(f"DELETE FROM {quoted(table.name)} {AMONG}", [doomed])
    return _deleted(len(doomed))


def _delete_from_view(database: Database, match: re.Match[str]) -> RowSet:
    view = database.catalog.view(grammar.name(match["view"]))
    _check_predicate(view.name, match["predicate"])
    doomed = database.query(match["predicate"], {})[0]
    places = [[name for name, _ in doomed.columns].index(key) for key in view.keys]
    if not _what_if(match):
        condition = " AND ".join(f"{quoted(key)} IS NOT DISTINCT FROM ?" for key in view.keys)
        for row in doomed.rows:
            database.sql(
                f"DELETE FROM {quoted(kept_rows(view.name))} WHERE {condition}",
                [row[place] for place in places],
            )
    return _deleted(len(doomed.rows))


def _what_if(match: re.Match[str]) -> bool:
    return properties(match).get("whatif", "false").lower() == "true"


def _check_predicate(name: str, predicate: str) -> None:
    """Refuses what the service refuses: conditions that are not on the rows themselves."""
    words = [token.text for token in tokens(predicate) if token.kind not in ("space", "comment")]
    subject = [word for word in words[:4] if word not in "[]"][:1]
    if not subject or (decode_literals(subject[0]) or subject[0]) != name or ";" in words:
        raise syntax("the predicate is a query of the same table")
    operators = {word for word, before in zip(words[1:], words, strict=False) if before == "|"}
    if "where" not in operators or not operators <= {"where", "extend", "take", "order", "sort"}:
        raise unsupported("soft delete by anything but where, extend, order and take")


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
