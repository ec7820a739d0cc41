"""The errors of savers on Kusto.

They are those of `errors`, and also `AzureError`s where `azure-core` is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors

__all__ = [
    "ComponentError",
    "CorruptError",
    "DeniedError",
    "InvalidInputError",
    "ProtocolError",
    "StorageError",
    "UnavailableError",
    "UnsupportedFormatError",
]

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError
else:
    try:
        from azure.core.exceptions import AzureError
    except ImportError:

        class AzureError(Exception):
            """Stands for the class of azure-core, which is not installed."""


class ComponentError(errors.ComponentError, AzureError):
    """The component failed. The next call gets a new one."""


class CorruptError(errors.CorruptError, AzureError):
    """The stored data is damaged or incomplete."""


class DeniedError(errors.DeniedError, AzureError):
    """The cluster refused: a role, a token, a table or a policy is missing."""


class InvalidInputError(errors.InvalidInputError, AzureError):
    """The caller's input is not acceptable. Nothing was stored."""


class ProtocolError(errors.ProtocolError, AzureError):
    """The parts of this package disagree. This is a defect: please report it."""


class StorageError(errors.StorageError, AzureError):
    """The saver cannot be used."""


class UnavailableError(errors.UnavailableError, AzureError):
    """The cluster did not answer in time, or refused for the moment. Try again later."""


class UnsupportedFormatError(errors.UnsupportedFormatError, AzureError):
    """The table has a newer format than this package can read."""
