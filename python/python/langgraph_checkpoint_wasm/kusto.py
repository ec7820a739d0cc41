"""Checkpoints in a table of Kusto: Azure Data Explorer, or an eventhouse of Fabric."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from typing_extensions import Never, Self

from . import errors
from ._core import Call, kusto_cluster, open_kusto
from ._lifecycle import LifecycleSaver
from .kusto_errors import AsKustoErrors

if TYPE_CHECKING:
    from langgraph.checkpoint.serde.base import SerializerProtocol

__all__ = ["AsyncKustoSaver", "KustoSaver"]

_logger = logging.getLogger("langgraph_checkpoint_wasm")


class AccessToken(Protocol):
    """A token of `azure.core.credentials`."""

    @property
    def token(self) -> str:
        """The token."""

    @property
    def expires_on(self) -> int:
        """When it expires, in seconds since 1970."""


class TokenCredential(Protocol):
    """A credential of `azure.identity`, or of `azure.identity.aio`."""

    def get_token(self, *scopes: str) -> AccessToken | Awaitable[AccessToken]:
        """Get a token for a scope."""


TokenFunction: TypeAlias = Callable[[str], Any]
"""Gets the scope, and gives a token: text, an `AccessToken`, or an awaitable of one."""


class KustoSaver(LifecycleSaver):
    """Keeps LangGraph's checkpoints in a table of Kusto.

    The table has to be made first, with the script `provision.kql`. Use the saver as a value, in
    `with` or in `async with`.

    The table is only appended to: what is pruned or deleted is hidden at once, and its rows stay
    until the table's retention drops them. The chunks of pruned checkpoints are not counted.

    Its errors are those of `langgraph_checkpoint_wasm.errors`, and also
    `azure.core.exceptions.AzureError`s where that is installed.
    """

    _raising = AsKustoErrors()

    def __init__(
        self,
        cluster_uri: str,
        database: str,
        *,
        credential: TokenCredential | TokenFunction | None = None,
        table: str | None = None,
        ingest_mode: Literal["auto", "streaming", "inline"] = "auto",
        batch_size: int | None = None,
        flush_interval: float | None = None,
        deadline: float | None = None,
        retention_days: int | None = None,
        visibility_timeout: float | None = None,
        admin: bool = False,
        trusted_hosts: Sequence[str] = (),
        serde: SerializerProtocol | None = None,
        **unknown: Never,
    ) -> None:
        """Open a table. This sends nothing, and asks for no token.

        Args:
            cluster_uri: The cluster's URI, such as `https://name.region.kusto.windows.net`.
            database: The database.
            credential: Gives the bearer token: a credential of `azure.identity` or
                `azure.identity.aio`, or a function that gets the scope and returns a token.
                `DefaultAzureCredential` by default, which needs `azure-identity`; none for a server
                on this machine.
            table: The table. `CheckpointLog` by default.
            ingest_mode: How rows are sent: `"streaming"`; `"inline"`, for a cluster without
                streaming ingestion; or `"auto"`: streaming as long as the cluster supports it.
            batch_size: Write-behind: with a value over 1, calls are acknowledged at once, and rows
                are sent when this many of them wait. **Acknowledged rows that were not sent are
                lost if the process dies.** 1 by default: a call is acknowledged when its rows are
                in the store.
            flush_interval: Write-behind: rows wait at most this many seconds. 30 by default.
            deadline: How many seconds a call may take, with all its retries. 60 by default.
            retention_days: After how many days the table drops rows. 365 by default.
            visibility_timeout: How many seconds, within its deadline, a read waits for rows that do
                not show yet. 60 by default.
            admin: Whether `delete_thread` also removes the rows. That needs a database
                administrator's role.
            trusted_hosts: Hosts that may get the token, besides the service's own and this machine.
            serde: What serializes values. LangGraph's `JsonPlusSerializer` by default.
            **unknown: Nothing: other options are refused.

        """
        options = {
            "cluster_uri": cluster_uri,
            "database": database,
            "table": table,
            "ingest_mode": ingest_mode,
            "batch_size": batch_size,
            "flush_interval": flush_interval,
            "deadline": deadline,
            "retention_days": retention_days,
            "visibility_timeout": visibility_timeout,
            "admin": admin,
            "trusted_hosts": trusted_hosts,
        }
        with self._raising:
            # The component that reaches Kusto takes whole values.
            super().__init__(serde=serde, cache_bytes=0, unknown=unknown)
            scope, is_local = kusto_cluster(options)
            if credential is None and not is_local:
                credential = _default_credential()
            self._tokens = None if credential is None else _Tokens(credential, scope)
            self._store = open_kusto(options, self._tokens)
        self._writes_behind = batch_size is not None and batch_size > 1

    @classmethod
    def from_connection_string(
        cls,
        cluster_uri: str,
        database: str,
        **options: Any,
    ) -> Self:
        """Open a table. `options` are those of the class."""
        return cls(cluster_uri, database, **options)

    def setup(self) -> Awaitable[None]:
        """Check that the table exists and can be used. This creates nothing, and may be left out.

        The script `provision.kql` of the repository makes the table; an administrator of the
        database runs it once. The login needs the roles Database Viewer and Database Ingestor. An
        error says what is missing: `store-not-provisioned` or `store-forbidden`.

        In an event loop, await what this returns.
        """
        return super().setup()

    def flush(self) -> Awaitable[None]:
        """Send all rows that wait. In an event loop, await what this returns."""
        return self._run(Call.flush())

    def close(self) -> None:
        """Send all rows that wait, and close after the calls under way. Later calls are refused."""
        with self._raising:
            try:
                if self._writes_behind:
                    self._store.run(Call.flush())
            except errors.StorageError as error:
                if error.code != "storage-closed":
                    raise
            finally:
                super().close()

    async def __aenter__(self) -> Self:
        """Return this saver, which has to be open."""
        if self._tokens is not None:
            self._tokens.event_loop = asyncio.get_running_loop()
        return await super().__aenter__()


AsyncKustoSaver = KustoSaver


class _Tokens:
    """Gets tokens of a credential, on a thread without an event loop."""

    def __init__(self, credential: TokenCredential | TokenFunction, scope: str) -> None:
        get_token = getattr(credential, "get_token", credential)
        if not callable(get_token):
            raise errors.InvalidInputError(
                "credential is no credential of azure.identity and no function",
                "invalid-credential",
            )
        self._get_token: Callable[[str], Any] = get_token
        self._scope = scope
        # Where the saver is used, for credentials that belong to an event loop.
        self.event_loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, fresh: bool) -> tuple[str, float | None]:
        """Return a token and when it expires. Credentials decide themselves when to renew one."""
        try:
            given = self._get_token(self._scope)
            if inspect.isawaitable(given):
                given = self._awaited(given)
        except Exception as error:
            # The saver's error does not show it, because it may contain a secret.
            _logger.warning("the credential failed with %s", type(error).__name__)
            _logger.debug("the credential's error", exc_info=True)
            raise
        if isinstance(given, str):
            return given, None
        return given.token, given.expires_on

    def _awaited(self, given: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await given

        if self.event_loop is None or not self.event_loop.is_running():
            return asyncio.run(wait())
        return asyncio.run_coroutine_threadsafe(wait(), self.event_loop).result()


def _default_credential() -> TokenCredential:
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        raise errors.InvalidInputError(
            "no credential was given, and azure-identity is not installed: install "
            "langgraph-checkpoint-wasm[kusto], or pass a credential",
            "invalid-credential",
        ) from error
    credential: TokenCredential = DefaultAzureCredential()
    return credential
