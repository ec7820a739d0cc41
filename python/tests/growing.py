"""A graph whose list is a delta channel, for Agent Server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from langgraph.channels.delta import DeltaChannel
from langgraph.graph import START, StateGraph


def extend(state: Any, writes: Sequence[Any]) -> list[Any]:
    """Append all writes."""
    return [*(state or []), *(item for write in writes for item in write)]


class Growing(TypedDict):
    """A list whose writes are stored, and seldom the list."""

    xs: Annotated[list[Any], DeltaChannel(extend, snapshot_frequency=5)]


graph = (
    StateGraph(Growing)
    .add_node("count", lambda state: {"xs": [len(state["xs"])]})
    .add_edge(START, "count")
    .compile()
)
