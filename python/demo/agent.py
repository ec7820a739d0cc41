"""A LangGraph agent whose process may die at any time: its thread is in the database.

python agent.py start <file> <thread>     talks until it needs a human, and waits
python agent.py resume <file> <thread>    another process goes on, rewinds, and forks
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, StateSnapshot

from langgraph_checkpoint_wasm import SqliteSaver
from travel import TOOLS, LocalModel

TURNS = [
    "Three days in Lisbon in May. Which flights are there?",
    "And somewhere to stay near the river?",
    "Book the cheapest flight, and that place.",
]
OTHER_TURN = "Book a direct flight instead, and a cheap hotel."
COLUMNS = 88
SPEAKERS = {"human": "you", "ai": "agent", "tool": "tool"}


def compiled(checkpointer: SqliteSaver) -> Any:
    """The agent."""
    model = LocalModel()

    def call_model(state: MessagesState) -> Any:
        return {"messages": [model.invoke(state["messages"])]}

    def route(state: MessagesState) -> str:
        last = state["messages"][-1]
        return "tools" if isinstance(last, AIMessage) and last.tool_calls else END

    builder = StateGraph(MessagesState)
    builder.add_node("model", call_model).add_node("tools", ToolNode(TOOLS))
    builder.add_edge(START, "model").add_conditional_edges("model", route, ["tools", END])
    return builder.add_edge("tools", "model").compile(checkpointer=checkpointer)


def start(app: Any, thread: RunnableConfig) -> None:
    """Talk until the agent needs a human."""
    for turn in TURNS:
        state = say(app, thread, human(turn))
        print()
    print(f"  The agent has stopped: {question(state)}")
    print("  waiting for approval; every step so far is stored", flush=True)
    # The process that would wait for a person. It is killed here, without warning.
    time.sleep(600)


def resume(app: Any, thread: RunnableConfig) -> None:
    """Go on in another process, rewind, and fork."""
    waiting = app.get_state(thread)
    print(f"  Found {len(waiting.values['messages'])} messages, and a question still open:")
    print(f"  {question(waiting)}\n\n  Approving it...")
    approved: Command[Any] = Command(resume={"by": "Ana"})
    booked = say(app, thread, approved)

    history = list(app.get_state_history(thread))
    print("\n  The thread's history, newest first:\n")
    for state in history:
        print(f"    {history_line(state)}")

    print("\n  Rewinding to the end of the second turn, and taking another way from there:\n")
    count = len(booked.values["messages"])
    before = next(
        state for state in history if not state.next and len(state.values["messages"]) < count
    )
    say(app, before.config, human(OTHER_TURN))
    print("\n  Approving that one, too...")
    forked = say(app, thread, approved)

    print("\n  Two branches of one thread, both whole:\n")
    for name, state in (("first", booked), ("second", forked)):
        messages = app.get_state(state.config).values["messages"]
        print(f"    {name:6}  {len(messages)} messages  {line(messages[-1], 62)}")


def say(app: Any, config: RunnableConfig, given: Any) -> StateSnapshot:
    """Say one thing to the agent and print what it does, up to its answer or its question."""
    for update in app.stream(given, config, stream_mode="updates"):
        for changed in update.values():
            if isinstance(changed, dict):
                print_said(changed.get("messages", []))
    thread_id = config["configurable"]["thread_id"]
    state: StateSnapshot = app.get_state({"configurable": {"thread_id": thread_id}})
    return state


def human(text: str) -> dict[str, list[HumanMessage]]:
    """What a person says, as an input."""
    message = HumanMessage(text)
    print_said([message])
    return {"messages": [message]}


def question(state: StateSnapshot) -> str:
    """What the agent waits for."""
    return str(state.tasks[0].interrupts[0].value["question"])


def print_said(messages: list[BaseMessage]) -> None:
    """Print a line for each message."""
    for message in messages:
        print(f"  {SPEAKERS[message.type]:5} | {line(message, COLUMNS)}")


def history_line(state: StateSnapshot) -> str:
    """A checkpoint in a line."""
    id = state.config["configurable"]["checkpoint_id"][:13]
    metadata = state.metadata or {}
    place = f"-> {', '.join(state.next)}" if state.next else "(end)"
    messages = state.values.get("messages", [])
    said = line(messages[-1], COLUMNS - 42) if messages else ""
    return f"{id}  step {metadata['step']:2}  {metadata['source']:5}  {place:13} {said}"


def line(message: BaseMessage, columns: int) -> str:
    """A message in a line of at most so many columns."""
    said = str(message.text)
    if isinstance(message, AIMessage) and message.tool_calls:
        call = message.tool_calls[0]
        said = f"-> {call['name']}({json.dumps(call['args'])})"
    if len(said) <= columns:
        return said
    size = f" ... {len(said)} characters"
    return said[: columns - len(size)] + size


if __name__ == "__main__":
    parts = {"start": start, "resume": resume}
    if len(sys.argv) != 4 or sys.argv[1] not in parts:
        sys.exit("usage: python agent.py start|resume <file> <thread>")
    with SqliteSaver(sys.argv[2]) as saver:
        parts[sys.argv[1]](compiled(saver), {"configurable": {"thread_id": sys.argv[3]}})
