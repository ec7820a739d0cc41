"""What is measured. Each workload gives rows."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter

from langchain_core.messages import AnyMessage

from . import data
from .savers import NAMES, Saver, close_saver, open_async, open_saver, size_of


@dataclass
class Row:
    """A line of the table. The ratio is how often the stock saver's value has ours in it."""

    what: str
    size: str
    unit: str
    values: Sequence[float | None]
    """The stock saver's, if it has one, and ours."""
    at_least: float | None = None
    """The least ratio."""
    at_most: float | None = None
    """The largest value of ours."""
    more_is_better: bool = False

    @property
    def stock(self) -> float | None:
        """The stock saver's value."""
        return self.values[0]

    @property
    def ours(self) -> float:
        """The package's value."""
        return self.values[1] or 0.0

    @property
    def ratio(self) -> float | None:
        """How much better ours is."""
        if self.stock is None:
            return None
        return self.ours / self.stock if self.more_is_better else self.stock / self.ours

    @property
    def is_met(self) -> bool:
        """Whether the row is within its targets."""
        ratio = self.ratio
        enough = self.at_least is None or (ratio is not None and ratio >= self.at_least)
        return enough and (self.at_most is None or self.ours <= self.at_most)


ROUNDS = {"3.8 KB": 400, "35 KB": 200, "235 KB": 60, "2 MB": 12}
SUPERSTEP = {"3.8 KB": 1.0, "35 KB": 1.2, "235 KB": 3.0, "2 MB": 8.0}
WARM = {"3.8 KB": 1.0, "35 KB": 1.3, "235 KB": 3.0, "2 MB": 4.0}


def timed(run: Callable[[], object]) -> float:
    """Return the milliseconds that a call takes."""
    begin = perf_counter()
    run()
    return (perf_counter() - begin) * 1_000


def states(folder: Path, quick: bool) -> Iterator[Row]:
    """Yield rows for states of several sizes: stored whole, appended to, read."""
    for size, length in data.SIZES.items():
        rounds = ROUNDS[size] // (8 if quick else 1) + 1
        paths = {name: folder / f"states-{name}-{length}.db" for name in NAMES}
        found = _states(paths, length, rounds, "normal")
        for name in NAMES:
            found[name]["cold"] = [_cold(name, paths[name]) for _ in range(min(rounds, 30))]
        middle = medians(found)
        yield Row("superstep: two messages more", size, "ms", middle["append"], SUPERSTEP[size])
        yield Row("`get_tuple`, same process", size, "ms", middle["warm"], WARM[size])
        yield Row("first `get_tuple` after opening", size, "ms", middle["cold"], 1 / 1.3)
        whole = 1.0 if size == "235 KB" else None
        yield Row("`put` of a whole new state", size, "ms", middle["whole"], whole)


def full(folder: Path, quick: bool) -> Iterator[Row]:
    """Yield rows for states that are stored so that they survive a loss of power."""
    for size, length in data.SIZES.items():
        rounds = ROUNDS[size] // (16 if quick else 2) + 1
        paths = {name: folder / f"full-{name}-{length}.db" for name in NAMES}
        middle = medians(_states(paths, length, rounds, "full"))
        yield Row("superstep, FULL", size, "ms", middle["append"])
        yield Row("`put` of a whole new state, FULL", size, "ms", middle["whole"])


Times = dict[str, dict[str, list[float]]]
"""Milliseconds, by saver and by what took them."""


def _states(paths: dict[str, Path], length: int, rounds: int, synchronous: str) -> Times:
    savers = {name: open_saver(name, path, synchronous) for name, path in paths.items()}
    found = on_new_threads(savers, length, rounds)
    for saver in savers.values():
        close_saver(saver)
    return found


def on_new_threads(savers: dict[str, Saver], length: int, rounds: int) -> Times:
    """Return the times of each saver's calls, on a new thread in each round."""
    found: Times = {name: {} for name in NAMES}
    for number in range(rounds + rounds // 4):
        for name in NAMES if number % 2 else reversed(NAMES):
            times = _one_state(savers[name], f"thread-{number}", length)
            if number >= rounds // 4:
                for what, time in times.items():
                    found[name].setdefault(what, []).append(time)
    return found


def medians(found: Times) -> dict[str, list[float]]:
    """Return the medians by what took the times, in the order of the savers' names."""
    return {what: [statistics.median(found[n][what]) for n in NAMES] for what in found["ours"]}


def _one_state(saver: Saver, thread: str, length: int) -> dict[str, float]:
    state = data.messages(0, length)
    whole = timed(lambda: saver.put(*data.put_arguments(thread, 0, state)))
    more = data.messages(length, 2)
    longer = [*state, *more]

    def superstep() -> None:
        saver.put_writes(data.config(thread, 0), [("messages", more)], "task")
        saver.put(*data.put_arguments(thread, 1, longer))

    append = timed(superstep)
    saver.get_tuple(data.config(thread))
    warm = timed(lambda: saver.get_tuple(data.config(thread)))
    return {"whole": whole, "append": append, "warm": warm}


def _cold(name: str, path: Path) -> float:
    saver = open_saver(name, path)
    # The first read of a file also reads its schema.
    saver.get_tuple(data.config("thread-1"))
    time = timed(lambda: saver.get_tuple(data.config("thread-0")))
    close_saver(saver)
    return time


def growth(folder: Path, quick: bool) -> Iterator[Row]:
    """Yield rows for a chat that grows by two messages a superstep."""
    steps = 200 if quick else 1_000
    totals, stored, written = [], [], []
    for name in NAMES:
        path = folder / f"growth-{name}.db"
        saver = open_saver(name, path)
        state = data.messages(0, 0)
        before, total = _bytes_written(), 0.0
        for step in range(steps):
            more = data.messages(2 * step, 2)
            state = [*state, *more]
            total += timed(partial(_superstep, saver, step, more, state))
        written.append((_bytes_written() - before) / steps / 1_000)
        close_saver(saver)
        totals.append(total)
        stored.append(size_of(path) / 1e6)
    size = f"{steps} steps"
    yield Row("growing chat: all steps", size, "ms", totals, 10.0)
    yield Row("growing chat: stored", size, "MB", stored, at_most=5.0)
    yield Row("growing chat: written a step", size, "KB", written, at_most=40.0)


def _superstep(saver: Saver, step: int, more: list[AnyMessage], state: list[AnyMessage]) -> None:
    if step > 0:
        saver.put_writes(data.config("chat", step - 1), [("messages", more)], f"task-{step}")
    saver.put(*data.put_arguments("chat", step, state))


def _bytes_written() -> int:
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("wchar: "):
            return int(line.split()[1])
    return 0


TASKS = 16
TASK_TARGETS = {("asyncio", "full"): 3.0, ("asyncio", "normal"): 1.5}
THREAD_TARGETS = {("threads", "full"): 2.0, ("threads", "normal"): 1.0}


def tasks(folder: Path, quick: bool) -> Iterator[Row]:
    """Yield rows for agents that run side by side, each on threads of its own."""
    each = 20 if quick else 100
    numbers = count()
    for synchronous in ("full", "normal"):
        for way, targets in (("asyncio", TASK_TARGETS), ("threads", THREAD_TARGETS)):
            rates = []
            for name in NAMES:
                path = folder / f"tasks-{next(numbers)}.db"
                if way == "asyncio":
                    seconds = asyncio.run(_tasks(name, path, synchronous, each))
                else:
                    seconds = _threads(name, path, synchronous, each)
                rates.append(TASKS * each / seconds)
            what = f"16 agents, {way}, {synchronous.upper()}: supersteps a second"
            target = targets[way, synchronous]
            yield Row(what, "3.8 KB", "/s", rates, target, more_is_better=True)


def _chats() -> list[list[list[AnyMessage]]]:
    """Return the states of five supersteps, for each agent."""
    return [[data.messages(0, 4 + 2 * step) for step in range(5)] for _ in range(TASKS)]


async def _tasks(name: str, path: Path, synchronous: str, each: int) -> float:
    chats = _chats()
    async with AsyncExitStack() as stack:
        saver = await open_async(name, path, synchronous, stack)

        async def agent(number: int) -> None:
            for step in range(each):
                thread = f"thread-{number}-{step // 5}"
                state = chats[number][step % 5]
                if step % 5 > 0:
                    at = data.config(thread, step % 5 - 1)
                    await saver.aput_writes(at, [("messages", state[-2:])], "task")
                await saver.aput(*data.put_arguments(thread, step % 5, state))

        begin = perf_counter()
        await asyncio.gather(*(agent(number) for number in range(TASKS)))
        return perf_counter() - begin


def _threads(name: str, path: Path, synchronous: str, each: int) -> float:
    chats = _chats()
    saver = open_saver(name, path, synchronous)

    def agent(number: int) -> None:
        for step in range(each):
            thread = f"thread-{number}-{step // 5}"
            state = chats[number][step % 5]
            if step % 5 > 0:
                at = data.config(thread, step % 5 - 1)
                saver.put_writes(at, [("messages", state[-2:])], "task")
            saver.put(*data.put_arguments(thread, step % 5, state))

    threads = [threading.Thread(target=agent, args=(number,)) for number in range(TASKS)]
    begin = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = perf_counter() - begin
    close_saver(saver)
    return seconds


OPENING = """
import langgraph.checkpoint.base, langgraph.checkpoint.serde.encrypted, sys, time
begin = time.perf_counter()
from langgraph_checkpoint_wasm import SqliteSaver
saver = SqliteSaver(sys.argv[1])
print((time.perf_counter() - begin) * 1000)
"""


def opening(folder: Path, quick: bool) -> Iterator[Row]:
    """Yield a row for importing the package and opening a file, in new processes."""
    times = []
    for number in range(3 if quick else 15):
        command = [sys.executable, "-c", OPENING, str(folder / f"opening-{number}.db")]
        times.append(float(subprocess.run(command, check=True, capture_output=True).stdout))
    middle = statistics.median(times)
    yield Row("import and open, beside LangGraph", "empty file", "ms", (None, middle), at_most=30.0)
