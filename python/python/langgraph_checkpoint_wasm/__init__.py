"""LangGraph checkpoints in SQLite or PostgreSQL, from one WebAssembly component."""

import atexit

from ._core import ENGINE, end
from ._ttl import TTLConfig
from .errors import CheckpointError
from .postgres import AsyncPostgresSaver, PostgresSaver
from .sqlite import AsyncSqliteSaver, RustSQLiteCheckpointer, SqliteSaver

# The extension's threads must not use Python while it ends.
atexit.register(end)

engine = ENGINE
"""Where the rules run: `"component"` under wasmtime, or `"native"`."""

__all__ = [
    "AsyncPostgresSaver",
    "AsyncSqliteSaver",
    "CheckpointError",
    "PostgresSaver",
    "RustSQLiteCheckpointer",
    "SqliteSaver",
    "TTLConfig",
    "engine",
]
