"""A deep agent, and the walk that its delta channels need."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from . import data
from .deep_agent import deep_agent, question
from .savers import NAMES, Saver, close_saver, open_saver
from .workloads import Row, timed

CHANNELS = ["messages", "files"]


def deep(folder: Path, quick: bool) -> Iterator[Row]:
    """Yield rows for a deep agent of many turns, and for reading its thread."""
    turns = 20 if quick else 100
    times = []
    walks: dict[str, list[float]] = {}
    for name in NAMES:
        path = folder / f"deep-{name}.db"
        saver = open_saver(name, path)
        agent = deep_agent(saver)

        def run(agent: Any = agent) -> None:
            for turn in range(turns):
                agent.invoke(question(turn), data.config("deep"))

        times.append(timed(run))
        close_saver(saver)
        for what, walk in WALKS.items():
            walks.setdefault(what, []).append(_walked(name, path, walk))
    yield Row("deepagents with files", f"{turns} turns", "ms", times, 2.0)
    for what, values in walks.items():
        yield Row(what, f"{turns} turns", "ms", values)


def _history(saver: Saver) -> Callable[[], object]:
    return partial(saver.get_delta_channel_history, config=data.config("deep"), channels=CHANNELS)


def _history_by_gets(saver: Saver) -> Callable[[], object]:
    # As for a saver that has no such method, and for every saver of Agent Server.
    walk = BaseCheckpointSaver.get_delta_channel_history
    return partial(walk, saver, config=data.config("deep"), channels=CHANNELS)


def _state(saver: Saver) -> Callable[[], object]:
    return partial(deep_agent(saver).get_state, data.config("deep"))


WALKS: dict[str, Callable[[Saver], Callable[[], object]]] = {
    "delta channels' history: one call": _history,
    "the same by a `get_tuple` for each ancestor": _history_by_gets,
    "`get_state` of the deep agent": _state,
}


def _walked(name: str, path: Path, walk: Callable[[Saver], Callable[[], object]]) -> float:
    saver = open_saver(name, path)
    run = walk(saver)
    run()
    time = statistics.median(timed(run) for _ in range(15))
    close_saver(saver)
    return time
