"""A PostgreSQL for tests: that of `POSTGRES_URL`, or one that is started."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from .transcripts import TABLES

SERVER = Path(__file__).parents[2] / "tests" / "local-postgres" / "server.mjs"

# Where the rows are that SQLite has in tables of their own.
FROM = {"lg_checkpoints": "lg_records", "lg_writes": "lg_records"}
WHERE = {"lg_checkpoints": " WHERE task_id = ''", "lg_writes": " WHERE task_id <> ''"}

_count = iter(range(10_000))


@contextmanager
def running() -> Iterator[str]:
    """The connection string of a server's superuser."""
    given = os.environ.get("POSTGRES_URL")
    if given is not None:
        yield given
        return
    pipe = subprocess.PIPE
    with subprocess.Popen(["node", SERVER], stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        assert url is not None, "PostgreSQL is not installed (Debian: postgresql)"
        yield url
        server.stdin.close()


def new_schema() -> str:
    """A name that nothing else uses, and that needs all the quoting that a name can need."""
    return f"lg\"te'st.\u00e9; {os.getpid():x} {next(_count)}"


def rows_of(url: str, query: str, schema: str = "public", **values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query, in which `{schema}` is the schema."""
    with psycopg.connect(url, autocommit=True) as connection:
        composed = sql.SQL(query).format(schema=sql.Identifier(schema))
        cursor = connection.execute(composed, values)
        return cursor.fetchall() if cursor.description else []


def digest_of(url: str, schema: str) -> str:
    """The digest of what is stored, as for SQLite."""
    digest = hashlib.sha256()
    for table, columns in TABLES.items():
        table_of_it = FROM.get(table, table)
        query = f"SELECT {columns} FROM {{schema}}.{table_of_it}{WHERE.get(table, '')}"
        names = columns.split(", ")
        lines = (
            "|".join(_quoted(name, value) for name, value in zip(names, row, strict=True))
            for row in rows_of(url, query, schema)
        )
        for line in sorted(line.encode() for line in lines):
            digest.update(table.encode() + b"|" + line + b"\n")
    return digest.hexdigest()


def _quoted(name: str, value: Any) -> str:
    """A column as SQLite's `quote` shows it. Metadata in JSON is text there."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes) and name != "metadata":
        return f"X'{value.hex().upper()}'"
    text = value.decode() if isinstance(value, bytes) else str(value)
    return "'" + text.replace("'", "''") + "'"
