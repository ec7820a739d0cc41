"""Threads that a graph in JavaScript has begun are continued in Python."""

import base64
import json
import operator
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt

from langgraph_checkpoint_wasm.serde_js import loads_json

FILE = Path(__file__).parents[2] / "tests" / "languages" / "thread-of-javascript.json"
THREADS: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text())


class CountingSaver(InMemorySaver):
    """Counts the versions of a thread as they have been counted."""

    def get_next_version(self, current: Any, channel: None) -> Any:
        if isinstance(current, int):
            return current + 1
        return super().get_next_version(current, channel)


def append(log: list[str], writes: Sequence[list[str]]) -> list[str]:
    return [*log, *(entry for write in writes for entry in write)]


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    seen: Annotated[set[str], operator.or_]
    log: Annotated[list[str], DeltaChannel(append, snapshot_frequency=3)]
    at: datetime
    approved: bool


def model(state: State) -> State:
    name = f"python {len(state['messages'])}"
    return {"messages": [AIMessage(name, id=name)], "seen": {name}, "log": [name]}


def ask(state: State) -> State:
    return {"approved": interrupt("go on?") == "yes"}


def loaded(name: str, kind: str, text: str) -> object:
    if kind == "json":
        return loads_json(text.encode(), channel=name)
    return base64.b64decode(text)


def config(thread_id: str, checkpoint_id: str | None = None) -> RunnableConfig:
    ids = {"thread_id": thread_id, "checkpoint_ns": ""}
    return {
        "configurable": ids if checkpoint_id is None else {**ids, "checkpoint_id": checkpoint_id}
    }


def saver_with(thread_id: str) -> CountingSaver:
    """A saver with the thread as JavaScript has left it."""
    saver = CountingSaver()
    for row in THREADS[thread_id]:
        values = {name: loaded(name, *value) for name, value in row["values"].items()}
        checkpoint: Any = {**row["checkpoint"], "channel_values": values}
        versions = checkpoint["channel_versions"]
        saver.put(config(thread_id, row["parent"]), checkpoint, row["metadata"], versions)
        for task in {task for task, *_ in row["writes"]}:
            writes = [
                (name, loaded(name, *value)) for of, name, *value in row["writes"] if of == task
            ]
            saver.put_writes(config(thread_id, checkpoint["id"]), writes, task)
    return saver


def test_a_thread_of_javascript_is_read_and_continued() -> None:
    builder = StateGraph(State)
    builder.add_node("model", model)
    builder.add_edge(START, "model")
    graph = builder.compile(checkpointer=saver_with("idle"))
    thread = config("idle")
    before = graph.get_state(thread).values
    assert before["messages"][-1] == AIMessage("answer 7", id="a7")
    assert before["log"] == [f"javascript {count}" for count in (1, 3, 5, 7)]
    assert before["seen"] == {f"javascript {count}" for count in (1, 3, 5, 7)}
    assert before["at"] == datetime(2026, 11, 29, 1, 2, 3, 456000, timezone.utc)
    assert len(list(graph.get_state_history(thread))) == len(THREADS["idle"])

    for turn in (0, 1):
        graph.invoke({"messages": [HumanMessage("go on", id=f"p{turn}")]}, thread)
    after = graph.get_state(thread).values
    ids = [message.id for message in after["messages"]]
    assert ids[-5:] == ["a7", "p0", "python 9", "p1", "python 11"]
    assert after["log"] == [*before["log"], "python 9", "python 11"]
    assert after["seen"] == before["seen"] | {"python 9", "python 11"}


def test_a_thread_that_waits_in_javascript_is_answered_in_python() -> None:
    builder = StateGraph(State)
    builder.add_node("model", model)
    builder.add_node("ask", ask)
    builder.add_edge(START, "model")
    builder.add_edge("model", "ask")
    builder.add_edge("ask", END)
    graph = builder.compile(checkpointer=saver_with("interrupted"))
    thread = config("interrupted")
    assert graph.get_state(thread).next == ("ask",)
    graph.invoke(Command(resume="yes"), thread)
    state = graph.get_state(thread)
    assert state.next == ()
    assert state.values["approved"] is True
    assert [message.id for message in state.values["messages"]] == ["h0", "a1"]
