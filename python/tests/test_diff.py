"""What `diff` says of graphs' checkpoints."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph

from langgraph_checkpoint_wasm import SqliteSaver, errors


class State(TypedDict):
    notes: Annotated[list[str], operator.add]
    last: str


def talk(saver: SqliteSaver) -> list[RunnableConfig]:
    """Run a graph, and return the configs of its checkpoints, the newest first."""
    graph = StateGraph(State)
    graph.add_node("greet", lambda state: {"notes": ["hello"], "last": "greet"})
    graph.add_edge(START, "greet")
    graph.add_edge("greet", END)
    app = graph.compile(checkpointer=saver)
    thread: RunnableConfig = {"configurable": {"thread_id": "thread"}}
    app.invoke({"notes": ["first"], "last": ""}, thread)
    return [state.config for state in app.get_state_history(thread)]


def test_a_superstep_is_what_differs_from_the_parent() -> None:
    with SqliteSaver(":memory:") as saver:
        newest, before, *_ = talk(saver)
        found = saver.diff(newest, values=True)
        assert found is not None
        assert found.before == before["configurable"]["checkpoint_id"]
        channels = {changed.channel: changed for changed in found.channels}
        notes = channels["notes"]
        assert notes.version_before != notes.version_after
        assert notes.elements is not None
        [added] = notes.elements
        assert (added.place, added.before) == (1, None)
        assert added.after is not None
        assert added.after.value == "hello"
        last = channels["last"]
        assert (last.before and last.before.value, last.after and last.after.value) == ("", "greet")
        written = [(write.channel, write.value.value) for write in found.writes]
        assert ("notes", ["hello"]) in written


def test_values_are_read_only_if_asked_for_and_any_earlier_checkpoint_can_be_named() -> None:
    with SqliteSaver(":memory:") as saver:
        newest, *_, oldest = talk(saver)
        first = oldest["configurable"]["checkpoint_id"]
        found = asyncio.run(saver.adiff(newest, before=first))
        assert found is not None
        assert found == saver.diff(newest, before=first)
        assert found.before == first
        parts = [part for changed in found.channels for part in (changed.before, changed.after)]
        assert all(part.value is None and part.bytes > 0 for part in parts if part)
        whole = saver.diff(oldest)
        assert whole is not None
        assert whole.before is None


def test_what_is_not_stored_has_no_difference_and_a_config_needs_its_checkpoint() -> None:
    with SqliteSaver(":memory:") as saver:
        newest, *_ = talk(saver)
        assert saver.diff(newest, before="nothing") is None
        with pytest.raises(errors.InvalidInputError):
            saver.diff({"configurable": {"thread_id": "thread"}})
