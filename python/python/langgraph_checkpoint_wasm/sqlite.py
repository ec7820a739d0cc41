"""Checkpoints in a SQLite file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import Never, Self

from ._core import open_sqlite
from ._lifecycle import LifecycleSaver
from ._ttl import Ttl, TTLConfig
from .errors import InvalidInputError
from .saver import CACHE_BYTES

if TYPE_CHECKING:
    import aiosqlite
    from langgraph.checkpoint.serde.base import SerializerProtocol

__all__ = ["AsyncSqliteSaver", "RustSQLiteCheckpointer", "SqliteSaver"]


class SqliteSaver(LifecycleSaver):
    """Keeps LangGraph's checkpoints in a SQLite file.

    It serves `invoke` and `ainvoke`, threads and event loops alike. Use it as a value, in `with` or
    in `async with`.
    """

    def __init__(
        self,
        conn: str | os.PathLike[str] | sqlite3.Connection | aiosqlite.Connection,
        *,
        serde: SerializerProtocol | None = None,
        synchronous: Literal["full", "normal"] = "full",
        busy_timeout: float = 5.0,
        read_only: bool = False,
        cache_bytes: int = CACHE_BYTES,
        ttl: TTLConfig | None = None,
        **unknown: Never,
    ) -> None:
        """Open a file, and create it if it is missing.

        Args:
            conn: A path, or `":memory:"` for a database that ends with the saver. The file of an
                open `sqlite3.Connection` or `aiosqlite.Connection` is opened again, and only read
                if the connection only reads. The connection itself is not used, and must not be
                used or closed before the saver is closed. It must not have a transaction under way.
            serde: What serializes values. LangGraph's `JsonPlusSerializer` by default.
            synchronous: When a commit waits for the disk. `"full"`: each time, so that a call that
                returned survives a loss of power. `"normal"`: a loss of power may undo the last
                calls, but never damages the file.
            busy_timeout: How long a call waits for a lock of another connection, in seconds.
            read_only: Whether the file is only read; it must exist.
            cache_bytes: How much memory may be used for the values that were stored and read last:
                what is unchanged in them is neither serialized nor stored nor read again.
            ttl: Which idle threads expire by themselves. A sweep in the background deletes them, or
                keeps their latest state with the strategy `"keep_latest"`, in one of the processes
                that use the file, until the saver is closed. By default none do.
            **unknown: Nothing: other options are refused.

        """
        super().__init__(serde=serde, cache_bytes=cache_bytes, unknown=unknown)
        if isinstance(conn, (str, os.PathLike)):
            path = _location(conn)
        else:
            path, reads_only = _file_of(conn)
            read_only = read_only or reads_only
            # Python has another copy of SQLite. When it closes the file, the system releases the
            # locks of the whole process, so it must not happen before the saver is closed.
            self.conn = conn
        options = {
            "synchronous": synchronous,
            "busy_timeout": busy_timeout,
            "read_only": read_only,
        }
        checked = None if ttl is None else Ttl.of(ttl)
        if checked is not None and read_only:
            message = "the option ttl has to be None where the file is only read"
            raise InvalidInputError(message, "invalid-option")
        self._store = open_sqlite(path, options)
        self._start_sweeping(checked)

    @classmethod
    def from_conn_string(cls, conn_string: str) -> Self:
        """Open the file with this path, or `":memory:"`."""
        return cls(conn_string)


AsyncSqliteSaver = SqliteSaver
RustSQLiteCheckpointer = SqliteSaver


# The database's files, what a transaction for writing would do, and whether it may.
_QUESTIONS = ("PRAGMA database_list", "EXPLAIN BEGIN IMMEDIATE", "PRAGMA query_only")


def _location(conn: str | os.PathLike[str]) -> str:
    try:
        path = os.fsdecode(conn)
        os.fsencode(path)
    except (TypeError, UnicodeError) as error:
        raise InvalidInputError(
            "the location is no path; see the cause", "invalid-location"
        ) from error
    if not path or "\0" in path:
        raise InvalidInputError(
            "the location has to be a path without U+0000, or ':memory:'", "invalid-location"
        )
    if isinstance(conn, str) and path.startswith("file:"):
        raise InvalidInputError(
            "the location is a URL; pass a path, and read_only=True for mode=ro. A file whose name "
            "begins so can be passed as pathlib.Path",
            "invalid-location",
        )
    return path


def _file_of(connection: Any) -> tuple[str, bool]:
    """Ask a connection for its file, and whether it only reads it."""
    # Who has a connection of aiosqlite has imported it.
    aiosqlite = sys.modules.get("aiosqlite")
    if isinstance(connection, sqlite3.Connection):
        answers = _answers(connection)
    elif aiosqlite is not None and isinstance(connection, aiosqlite.Connection):
        # It answers in the event loop that asks, and this thread may be in one.
        with ThreadPoolExecutor(1) as pool:
            answers = pool.submit(asyncio.run, _ask(connection)).result()
    else:
        raise InvalidInputError(
            f"conn is of type {type(connection).__name__}; pass a path, ':memory:', or a "
            "connection of sqlite3 or aiosqlite",
            "invalid-database",
        )
    if connection.in_transaction:
        # The saver's copy of SQLite does not see its locks, so the two would overwrite each other.
        raise InvalidInputError(
            "the connection has a transaction under way; commit it or roll it back before",
            "invalid-database",
        )
    databases, begin, ((query_only,),) = answers
    path = next((file for _, name, file in databases if name == "main"), "")
    if not path:
        raise InvalidInputError(
            "the connection has a database in memory that only it can use; pass a path, or "
            "':memory:' for a new one",
            "invalid-database",
        )
    if not os.path.exists(path):
        raise InvalidInputError(
            "the file of the connection was deleted or moved; open it again, or pass a path",
            "invalid-database",
        )
    # The operation `Transaction` of the main database, which is 0, writes if its second number is
    # not 0. Nothing else says how a connection was opened.
    writes = any(
        (operation, database) == ("Transaction", 0) and for_writing
        for _, operation, database, for_writing, *_ in begin
    )
    return path, bool(query_only) or not writes


def _answers(connection: sqlite3.Connection) -> list[list[Any]]:
    try:
        cursor = connection.cursor()
        cursor.row_factory = None
        return [cursor.execute(question).fetchall() for question in _QUESTIONS]
    except sqlite3.Error as error:
        raise InvalidInputError(
            "the connection of sqlite3 cannot be used here; pass an open one of this thread, or "
            "its path",
            "invalid-database",
        ) from error


async def _ask(connection: aiosqlite.Connection) -> list[list[Any]]:
    answers = []
    try:
        async with connection.cursor() as cursor:
            cursor.row_factory = None
            for question in _QUESTIONS:
                await cursor.execute(question)
                answers.append(list(await cursor.fetchall()))
    except (ValueError, sqlite3.Error) as error:
        raise InvalidInputError(
            "the connection of aiosqlite is not open; await it first, or pass its path",
            "invalid-database",
        ) from error
    return answers
