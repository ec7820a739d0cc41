"""Opens the savers that are compared."""

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver as StockSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver as AsyncStockSaver

from langgraph_checkpoint_wasm import SqliteSaver

Saver = BaseCheckpointSaver[Any]
NAMES = ("stock", "ours")


def open_saver(name: str, path: Path, synchronous: str = "normal") -> Saver:
    """Open a saver on a file with a write-ahead log. Close it with `close_saver`."""
    if name == "ours":
        return SqliteSaver(path, synchronous="full" if synchronous == "full" else "normal")
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    saver = StockSaver(connection)
    saver.setup()
    return saver


def close_saver(saver: Any) -> None:
    """Close a saver of `open_saver`."""
    if isinstance(saver, SqliteSaver):
        saver.close()
    else:
        saver.conn.close()


async def open_async(name: str, path: Path, synchronous: str, stack: AsyncExitStack) -> Saver:
    """Open a saver for asyncio, which is closed with the stack."""
    if name == "ours":
        saver = SqliteSaver(path, synchronous="full" if synchronous == "full" else "normal")
        return await stack.enter_async_context(saver)
    connection = await stack.enter_async_context(aiosqlite.connect(path))
    await connection.execute("PRAGMA journal_mode = WAL")
    await connection.execute(f"PRAGMA synchronous = {synchronous}")
    stock = AsyncStockSaver(connection)
    await stock.setup()
    return stock


def size_of(path: Path) -> int:
    """Return how many bytes a closed database takes, once its log is in the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint (TRUNCATE)")
    return path.stat().st_size
