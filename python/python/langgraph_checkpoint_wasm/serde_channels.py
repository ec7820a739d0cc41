"""LangGraph's own channels, whose values LangGraph.js stores as plain objects."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

INTERRUPT: Final = "__interrupt__"
TASKS: Final = "__pregel_tasks"

MS: Final = 1000
"""Milliseconds in a second."""


def of_channel(channel: str | None, value: object) -> object:
    """The value of a channel, or a write to it, with the classes of LangGraph that belong there."""
    if channel == INTERRUPT:
        return _each(_interrupt, value)
    return _each(_send, value) if channel == TASKS else value


def _each(made: Callable[[object], object], value: object) -> object:
    return [made(item) for item in value] if isinstance(value, list) else made(value)


def _interrupt(value: object) -> object:
    """An Interrupt of ``{id, value}``; other values as they are."""
    if not isinstance(value, dict) or "value" not in value or not isinstance(value.get("id"), str):
        return value
    types = import_module("langgraph.types")
    return types.Interrupt(value=value["value"], id=value["id"])


def _send(value: object) -> object:
    """A Send of ``{node, args}``, maybe with a timeout; other values as they are."""
    if not isinstance(value, dict) or not {"node", "args"} <= value.keys() <= _SEND_KEYS:
        return value
    types = import_module("langgraph.types")
    return types.Send(value["node"], value["args"], timeout=_timeout(value.get("timeout")))


_SEND_KEYS: Final = frozenset({"node", "args", "timeout"})


def _timeout(policy: object) -> object:
    """A policy in seconds of one in milliseconds; None for what is none."""
    if not isinstance(policy, dict):
        return None
    seconds = {
        python: policy[javascript] / MS
        for javascript, python in (("runTimeout", "run_timeout"), ("idleTimeout", "idle_timeout"))
        if isinstance(policy.get(javascript), int | float)
    }
    refresh = {"refresh_on": "heartbeat"} if policy.get("refreshOn") == "heartbeat" else {}
    return import_module("langgraph.types").TimeoutPolicy(**seconds, **refresh)
