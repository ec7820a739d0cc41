"""Graphs that use everything of LangGraph that a checkpointer sees, and the ways to run them."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, Send, interrupt

Saver = BaseCheckpointSaver[Any]
# A step of a session: `invoke` with a value, or a function from the graph and config to a value to
# invoke with.
Steps = Sequence[Any]


class Chat(TypedDict):
    """A chat, as most agents have it."""

    messages: Annotated[list[AnyMessage], add_messages]


class Items(TypedDict, total=False):
    """A list that grows, and a value that is replaced."""

    xs: Annotated[list[Any], operator.add]
    last: Any


def extend(state: Any, writes: Sequence[Any]) -> list[Any]:
    """The reducer of a delta channel."""
    return [*(state or []), *(item for write in writes for item in write)]


class Growing(TypedDict):
    """A list whose writes are stored, and seldom the list."""

    xs: Annotated[list[Any], DeltaChannel(extend, snapshot_frequency=3)]


def chat(saver: Saver) -> Any:
    """A model that calls a tool, and answers."""

    def model(state: Chat) -> Any:
        count = len(state["messages"])
        if isinstance(state["messages"][-1], HumanMessage):
            call = {"name": "look", "args": {"at": count}, "id": f"call-{count}"}
            return {"messages": [AIMessage("", tool_calls=[call], id=f"ai-{count}")]}
        return {"messages": [AIMessage("done", id=f"ai-{count}")]}

    def tool(state: Chat) -> Any:
        last = state["messages"][-1]
        assert isinstance(last, AIMessage)
        answers = [
            ToolMessage(f"saw {call['args']}", tool_call_id=call["id"], id=f"tool-{call['id']}")
            for call in last.tool_calls
        ]
        return {"messages": answers}

    def route(state: Chat) -> str:
        last = state["messages"][-1]
        return "tool" if isinstance(last, AIMessage) and last.tool_calls else END

    builder = StateGraph(Chat).add_node("model", model).add_node("tool", tool)
    builder.add_edge(START, "model").add_conditional_edges("model", route, ["tool", END])
    return builder.add_edge("tool", "model").compile(checkpointer=saver)


def approval(saver: Saver) -> Any:
    """Two interrupts in one node, beside a node that goes on."""

    def ask(state: Items) -> Any:
        return {"xs": [interrupt({"ask": "first"}), interrupt({"ask": "second"})]}

    builder = StateGraph(Items).add_node("ask", ask)
    builder.add_node("go", lambda state: {"xs": ["went"]})
    builder.add_node("end", lambda state: {"last": len(state["xs"])})
    builder.add_edge(START, "ask").add_edge(START, "go").add_edge(["ask", "go"], "end")
    return builder.compile(checkpointer=saver)


def nested(saver: Saver) -> Any:
    """A subgraph with an interrupt, and one that keeps its own state."""
    inner = StateGraph(Items).add_node("ask", lambda state: {"xs": [interrupt("inner")]})
    inner.add_node("after", lambda state: {"xs": [len(state["xs"])]})
    inner_graph = inner.add_edge(START, "ask").add_edge("ask", "after").compile()
    keeping = StateGraph(Items).add_node("add", lambda state: {"last": len(state["xs"])})
    keeping_graph = keeping.add_edge(START, "add").compile(checkpointer=True)

    builder = StateGraph(Items).add_node("inner", inner_graph).add_node("keeping", keeping_graph)
    builder.add_edge(START, "inner").add_edge("inner", "keeping")
    return builder.compile(checkpointer=saver)


def sends(saver: Saver) -> Any:
    """Map and reduce, with a sender that goes on by a command."""

    def fan(state: Items) -> Any:
        return Command(update={"last": "fanned"}, goto=[Send("one", {"last": n}) for n in range(5)])

    builder = StateGraph(Items).add_node("fan", fan, destinations=("one",))
    builder.add_node("one", lambda state: {"xs": [state["last"]]})
    builder.add_node("sum", lambda state: {"last": sum(state["xs"])})
    builder.add_edge(START, "fan").add_edge("one", "sum")
    return builder.compile(checkpointer=saver)


def delta(saver: Saver) -> Any:
    """A delta channel that is stored whole every third time."""
    builder = StateGraph(Growing)
    builder.add_node("one", lambda state: {"xs": [len(state["xs"])]})
    builder.add_node("two", lambda state: {"xs": [f"two of {len(state['xs'])}"]})
    builder.add_edge(START, "one").add_edge("one", "two")
    return builder.compile(checkpointer=saver)


def failing(saver: Saver) -> Any:
    """A node that fails the first time, after one beside it that does not and runs once."""
    runs = {"fails": 0, "works": 0}
    worked = threading.Event()

    def fails(state: Items) -> Any:
        worked.wait()
        runs["fails"] += 1
        if runs["fails"] == 1:
            raise ValueError("the first time")
        return {"xs": [runs["fails"]]}

    def works(state: Items) -> Any:
        runs["works"] += 1
        worked.set()
        return {"xs": [f"worked {runs['works']}"]}

    builder = StateGraph(Items).add_node("fails", fails).add_node("works", works)
    return builder.add_edge(START, "fails").add_edge(START, "works").compile(checkpointer=saver)


def functional(saver: Saver) -> Any:
    """The functional API: tasks that run once, an interrupt, and what the last run returned."""
    counts: list[int] = []

    @task
    def count(value: int) -> int:
        counts.append(value)
        return len(counts)

    @entrypoint(checkpointer=saver)
    def flow(value: int, *, previous: Any = None) -> Any:
        first = [count(value).result(), count(value + 1).result()]
        return {"counts": first, "answer": interrupt(value), "previous": previous}

    return flow


def human(text: str, id: str) -> dict[str, Any]:
    """An input of a chat."""
    return {"messages": [HumanMessage(text, id=id)]}


def _first(graph: Any, config: Any) -> Any:
    """The state after the first superstep, or what there is of it if that was not stored."""
    history = list(graph.get_state_history(config))
    return next((state for state in history if state.metadata["step"] == 0), history[-1])


def _fork(graph: Any, config: Any) -> Any:
    """Go back, and change the state there."""
    return graph.update_state(_first(graph, config).config, {"xs": [1000]})


def _replay(graph: Any, config: Any) -> Any:
    """Go back, and run from there."""
    return _first(graph, config).config


SESSIONS: dict[str, tuple[Callable[[Saver], Any], Steps]] = {
    "chat": (chat, [human("one", "h1"), human("two", "h2"), human("three", "h3")]),
    "approval": (approval, [{"xs": []}, Command(resume="yes"), Command(resume="no"), {"xs": [1]}]),
    "nested": (nested, [{"xs": ["in"]}, Command(resume="out"), {"xs": []}, Command(resume=5)]),
    "sends": (sends, [{"xs": []}, {"xs": [100]}]),
    "delta": (delta, [{"xs": [n]} for n in range(6)]),
    "failing": (failing, [{"xs": []}, None, {"xs": [1]}]),
    "functional": (functional, [1, Command(resume="a"), 5, Command(resume="b")]),
    "fork": (sends, [{"xs": [1]}, _fork, {"xs": [2]}]),
    "replay": (sends, [{"xs": [1]}, _replay, {"xs": [2]}]),
    "delta fork": (delta, [{"xs": [1]}, {"xs": [2]}, _fork, {"xs": [3]}]),
}
