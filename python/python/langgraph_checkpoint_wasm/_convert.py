"""LangGraph's shapes as calls of the extension, and its outcomes as LangGraph's shapes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    PendingWrite,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from ._core import Call, FoundHistories, Memory, Revival
from .errors import InvalidInputError, SerializationError
from .serde_js import loads_json, loads_metadata

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.serde.base import SerializerProtocol

    from ._types import Found, Payload, Write

# The fields of a checkpoint that are passed one by one.
_FIELDS = frozenset({"id", "v", "ts", "channel_versions", "channel_values"})
# As compact as JavaScript writes it, so that equal metadata is equal bytes.
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
# The channel of the tasks to send to, in checkpoints before version 4.
_TASKS = "__pregel_tasks"


class Stored(NamedTuple):
    """A checkpoint as the extension gives it."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    parent_checkpoint_id: str | None
    v: int | float
    ts: str
    channel_versions: dict[str, Any]
    channel_values: Revival | dict[str, Payload]
    rest: Payload
    metadata: Payload
    writes: list[Write]
    sends: list[Payload] | None


class Converter:
    """Converts with one serializer, and remembers what it serialized and read last."""

    def __init__(self, serde: SerializerProtocol, cache_bytes: int) -> None:
        """Convert with this serializer, and remember at most so many bytes."""
        self.serde = serde
        self.cache_bytes = cache_bytes
        # Pickle keeps what no snapshot has, such as which objects are one.
        self._is_plain = _is_plain(serde)
        splits = self._is_plain and not serde.pickle_fallback  # type: ignore[attr-defined]
        self.memory = Memory(cache_bytes, splits or _seals(serde), splits)
        self._methods = _methods(serde)

    def is_of(self, serde: SerializerProtocol) -> bool:
        """Whether it is for this serializer, whose methods may have been replaced meanwhile."""
        return self.serde is serde and self._methods == _methods(serde)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions | None,
    ) -> Call[tuple[str, str, str]]:
        """Make the call of `put`."""
        _mapping("config", config)
        fields = _mapping("checkpoint", checkpoint)
        values = _mapping("checkpoint['channel_values']", fields.get("channel_values", {}))
        versions = _mapping("checkpoint['channel_versions']", fields.get("channel_versions", {}))
        v, ts = fields.get("v"), fields.get("ts")
        if not isinstance(v, (int, float)) or not isinstance(ts, str):
            raise InvalidInputError(
                "checkpoint['v'] has to be a number and checkpoint['ts'] text; pass the checkpoint "
                "as LangGraph made it",
                "invalid-checkpoint",
            )
        rest = {name: value for name, value in fields.items() if name not in _FIELDS}
        return Call.put(
            config,
            fields.get("id"),  # type: ignore[arg-type]  # the planner says what is missing
            v,
            ts,
            versions,
            dict(values),
            rest,
            _metadata(config, metadata),
            versions if new_versions is None else new_versions,
            self.memory,
            self.dump,
        )

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str,
    ) -> Call[None]:
        """Make the call of `put_writes`."""
        try:
            pairs = [(channel, value) for channel, value in writes]
        except (TypeError, ValueError) as error:
            raise InvalidInputError(
                "writes is no list of pairs of a channel and a value", "invalid-argument"
            ) from error
        return Call.put_writes(config, pairs, task_id, task_path, self.memory, self.dump)

    def checkpoint_tuple(self, found: Found) -> CheckpointTuple:
        """Return a tuple as LangGraph expects it."""
        stored = Stored(*found)
        if isinstance(stored.channel_values, Revival):
            values = stored.channel_values.values(self.load, self.dump)
        else:
            found_values = stored.channel_values.items()
            values = {channel: self.load(channel, value) for channel, value in found_values}
        rest = self.load("checkpoint", stored.rest)
        if not isinstance(rest, dict):
            raise _unreadable("checkpoint", stored.rest[0])
        checkpoint = {
            "v": stored.v,
            "ts": stored.ts,
            "id": stored.checkpoint_id,
            "channel_values": values,
            "channel_versions": stored.channel_versions,
            **rest,
        }
        if stored.sends is not None:
            _add_sends(checkpoint, [self.load(_TASKS, send) for send in stored.sends])
        parent = stored.parent_checkpoint_id
        thread_id, checkpoint_ns = stored.thread_id, stored.checkpoint_ns
        return CheckpointTuple(
            config_of(thread_id, checkpoint_ns, stored.checkpoint_id),
            cast("Checkpoint", checkpoint),
            self.metadata(stored.metadata),
            None if parent is None else config_of(thread_id, checkpoint_ns, parent),
            self._writes(stored.writes),
        )

    def histories(self, found: FoundHistories) -> Mapping[str, DeltaChannelHistory]:
        """Return the histories by channel."""
        return found.by_channel(self.load, self.dump)

    def dump(self, name: str, value: object) -> Payload:
        """Serialize a value. `name` is the channel, for errors."""
        try:
            return self.serde.dumps_typed(value)
        except Exception as error:
            raise SerializationError(
                f"the serializer cannot write the value of {name!r}; see the cause",
                "unserializable-value",
            ) from error

    def load(self, name: str, payload: Payload) -> Any:
        """Read a value. `name` is the channel, for errors."""
        kind, data = payload
        try:
            if kind == "json" and self._is_plain:
                allowed = self.serde._allowed_msgpack_modules  # type: ignore[attr-defined]
                return loads_json(data, allowed, name)
            return self.serde.loads_typed(payload)
        except Exception as error:
            raise _unreadable(name, kind) from error

    def metadata(self, payload: Payload) -> Any:
        """Read metadata, which is JSON whatever the serializer is."""
        kind, text = payload
        return loads_metadata(text) if kind == "json" else self.load("metadata", payload)

    def _writes(self, writes: Iterable[Write]) -> list[PendingWrite]:
        return [(task_id, channel, self.load(channel, value)) for task_id, channel, value in writes]


def _unreadable(name: str, kind: str) -> SerializationError:
    return SerializationError(
        f"the serializer cannot read the value of {name!r}, which is of kind {kind!r}; read it "
        "with the serializer that wrote it",
        "unreadable-value",
    )


def _seals(serde: SerializerProtocol) -> bool:
    """Whether a serializer encrypts what LangGraph's own one writes."""
    return type(serde) is EncryptedSerializer and _is_plain(serde.serde)


def _methods(serde: SerializerProtocol) -> tuple[object, ...]:
    """Return what decides how a serializer writes and reads."""
    if type(serde) is EncryptedSerializer:
        return serde.dumps_typed, serde.loads_typed, *_methods(serde.serde)
    return serde.dumps_typed, serde.loads_typed


def _is_plain(serde: SerializerProtocol) -> bool:
    """Whether a serializer is LangGraph's own one, and no method of it was replaced."""
    names = ("dumps_typed", "loads_typed")
    if type(serde) is not JsonPlusSerializer or not vars(serde).keys().isdisjoint(names):
        return False
    methods = (getattr(JsonPlusSerializer, name) for name in names)
    return all(getattr(method, "__globals__", None) is vars(jsonplus) for method in methods)


def config_of(thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> RunnableConfig:
    """Return the config of a checkpoint."""
    return {
        "configurable": {
            "thread_id": thread_id,
            "checkpoint_ns": checkpoint_ns,
            "checkpoint_id": checkpoint_id,
        }
    }


def check_serde(serde: object) -> None:
    """Refuse what is no serializer. LangGraph takes those of its older protocol too."""
    for names in (("dumps_typed", "loads_typed"), ("dumps", "loads")):
        if serde is None or all(callable(getattr(serde, name, None)) for name in names):
            return
    raise InvalidInputError(
        "the option serde has to have the methods dumps_typed and loads_typed, as LangGraph's "
        f"SerializerProtocol says; it is of type {type(serde).__name__}",
        "invalid-option",
    )


def conditions(filter: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return the conditions of a filter as JSON."""
    if not filter:
        return []
    _mapping("filter", filter)
    try:
        return [(key, json.dumps(value, ensure_ascii=False)) for key, value in filter.items()]
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            "a value of the filter is no JSON value; compare with text, numbers, booleans, None, "
            "or lists and dicts of them",
            "invalid-filter",
        ) from error


def _metadata(config: RunnableConfig, metadata: CheckpointMetadata) -> Payload:
    """Return the metadata as JSON, because `list` compares it."""
    _mapping("metadata", metadata)
    try:
        merged = get_checkpoint_metadata(config, metadata)
    except (AttributeError, TypeError) as error:
        raise InvalidInputError(
            "config['configurable'] and config['metadata'] have to be dicts with text as keys",
            "invalid-argument",
        ) from error
    try:
        return "json", _COMPACT.encode(merged).encode()
    except (TypeError, ValueError) as error:
        raise SerializationError(
            "the metadata cannot be written as JSON; see the cause",
            "unserializable-value",
        ) from error


def _mapping(name: str, value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise InvalidInputError(
        f"{name} is of type {type(value).__name__}; it has to be a dict", "invalid-argument"
    )


def _add_sends(checkpoint: dict[str, Any], sends: list[Any]) -> None:
    """Checkpoints before version 4 keep the sends of a superstep as writes of their parent."""
    versions = checkpoint["channel_versions"]
    checkpoint["channel_values"][_TASKS] = sends
    versions[_TASKS] = max(versions.values()) if versions else 1
