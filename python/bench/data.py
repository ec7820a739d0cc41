"""Conversations, and the calls that LangGraph makes to store them."""

from __future__ import annotations

import random
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata

SIZES = {"3.8 KB": 4, "35 KB": 34, "235 KB": 231, "2 MB": 1_968}
"""The number of messages of a state, by the size of their bytes."""

_LETTERS = "etaoinshrdlu"


def message(number: int) -> AnyMessage:
    """Return the message at a place of every conversation: about a kilobyte."""
    source = random.Random(number)
    text = " ".join("".join(source.choices(_LETTERS, k=source.randint(2, 8))) for _ in range(150))
    if number % 2 == 0:
        return HumanMessage(text, id=f"message-{number}")
    call = {"name": "search", "args": {"query": text[:40], "limit": 10}, "id": f"call-{number}"}
    usage: Any = {"input_tokens": 900, "output_tokens": 120, "total_tokens": 1020}
    stop = {"finish_reason": "stop", "model_name": "model-1"}
    return AIMessage(
        text,
        id=f"message-{number}",
        tool_calls=[call],
        response_metadata=stop,
        usage_metadata=usage,
    )


def messages(first: int, count: int) -> list[AnyMessage]:
    """Return some messages of a conversation, as new objects."""
    return [message(number) for number in range(first, first + count)]


def config(thread_id: str, step: int | None = None) -> RunnableConfig:
    """Return the config of a thread's newest checkpoint, or of the one of a step."""
    configurable = {"thread_id": thread_id, "checkpoint_ns": ""}
    if step is not None:
        configurable["checkpoint_id"] = _id(step)
    return {"configurable": configurable}


def put_arguments(
    thread_id: str, step: int, state: list[AnyMessage]
) -> tuple[RunnableConfig, Checkpoint, CheckpointMetadata, dict[str, Any]]:
    """Return the arguments of the put after a superstep."""
    versions: dict[str, Any] = {"messages": _version(step)}
    checkpoint: Checkpoint = {
        "v": 4,
        "id": _id(step),
        "ts": "2030-01-01T00:00:00.000000+00:00",
        "channel_values": {"messages": state},
        "channel_versions": {"__start__": _version(0), **versions},
        "versions_seen": {"model": {"messages": _version(max(step - 1, 0))}},
        "updated_channels": ["messages"],
    }
    metadata: CheckpointMetadata = {"source": "loop", "step": step, "parents": {}}
    return config(thread_id, step - 1 if step > 0 else None), checkpoint, metadata, versions


def _id(step: int) -> str:
    return f"1f000000-0000-6000-8000-{step:012}"


def _version(step: int) -> str:
    return f"{step:032}.0"
