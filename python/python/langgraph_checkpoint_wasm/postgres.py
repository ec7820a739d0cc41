"""Checkpoints in a schema of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from typing_extensions import Never, Self

from ._core import open_postgres
from ._lifecycle import LifecycleSaver
from ._ttl import Ttl, TTLConfig
from .errors import InvalidInputError
from .saver import CACHE_BYTES

if TYPE_CHECKING:
    from langgraph.checkpoint.serde.base import SerializerProtocol

__all__ = ["AsyncPostgresSaver", "PostgresSaver"]


class PostgresSaver(LifecycleSaver):
    """Keeps LangGraph's checkpoints in a schema of a PostgreSQL database, version 13 or newer.

    It serves `invoke` and `ainvoke`, threads and event loops alike. Use it as a value, in `with` or
    in `async with`.
    """

    def __init__(
        self,
        conn: object,
        *,
        schema: str | None = None,
        namespace: str | None = None,
        serde: SerializerProtocol | None = None,
        pool_size: int = 10,
        deadline: float = 30.0,
        application_name: str = "langgraph-checkpoint-wasm",
        prepare: bool = False,
        cache_bytes: int = CACHE_BYTES,
        ttl: TTLConfig | None = None,
        **unknown: Never,
    ) -> None:
        """Make a pool of connections. Nothing is sent before the first call.

        Args:
            conn: A connection string, as libpq has them: a URL, or `key=value` pairs. Or a
                connection or a pool of psycopg, whose connection string is used; it itself is not.
            schema: The schema that has the tables, which `setup` makes if it is missing. `"public"`
                by default. Each graph may have its own.
            namespace: Another name for `schema`.
            serde: What serializes values. LangGraph's `JsonPlusSerializer` by default.
            pool_size: How many connections are open at the same time.
            deadline: How many seconds each batch of a call may take, with all attempts.
            application_name: How sessions are named in `pg_stat_activity`, unless the connection
                string says so.
            prepare: Whether each connection keeps statements prepared, which saves the server half
                of its time for small states. Not through a pooler in transaction mode.
            cache_bytes: How much memory may be used for the values that were stored and read last:
                what is unchanged in them is neither serialized nor stored nor read again.
            ttl: Which idle threads expire by themselves. A sweep in the background deletes them, or
                keeps their latest state with the strategy `"keep_latest"`, in one of the processes
                that use the schema, until the saver is closed. By default none do.
            **unknown: Nothing: other options are refused.

        """
        super().__init__(serde=serde, cache_bytes=cache_bytes, unknown=unknown)
        if schema is not None and namespace is not None and schema != namespace:
            raise InvalidInputError(
                "the options schema and namespace are two names for one; pass one of them",
                "invalid-option",
            )
        named = schema if schema is not None else namespace
        options = {
            "conn": _conn_string_of(conn),
            "schema": "public" if named is None else named,
            "pool_size": pool_size,
            "deadline": deadline,
            "application_name": application_name,
            "prepare": prepare,
        }
        checked = None if ttl is None else Ttl.of(ttl)
        self._store = open_postgres(options)
        self._start_sweeping(checked)

    @classmethod
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        pipeline: bool = False,
        **options: Any,
    ) -> Self:
        """Make a saver of a connection string.

        Args:
            conn_string: A URL, or `key=value` pairs.
            pipeline: Not needed: each call is one round trip.
            **options: Those of the class.

        """
        del pipeline
        return cls(conn_string, **options)


AsyncPostgresSaver = PostgresSaver


# What is taken of a connection: the others have defaults that are libpq's own.
_PARAMETERS = (
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "options",
    "password",
    "port",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
)


def _conn_string_of(conn: object) -> str:
    """Return a connection string, or that of a connection or pool of psycopg."""
    given = getattr(conn, "conninfo", conn)
    if isinstance(given, str):
        # What a pool passes to each connection besides.
        others = getattr(conn, "kwargs", None) or {}
        own = {name: str(value) for name, value in others.items() if name in _PARAMETERS}
        if not own:
            return given
        from psycopg.conninfo import conninfo_to_dict

        return _joined({**conninfo_to_dict(given), **own})
    info = getattr(conn, "info", None)
    get_parameters = getattr(info, "get_parameters", None)
    if get_parameters is None:
        raise InvalidInputError(
            f"conn is of type {type(conn).__name__}; pass a connection string, or a connection or "
            "pool of psycopg",
            "invalid-database",
        )
    try:
        parameters = {**get_parameters(), "password": getattr(info, "password", "")}
    except Exception as error:
        raise InvalidInputError(
            "the connection of psycopg is closed; pass its connection string", "invalid-database"
        ) from error
    return _joined({name: parameters.get(name) for name in _PARAMETERS})


def _joined(parameters: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_quoted(value)}" for name, value in parameters.items() if value)


def _quoted(value: object) -> str:
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
