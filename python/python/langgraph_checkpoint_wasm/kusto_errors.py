"""The errors of savers on Kusto.

They are those of `errors`, and also `AzureError`s where `azure-core` is installed.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from . import errors

if TYPE_CHECKING:
    from types import TracebackType

    from azure.core.exceptions import AzureError
else:
    try:
        from azure.core.exceptions import AzureError
    except ImportError:

        class AzureError(Exception):
            """Stands for the class of azure-core, which is not installed."""


__all__ = [
    "ComponentError",
    "CorruptError",
    "DeniedError",
    "InvalidInputError",
    "ProtocolError",
    "SerializationError",
    "StorageError",
    "UnavailableError",
    "UnsupportedFormatError",
]


class _KustoError(errors.CheckpointError, AzureError):
    """What the errors of savers on Kusto have in common."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out the traceback that an `AzureError` keeps, which cannot be pickled."""
        return type(self), self.args


class ComponentError(_KustoError, errors.ComponentError):
    """The component failed, or cannot be loaded. After a failure the next call gets a new one."""


class CorruptError(_KustoError, errors.CorruptError):
    """The stored data is damaged or incomplete."""


class DeniedError(_KustoError, errors.DeniedError):
    """The cluster refused: a role, a token, a table or a policy is missing."""


class InvalidInputError(_KustoError, errors.InvalidInputError):
    """The caller's input is not acceptable. Nothing was stored."""


class ProtocolError(_KustoError, errors.ProtocolError):
    """The parts of this package disagree. This is a defect: please report it."""


class SerializationError(_KustoError, errors.SerializationError):
    """A value could not be written, or stored bytes could not be read."""


class StorageError(_KustoError, errors.StorageError):
    """The saver cannot be used."""


class UnavailableError(_KustoError, errors.UnavailableError):
    """The cluster did not answer in time, or refused for the moment. Try again later."""


class UnsupportedFormatError(_KustoError, errors.UnsupportedFormatError):
    """The table has a newer format than this package can read."""


class AsKustoErrors(AbstractContextManager[None, None]):
    """What is raised inside as an error of `errors` becomes the one of this module."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Raise the error of this module in place of the other, with its cause."""
        if isinstance(exc, errors.CheckpointError) and not isinstance(exc, _KustoError):
            raised: errors.CheckpointError = globals()[type(exc).__name__](*exc.args)
            raise raised.with_traceback(traceback) from exc.__cause__
