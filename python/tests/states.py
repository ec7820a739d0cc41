"""Checkpoints for tests."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint

FIRST = "1ef4f797-8335-6428-8001-000000000001"


def config(thread_id: object = "thread", **others: object) -> RunnableConfig:
    """The config of a thread."""
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": "", **others}}


def checkpoint(id: str = FIRST, **values: Any) -> Checkpoint:
    """A checkpoint with these channel values, each at version 1."""
    return {
        "v": 4,
        "id": id,
        "ts": "2024-04-19T17:19:01+00:00",
        "channel_values": values,
        "channel_versions": {channel: 1 for channel in values},
        "versions_seen": {},
        "updated_channels": None,
    }


def put(saver: Any, id: str = FIRST, thread_id: object = "thread", **values: Any) -> RunnableConfig:
    """Put a checkpoint whose channels are all new."""
    stored = checkpoint(id, **values)
    config_of_it: RunnableConfig = saver.put(
        config(thread_id), stored, {"source": "loop", "step": 0}, stored["channel_versions"]
    )
    return config_of_it
