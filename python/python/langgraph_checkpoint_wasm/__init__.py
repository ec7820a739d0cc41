"""LangGraph checkpoints in SQLite, from one WebAssembly component."""

from ._core import ENGINE
from .errors import CheckpointError
from .sqlite import AsyncSqliteSaver, RustSQLiteCheckpointer, SqliteSaver

engine = ENGINE
"""Where the rules run: `"component"` under wasmtime, or `"native"`."""

__all__ = [
    "AsyncSqliteSaver",
    "CheckpointError",
    "RustSQLiteCheckpointer",
    "SqliteSaver",
    "engine",
]
