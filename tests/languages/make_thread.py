"""Writes `thread-of-python.json`: the rows of two threads that a graph in Python has begun.

`idle` has had a turn, and `interrupted` waits for an answer.
"""

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
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import interrupt

SERDE = JsonPlusSerializer()


def append(log: list[str], writes: Sequence[list[str]]) -> list[str]:
    return [*log, *(entry for write in writes for entry in write)]


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    seen: Annotated[set[str], operator.or_]
    log: Annotated[list[str], DeltaChannel(append, snapshot_frequency=3)]
    at: datetime
    approved: bool


def model(state: State) -> State:
    count = len(state["messages"])
    return {
        "messages": [AIMessage(f"answer {count}", id=f"a{count}")],
        "seen": {f"python {count}"},
        "log": [f"python {count}"],
        "at": datetime(2026, 11, 29, 1, 2, 3, 456789, timezone.utc),
    }


def ask(state: State) -> State:
    return {"approved": interrupt({"question": "go on?", "seen": state["seen"]}) == "yes"}


def stored(value: object) -> tuple[str, str]:
    kind, data = SERDE.dumps_typed(value)
    return kind, base64.b64encode(data).decode()


def rows(saver: InMemorySaver, config: RunnableConfig) -> list[dict[str, Any]]:
    """The thread's checkpoints and their writes, oldest first."""
    listed = []
    for found in reversed(list(saver.list(config))):
        checkpoint: dict[str, Any] = dict(found.checkpoint)
        values = checkpoint.pop("channel_values")
        parent = found.parent_config and found.parent_config["configurable"]["checkpoint_id"]
        listed.append(
            {
                "checkpoint": checkpoint,
                "parent": parent,
                "metadata": dict(found.metadata),
                "values": {name: stored(value) for name, value in values.items()},
                "writes": [
                    [task, channel, *stored(value)]
                    for task, channel, value in found.pending_writes or ()
                ],
            }
        )
    return listed


def begin(thread_id: str, turns: int, *, asks: bool) -> list[dict[str, Any]]:
    """Runs a graph, and gives the rows of its thread."""
    saver = InMemorySaver()
    builder = StateGraph(State)
    builder.add_node("model", model)
    builder.add_edge(START, "model")
    if asks:
        builder.add_node("ask", ask)
        builder.add_edge("model", "ask")
        builder.add_edge("ask", END)
    graph = builder.compile(checkpointer=saver)
    config: RunnableConfig = {"configurable": {"thread_id": thread_id}}
    for turn in range(turns):
        graph.invoke({"messages": [HumanMessage(f"hello {turn}", id=f"h{turn}")]}, config)
    return rows(saver, config)


def main() -> None:
    # The third turn stores a snapshot of the log, and the fourth adds to it.
    idle = begin("idle", 4, asks=False)
    threads = {"idle": idle, "interrupted": begin("interrupted", 1, asks=True)}
    text = json.dumps(threads, indent=1)
    (Path(__file__).parent / "thread-of-python.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
