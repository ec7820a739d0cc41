"""One thread in one file, whose turns are run in Python and in JavaScript.

JavaScript's half is the program that `RELAY_IN_JAVASCRIPT` names, of the built npm package.
`cargo xtask test` says it; without it the tests are skipped.
"""

from __future__ import annotations

import json
import operator
import os
import subprocess
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.serde.types import _DeltaSnapshot as DeltaSnapshot
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt

from langgraph_checkpoint_wasm import SqliteSaver

from .states import config

PROGRAM = os.environ.get("RELAY_IN_JAVASCRIPT", "")
LANGUAGE = "python"
TURNS = 20

pytestmark = pytest.mark.skipif(not PROGRAM, reason="RELAY_IN_JAVASCRIPT names no program")


def append(log: list[str], writes: Sequence[list[str]]) -> list[str]:
    return [*log, *(entry for write in writes for entry in write)]


class State(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    seen: Annotated[set[str], operator.or_]
    log: Annotated[list[str], DeltaChannel(append, snapshot_frequency=3)]
    facts: Annotated[dict[str, Any], operator.or_]
    at: datetime
    data: bytes
    answer: Any


def said(turn: int) -> list[Any]:
    """Messages of a kind that the turn decides."""
    id = f"{LANGUAGE}-{turn}"
    call = {"name": "look", "args": {"turn": turn, "deep": [{"a": None}]}, "id": f"{id}-call"}
    usage: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    text: list[Any] = [{"type": "text", "text": "I look."}]
    kinds: list[list[Any]] = [
        [
            AIMessage(text, id=f"{id}-a", tool_calls=[call], usage_metadata=usage),
            ToolMessage(
                "seen",
                id=f"{id}-b",
                tool_call_id=f"{id}-call",
                status="error",
                artifact={"rows": [[1, 2.5]]},
            ),
        ],
        [
            SystemMessage("Be brief.", id=f"{id}-a"),
            ChatMessage(content="hm", role="critic", id=f"{id}-b"),
        ],
        [FunctionMessage(content="4", name="sum", id=f"{id}-a")],
        [RemoveMessage(id=f"question-{turn}"), HumanMessage("again", name="Ada", id=f"{id}-a")],
    ]
    return kinds[turn % 4]


def model(state: State) -> State:
    turn = len(state["log"])
    name = f"{LANGUAGE} {turn}"
    return {
        "messages": said(turn),
        "seen": {name},
        "log": [name],
        "facts": {name: [turn, 2.5, None, True, {"text": "\U0001f600"}]},
        "at": datetime(2026, 11, 29, 1, 2, turn, 345_000, timezone.utc),
        "data": bytes([turn, 0, 255]),
    }


def ask(state: State) -> State:
    return {"answer": interrupt({"question": "go on?", "at": len(state["log"])})}


def shown(state: Any) -> dict[str, Any]:
    """A state as both languages show it."""
    values = state.values
    at: datetime | None = values.get("at")
    data: bytes | None = values.get("data")
    return {
        "messages": [shown_message(message) for message in values.get("messages", [])],
        "seen": sorted(values.get("seen", ())),
        "log": values.get("log", []),
        "facts": values.get("facts", {}),
        "at": None if at is None else f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
        "data": None if data is None else list(data),
        "answer": values.get("answer"),
        "next": list(state.next),
    }


def shown_message(message: AnyMessage) -> dict[str, Any]:
    calls = [
        {name: call[name] for name in ("name", "args", "id")}
        for call in getattr(message, "tool_calls", ())
    ]
    usage = getattr(message, "usage_metadata", None) or {}
    return {
        "type": message.type,
        "id": message.id,
        "content": message.content,
        "name": message.name,
        "tool_calls": calls,
        "tool_call_id": getattr(message, "tool_call_id", None),
        "status": getattr(message, "status", None),
        "artifact": getattr(message, "artifact", None),
        "role": getattr(message, "role", None),
        "total_tokens": usage.get("total_tokens"),
    }


class Python:
    """Runs turns here."""

    def __init__(self, path: Path) -> None:
        self.saver = SqliteSaver(path)
        builder = StateGraph(State).add_node("model", model).add_node("ask", ask)
        builder.add_edge(START, "model").add_edge("ask", END)
        builder.add_conditional_edges(
            "model", lambda state: END if len(state["log"]) % 5 else "ask", ["ask", END]
        )
        self.app: Any = builder.compile(checkpointer=self.saver)

    def run(
        self, *, turn: int | None = None, resume: Any = None, checkpoint: str | None = None
    ) -> Any:
        thread = config("relay")
        if turn is not None:
            question = HumanMessage(f"turn {turn}", id=f"question-{turn}")
            self.app.invoke({"messages": [question]}, thread)
        elif resume is not None:
            self.app.invoke(Command(resume=resume), thread)
        at = {} if checkpoint is None else {"checkpoint_id": checkpoint}
        return shown(self.app.get_state(config("relay", **at)))

    def end(self) -> None:
        self.saver.close()


class JavaScript:
    """Runs turns in a process of Node.js."""

    def __init__(self, path: Path) -> None:
        command = ["node", PROGRAM, str(path)]
        self.process = subprocess.Popen(command, stdin=-1, stdout=-1, text=True)

    def run(self, **command: Any) -> Any:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{json.dumps(command)}\n")
        stdin.flush()
        return json.loads(stdout.readline())

    def end(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0


@pytest.fixture
def languages(tmp_path: Path) -> Iterator[dict[str, Python | JavaScript]]:
    """Both, on one file."""
    path = tmp_path / "checkpoints.db"
    both: dict[str, Python | JavaScript] = {
        "python": Python(path),
        "javascript": JavaScript(path),
    }
    yield both
    for language in both.values():
        language.end()


@pytest.mark.parametrize("order", ["javascript python", "python javascript"])
def test_a_thread_goes_from_one_language_to_the_other_and_back(
    order: str, languages: dict[str, Any]
) -> None:
    order_of = order.split()
    log: list[str] = []
    for turn in range(TURNS):
        # Each language comes after the other, and after itself.
        here, other = order_of if turn % 3 else reversed(order_of)
        state = languages[here].run(turn=turn)
        log.append(f"{here} {turn}")
        assert languages[other].run() == state
        assert state["log"] == log
        assert state["seen"] == sorted(log)
        assert list(state["facts"]) == log
        assert state["facts"][log[-1]] == [turn, 2.5, None, True, {"text": "\U0001f600"}]
        assert state["at"] == f"2026-11-29T01:02:{turn:02}.345Z"
        assert state["data"] == [turn, 0, 255]
        ids = [message["id"] for message in state["messages"]]
        assert f"{here}-{turn}-a" in ids
        assert (f"question-{turn}" in ids) == (turn % 4 < 3)
        if state["next"]:
            # What one asks, the other answers.
            assert state["next"] == ["ask"]
            state = languages[other].run(resume={"yes": turn})
            assert languages[here].run() == state
            assert state["next"] == []
            assert state["answer"] == {"yes": turn}
    types = {message["type"] for message in state["messages"]}
    assert types == {"human", "ai", "tool", "system", "chat", "function"}

    saver: SqliteSaver = languages["python"].saver
    listed = list(saver.list(config("relay")))
    snapshots = [found.checkpoint["channel_values"].get("log") for found in listed]
    assert sum(isinstance(value, DeltaSnapshot) for value in snapshots) >= TURNS // 3
    for found in listed:
        id = found.config["configurable"]["checkpoint_id"]
        states = [language.run(checkpoint=id) for language in languages.values()]
        assert states[0] == states[1], id
