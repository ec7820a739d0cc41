"""LangGraph gives the same with our saver as with its own in memory."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, StateSnapshot

from langgraph_checkpoint_wasm import SqliteSaver

from .graphs import SESSIONS, Saver
from .states import config

DURABILITIES = ["sync", "async", "exit"]


@pytest.mark.parametrize("reopened", [False, True], ids=["one process", "reopened"])
@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_is_the_same_as_in_memory(
    name: str, durability: Any, reopened: bool, tmp_path: Path
) -> None:
    savers = Reopening(tmp_path / "checkpoints.db", reopened)
    memory = InMemorySaver()
    expected = session(name, lambda: memory, durability)
    assert session(name, savers.next, durability) == expected
    savers.last.close()


def interrupts(name: str) -> bool:
    """Whether a session interrupts. In asyncio, LangGraph can do so from Python 3.11 on."""
    return name in ("approval", "nested", "functional")


@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in SESSIONS
        # Its tasks are called from a thread, which has no event loop.
        if name != "functional" and (sys.version_info >= (3, 11) or not interrupts(name))
    ],
)
def test_an_async_session_is_the_same_as_in_memory(name: str, durability: Any) -> None:
    async def run() -> None:
        expected = await asession(name, InMemorySaver(), durability)
        async with SqliteSaver(":memory:") as saver:
            assert await asession(name, saver, durability) == expected

    asyncio.run(run())


class Reopening:
    """Gives the same saver each time, or a new one on the same file."""

    def __init__(self, path: Path, reopens: bool) -> None:
        self.path, self.reopens = path, reopens
        self.last = SqliteSaver(path)

    def next(self) -> SqliteSaver:
        if self.reopens:
            self.last.close()
            self.last = SqliteSaver(self.path)
        return self.last


def session(name: str, saver: Any, durability: Any) -> list[Any]:
    """What a graph gives at each step, and its state and history after it."""
    build, steps = SESSIONS[name]
    graph, given = build(saver()), []
    thread = config()
    for step in steps:
        graph.checkpointer = saver()
        value, at = step, thread
        if callable(step):
            value, at = None, step(graph, thread)
        try:
            given.append(plain(graph.invoke(value, at, durability=durability)))
        except ValueError as error:
            given.append(repr(error))
        given.append(snapshot(graph.get_state(thread, subgraphs=True)))
        given.append([snapshot(state) for state in graph.get_state_history(thread)])
        given.append([snapshot(state) for state in graph.get_state_history(thread, limit=2)])
    return given


async def asession(name: str, saver: Saver, durability: Any) -> list[Any]:
    """The same in an event loop."""
    build, steps = SESSIONS[name]
    graph, given = build(saver), []
    thread = config()
    for step in steps:
        value, at = step, thread
        if callable(step):
            value, at = None, await asyncio.to_thread(step, graph, thread)
        try:
            given.append(plain(await graph.ainvoke(value, at, durability=durability)))
        except ValueError as error:
            given.append(repr(error))
        given.append(snapshot(await graph.aget_state(thread, subgraphs=True)))
        given.append([snapshot(state) async for state in graph.aget_state_history(thread)])
    return given


def snapshot(state: StateSnapshot) -> Any:
    """A state without what differs from run to run: ids, and times."""
    metadata = {key: value for key, value in (state.metadata or {}).items() if key != "parents"}
    tasks = [
        (
            task.name,
            None if task.error is None else repr(task.error),
            [interrupt.value for interrupt in task.interrupts],
            plain(task.result),
            snapshot(task.state) if isinstance(task.state, StateSnapshot) else None,
        )
        for task in state.tasks
    ]
    has_parent = state.parent_config is not None
    values = state.values
    if isinstance(values, dict):
        # In the functional API, LangGraph adds this to a returned dict while it may be stored.
        values = {key: value for key, value in values.items() if key != "__interrupt__"}
    return values, state.next, metadata, tasks, has_parent


def plain(value: Any) -> Any:
    """A value whose interrupts have no id."""
    if isinstance(value, dict) and "__interrupt__" in value:
        interrupts = [interrupt.value for interrupt in value["__interrupt__"]]
        return {**value, "__interrupt__": interrupts}
    assert not isinstance(value, Command)
    return value
