"""Runs transcripts through a saver. `tests/src/transcript.rs` does the same with the same files."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple

from langgraph_checkpoint_wasm import CheckpointError
from langgraph_checkpoint_wasm._difference import (
    ChannelDifference,
    Difference,
    ElementDifference,
    Part,
)
from langgraph_checkpoint_wasm._lifecycle import LifecycleSaver, ThreadInfo
from langgraph_checkpoint_wasm.saver import Saver

FOLDER = Path(__file__).parents[2] / "tests" / "transcripts"

# Tables and columns whose rows make the digest.
TABLES = {
    "lg_format": "format",
    "lg_threads": "thread_key, thread_id, generation",
    "lg_checkpoints": "thread_key, checkpoint_ns, checkpoint_id, parent_checkpoint_id, created_at, "
    "channels, metadata, envelope",
    "lg_writes": "thread_key, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, "
    "envelope",
    "lg_chunks": "thread_key, hash, data",
}


class JsonSerde:
    """A serializer that gives the bytes that JavaScript and Rust give in transcripts."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        if isinstance(obj, bytes):
            return "bytes", obj
        return "json", json.dumps(obj, ensure_ascii=False, separators=(",", ":")).encode()

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        kind, payload = data
        return payload if kind == "bytes" else json.loads(payload)


def transcripts() -> dict[str, Any]:
    """All transcripts by name, without the calls that no saver of Python has."""
    found = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
    for transcript in found.values():
        steps = transcript["steps"]
        transcript["steps"] = [step for step in steps if step["call"]["name"] != "export"]
    return found


def keeping_chunks(call: dict[str, Any], outcome: Any) -> Any:
    """Return what is compared of an outcome on a store that keeps chunks until its retention.

    It leaves out what a prune frees of them, and the bytes and chunks that are stored.
    """
    left_out = {"stats": {"record_bytes", "chunks", "chunk_bytes"}}
    if call["name"] != "copy_thread":
        left_out["work"] = {"chunks", "bytes"}
    return {
        name: {key: value for key, value in given.items() if key not in left_out[name]}
        if name in left_out
        else given
        for name, given in outcome.items()
    }


async def outcome_of(saver: Saver, call: dict[str, Any], *, asynchronous: bool) -> Any:
    """Make a call. Return its outcome in the transcript's form."""
    try:
        return await (_perform_async if asynchronous else _perform)(saver, call)
    except CheckpointError as error:
        return {"error": error.code}


def digest_of(path: Path) -> str:
    """The digest of every row of every table, in the order of their text."""
    digest = hashlib.sha256()
    with sqlite3.connect(path) as connection:
        for table, columns in TABLES.items():
            row = " || '|' || ".join(f"quote({column})" for column in columns.split(", "))
            for (text,) in connection.execute(f"SELECT {row} FROM {table} ORDER BY 1"):
                digest.update(f"{table}|{text}\n".encode())
    connection.close()
    return digest.hexdigest()


def expand(value: Any, index: str) -> Any:
    """Expand the abbreviations of a transcript, except bytes."""
    if isinstance(value, str):
        return value.replace("#", index)
    if isinstance(value, list):
        return [expand(item, index) for item in value]
    if not isinstance(value, dict):
        return value
    if "$times" in value:
        count, item = value["$times"]
        return [expand(item, str(at)) for at in range(count)]
    if "$text" in value:
        count, text = value["$text"]
        return text * count
    return {key: expand(item, index) for key, item in value.items()}


def _value(value: Any) -> Any:
    expanded = expand(value, "")
    is_bytes = isinstance(expanded, dict) and "$bytes" in expanded
    return bytes.fromhex(expanded["$bytes"]) if is_bytes else expanded


def _written(value: Any) -> Any:
    return {"$bytes": value.hex()} if isinstance(value, bytes) else value


def _put_arguments(call: dict[str, Any]) -> tuple[Any, ...]:
    checkpoint = {**call["checkpoint"]}
    checkpoint["channel_values"] = {
        channel: _value(value) for channel, value in checkpoint["channel_values"].items()
    }
    versions = checkpoint.get("channel_versions", {})
    new_versions = {channel: versions.get(channel, 1) for channel in call["new_versions"]}
    config = {"configurable": call["config"]}
    return config, checkpoint, _value(call["metadata"]), new_versions


def _writes_arguments(call: dict[str, Any]) -> tuple[Any, ...]:
    writes = [(channel, _value(value)) for channel, value in call["writes"]]
    path = [call["task_path"]] if "task_path" in call else []
    return {"configurable": call["config"]}, writes, call["task_id"], *path


def _list_arguments(call: dict[str, Any]) -> dict[str, Any]:
    before = call.get("before")
    return {
        "limit": call.get("limit"),
        "filter": call.get("filter"),
        "before": None if before is None else {"configurable": {"checkpoint_id": before}},
    }


async def _perform(saver: Saver, call: dict[str, Any]) -> Any:
    config: Any = {"configurable": call["config"]}
    match call["name"]:
        case "put":
            return {"config": saver.put(*_put_arguments(call))["configurable"]}
        case "put_writes":
            saver.put_writes(*_writes_arguments(call))
            return {}
        case "get_tuple":
            found = saver.get_tuple(config)
            return {"tuple": None if found is None else _tuple(found)}
        case "list":
            return {
                "tuples": [_tuple(found) for found in saver.list(config, **_list_arguments(call))]
            }
        case "delete_thread":
            saver.delete_thread(call["config"].get("thread_id"))
            return {}
        case "get_delta_channel_history":
            channels = call["channels"]
            return _history(saver.get_delta_channel_history(config=config, channels=channels))
        case "threads":
            return {"threads": [_thread(found) for found in _threads(saver, call)]}
        case "stats":
            return {"stats": _lifecycle(saver).stats(call.get("thread_id"))._asdict()}
        case "prune":
            return {"work": _lifecycle(saver).prune(call["threads"], **_keep(call))._asdict()}
        case "delete_for_runs":
            return {"work": _lifecycle(saver).delete_for_runs(call["runs"])._asdict()}
        case "diff":
            return {"difference": _difference(_lifecycle(saver).diff(config, **_compared(call)))}
        case "copy_thread":
            latest_only = call.get("latest_only", False)
            copied = _lifecycle(saver).copy_thread(
                call["source"], call["target"], latest_only=latest_only
            )
            return {"work": copied._asdict()}
        case name:
            raise AssertionError(f"{name} is no call")


def _lifecycle(saver: Saver) -> LifecycleSaver:
    assert isinstance(saver, LifecycleSaver)
    return saver


def _threads(saver: Saver, call: dict[str, Any]) -> Iterator[ThreadInfo]:
    idle_since = call.get("idle_since")
    return _lifecycle(saver).threads(
        idle_since=None if idle_since is None else _time(idle_since),
        id_prefix=call.get("id_prefix"),
        metadata=call.get("metadata"),
        page_size=call.get("limit", 100),
    )


def _thread(found: ThreadInfo) -> dict[str, Any]:
    return found._asdict()


def _keep(call: dict[str, Any]) -> dict[str, Any]:
    dry_run = {"dry_run": call.get("dry_run", False)}
    match call["keep"]:
        case "nothing":
            return {"strategy": "delete", **dry_run}
        case {"last": count}:
            return {"keep_last": count, **dry_run}
        case {"newer_than": text}:
            return {"newer_than": _time(text), **dry_run}
        case _:
            return dry_run


def _compared(call: dict[str, Any]) -> dict[str, Any]:
    return {"before": call.get("before"), "values": call.get("values", False)}


def _difference(found: Difference | None) -> dict[str, Any] | None:
    """What is not there has no key."""
    if found is None:
        return None
    writes = [write._asdict() | {"value": _part(write.value)} for write in found.writes]
    channels = [_channel(channel) for channel in found.channels]
    return _present({"before": found.before, "channels": channels, "writes": writes})


def _channel(channel: ChannelDifference) -> dict[str, Any]:
    elements = None
    if channel.elements is not None:
        elements = [_element(each) for each in channel.elements]
    return _present(channel._asdict() | _sides(channel) | {"elements": elements})


def _element(element: ElementDifference) -> dict[str, Any]:
    return _present({"place": element.place} | _sides(element))


def _sides(both: ChannelDifference | ElementDifference) -> dict[str, Any]:
    return {"before": _part(both.before), "after": _part(both.after)}


def _part(part: Part | None) -> dict[str, Any] | None:
    return part and _present({"bytes": part.bytes, "value": _written(part.value)})


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


async def _perform_async(saver: Saver, call: dict[str, Any]) -> Any:
    config: Any = {"configurable": call["config"]}
    match call["name"]:
        case "put":
            return {"config": (await saver.aput(*_put_arguments(call)))["configurable"]}
        case "put_writes":
            await saver.aput_writes(*_writes_arguments(call))
            return {}
        case "get_tuple":
            found = await saver.aget_tuple(config)
            return {"tuple": None if found is None else _tuple(found)}
        case "list":
            found_all = saver.alist(config, **_list_arguments(call))
            return {"tuples": [_tuple(found) async for found in found_all]}
        case "delete_thread":
            await saver.adelete_thread(call["config"].get("thread_id"))
            return {}
        case "get_delta_channel_history":
            channels = call["channels"]
            return _history(
                await saver.aget_delta_channel_history(config=config, channels=channels)
            )
        case "stats":
            return {"stats": (await _lifecycle(saver).astats(call.get("thread_id")))._asdict()}
        case "prune":
            pruned = await _lifecycle(saver).aprune(call["threads"], **_keep(call))
            return {"work": pruned._asdict()}
        case "delete_for_runs":
            return {"work": (await _lifecycle(saver).adelete_for_runs(call["runs"]))._asdict()}
        case "diff":
            different = await _lifecycle(saver).adiff(config, **_compared(call))
            return {"difference": _difference(different)}
        case "copy_thread":
            latest_only = call.get("latest_only", False)
            copied = await _lifecycle(saver).acopy_thread(
                call["source"], call["target"], latest_only=latest_only
            )
            return {"work": copied._asdict()}
        case _:
            # Calls without a twin.
            return await asyncio.to_thread(asyncio.run, _perform(saver, call))


def _tuple(found: CheckpointTuple) -> dict[str, Any]:
    values = found.checkpoint["channel_values"].items()
    checkpoint = {**found.checkpoint, "channel_values": {k: _written(v) for k, v in values}}
    parent = found.parent_config
    return {
        "config": found.config["configurable"],
        "checkpoint": checkpoint,
        "metadata": found.metadata,
        **({} if parent is None else {"parent_config": parent["configurable"]}),
        "pending_writes": _writes(found.pending_writes or []),
    }


def _writes(writes: Iterable[tuple[str, str, Any]]) -> list[Any]:
    return [[task_id, channel, _written(value)] for task_id, channel, value in writes]


def _history(histories: Any) -> dict[str, Any]:
    return {
        "history": {
            channel: {
                "writes": _writes(history["writes"]),
                **({"seed": _written(history["seed"])} if "seed" in history else {}),
            }
            for channel, history in histories.items()
        }
    }
