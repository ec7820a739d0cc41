"""Checkpoints in a SQLite file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import Self

from ._core import open_sqlite
from .errors import InvalidInputError
from ._lifecycle import LifecycleSaver
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
    ) -> None:
        """Open a file, and create it if it is missing.

        Args:
            conn: A path, or `":memory:"` for a database that ends with the saver. The file of an
                open `sqlite3.Connection` or `aiosqlite.Connection` is opened again. The connection
                itself is not used, and must not be used or closed before the saver is closed. It
                must not have a transaction under way.
            serde: What serializes values. LangGraph's `JsonPlusSerializer` by default.
            synchronous: When a commit waits for the disk. `"full"`: each time, so that a call that
                returned survives a loss of power. `"normal"`: a loss of power may undo the last
                calls, but never damages the file.
            busy_timeout: How long a call waits for a lock of another connection, in seconds.
            read_only: Whether the file is only read; it must exist.
            cache_bytes: How much memory may be used for the values that were stored and read last:
                what is unchanged in them is neither serialized nor stored nor read again.

        """
        if not isinstance(conn, (str, os.PathLike)):
            path: str | os.PathLike[str] = _file_of(conn)
            # Python has another copy of SQLite. When it closes the file, the system releases the
            # locks of the whole process, so it must not happen before the saver is closed.
            self.conn = conn
        else:
            path = conn
            _check_location(os.fspath(path))
        if isinstance(cache_bytes, bool) or not isinstance(cache_bytes, int) or cache_bytes < 0:
            raise InvalidInputError(
                "cache_bytes has to be a number of bytes, not negative", "invalid-option"
            )
        try:
            store = open_sqlite(path, synchronous, busy_timeout, read_only)
        except (TypeError, UnicodeError, OverflowError) as error:
            raise InvalidInputError(
                "an option has another type than it has to have; see the cause", "invalid-option"
            ) from error
        super().__init__(store, serde=serde, cache_bytes=cache_bytes)

    @classmethod
    def from_conn_string(cls, conn_string: str) -> Self:
        """Open the file with this path, or `":memory:"`."""
        return cls(conn_string)


AsyncSqliteSaver = SqliteSaver
RustSQLiteCheckpointer = SqliteSaver


_DATABASES = "PRAGMA database_list"


def _check_location(path: str | bytes) -> None:
    text = os.fsdecode(path)
    if not text or "\0" in text:
        raise InvalidInputError(
            "the location has to be a path without U+0000, or ':memory:'", "invalid-location"
        )


def _file_of(connection: Any) -> str:
    """Ask a connection for its file."""
    databases: list[tuple[int, str, str]]
    # Who has a connection of aiosqlite has imported it.
    aiosqlite = sys.modules.get("aiosqlite")
    if isinstance(connection, sqlite3.Connection):
        databases = _databases(connection)
    elif aiosqlite is not None and isinstance(connection, aiosqlite.Connection):
        # It answers in the event loop that asks, and this thread may be in one.
        with ThreadPoolExecutor(1) as pool:
            databases = pool.submit(asyncio.run, _ask(connection)).result()
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
    path = next((file for _, name, file in databases if name == "main"), "")
    if path:
        return path
    raise InvalidInputError(
        "the connection has a database in memory that only it can use; pass a path, or "
        "':memory:' for a new one",
        "invalid-database",
    )


def _databases(connection: sqlite3.Connection) -> list[tuple[int, str, str]]:
    try:
        cursor = connection.cursor()
        cursor.row_factory = None
        return cursor.execute(_DATABASES).fetchall()
    except sqlite3.Error as error:
        raise InvalidInputError(
            "the connection of sqlite3 cannot be used here; pass an open one of this thread, or "
            "its path",
            "invalid-database",
        ) from error


async def _ask(connection: aiosqlite.Connection) -> list[Any]:
    try:
        return list(await connection.execute_fetchall(_DATABASES))
    except ValueError as error:
        raise InvalidInputError(
            "the connection of aiosqlite is not open; await it first, or pass its path",
            "invalid-database",
        ) from error
