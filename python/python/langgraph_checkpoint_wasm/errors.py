"""Every error that a saver raises on purpose.

Programs should use `code`: codes are stable, messages are for people. No message contains a value,
a token or a key.
"""

from __future__ import annotations

import sqlite3
from typing import Literal

__all__ = [
    "CheckpointError",
    "ComponentError",
    "CorruptError",
    "DeniedError",
    "InvalidInputError",
    "ProtocolError",
    "SerializationError",
    "StorageError",
    "StoreError",
    "UnavailableError",
    "UnsupportedFormatError",
]


class CheckpointError(Exception):
    """The base class of every error that a saver raises on purpose."""

    code: str
    """Stable, for programs: lower-case words joined by hyphens."""
    stored: Literal["nothing", "unknown"]
    """What the call left in the store: nothing of it, or all or nothing, which is not known."""

    def __init__(
        self, message: str, code: str, stored: Literal["nothing", "unknown"] = "nothing"
    ) -> None:
        """Make an error with a message for people and a code for programs."""
        super().__init__(message, code, stored)
        self.code = code
        self.stored = stored

    def __str__(self) -> str:
        """Return the message."""
        return str(self.args[0])


class InvalidInputError(CheckpointError, ValueError):
    """The caller's input is not acceptable. Nothing was stored."""


class SerializationError(CheckpointError):
    """A value could not be written, or stored bytes could not be read."""


class CorruptError(CheckpointError):
    """The stored data is damaged or incomplete."""


class UnsupportedFormatError(CheckpointError):
    """The store has a newer format than this package can read."""


class ProtocolError(CheckpointError):
    """The parts of this package disagree. This is a defect: please report it."""


class ComponentError(CheckpointError):
    """The component failed, or cannot be loaded. After a failure the next call gets a new one."""


class StoreError(CheckpointError):
    """The store failed. The saver stays usable."""


class StorageError(StoreError, sqlite3.OperationalError):
    """SQLite or PostgreSQL failed, or the connection to it."""


class UnavailableError(StoreError):
    """The store did not answer in time or refused for the moment, or others change the thread.

    Try again later.
    """


class DeniedError(StoreError):
    """A store on the network refused: a role, a login, a table or a policy is missing."""
