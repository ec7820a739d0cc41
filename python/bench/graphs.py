"""Whole graphs, with everything that LangGraph does around the saver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages

from . import data
from .savers import NAMES, Saver, close_saver, open_saver
from .workloads import Row, timed


class _Chat(TypedDict):
    messages: Annotated[list[Any], add_messages]


def _extended(state: Any, writes: Sequence[Any]) -> list[Any]:
    return [*(state or []), *(item for write in writes for item in write)]


class _Growing(TypedDict):
    messages: Annotated[list[Any], DeltaChannel(_extended)]


def _model(state: Any) -> Any:
    return {"messages": [data.message(len(state["messages"]))]}


def _graph(state: type[Any], saver: Saver) -> Any:
    builder: Any = StateGraph(state)
    builder.add_node("model", _model)
    builder.add_edge(START, "model")
    return builder.compile(checkpointer=saver)


def graphs(folder: Path, quick: bool) -> Iterator[Row]:
    """Yield rows for a chat of many turns in a real graph."""
    turns = 20 if quick else 100
    for what, state, target in (
        ("a graph with a messages channel", _Chat, 4.0),
        ("a graph with a DeltaChannel", _Growing, 3.0),
    ):
        # What LangGraph itself takes is in all. In memory, nothing is serialized twice or stored.
        savers = [open_saver(name, folder / f"graph-{state.__name__}-{name}.db") for name in NAMES]
        in_memory, *times = [_run(state, saver, turns) for saver in (InMemorySaver(), *savers)]
        for saver in savers:
            close_saver(saver)
        described = f"{what} (InMemorySaver: {in_memory:.0f} ms)"
        yield Row(described, f"{turns} invocations", "ms", times, target)


def _run(state: type[Any], saver: Saver, turns: int) -> float:
    app = _graph(state, saver)
    config: Any = {"configurable": {"thread_id": "chat"}}

    def run() -> None:
        for turn in range(turns):
            app.invoke({"messages": [data.message(2 * turn)]}, config)

    return timed(run)
