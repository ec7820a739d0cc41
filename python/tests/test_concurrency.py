"""Threads, event loops, forks and the end of the interpreter."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from langgraph_checkpoint_wasm import SqliteSaver, errors

from .states import FIRST, checkpoint, config, put

THREADS = 16
STEPS = 20


def ids() -> list[str]:
    return [f"{FIRST[:-4]}{number:04}" for number in range(STEPS)]


def work(saver: SqliteSaver, thread_id: str) -> None:
    """One agent that grows its state, and reads what it wrote."""
    state: list[str] = []
    for id in ids():
        state.append(thread_id)
        of_it = put(saver, id, thread_id, xs=state)
        saver.put_writes(of_it, [("xs", id)], "task")
        found = saver.get_tuple(of_it)
        assert found is not None
        assert found.checkpoint["channel_values"] == {"xs": state}
        assert found.pending_writes == [("task", "xs", id)]


async def awork(saver: SqliteSaver, thread_id: str) -> None:
    state: list[str] = []
    for id in ids():
        state.append(thread_id)
        given = checkpoint(id, xs=list(state))
        of_it = await saver.aput(config(thread_id), given, {}, given["channel_versions"])
        await saver.aput_writes(of_it, [("xs", id)], "task")
        found = await saver.aget_tuple(of_it)
        assert found is not None
        assert found.checkpoint["channel_values"] == {"xs": state}
        assert found.pending_writes == [("task", "xs", id)]


@pytest.mark.parametrize("place", [":memory:", "file"])
def test_threads_and_event_loops_share_a_saver(place: str, tmp_path: Path) -> None:
    path = place if place == ":memory:" else tmp_path / "checkpoints.db"

    async def agents(saver: SqliteSaver, loop: str) -> None:
        await asyncio.gather(*(awork(saver, f"{loop}-{agent}") for agent in range(THREADS)))

    with SqliteSaver(path) as saver, ThreadPoolExecutor(THREADS + 2) as pool:
        ends = [pool.submit(work, saver, f"thread-{number}") for number in range(THREADS)]
        ends += [pool.submit(asyncio.run, agents(saver, loop)) for loop in ("one", "two")]
        for end in ends:
            end.result()
        assert len(list(saver.list(None))) == 3 * THREADS * STEPS


def test_a_call_that_waits_does_not_block_the_event_loop(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"

    async def run() -> None:
        saver = SqliteSaver(path)
        put(saver, x=1)
        # A lock that ends only when the event loop runs meanwhile.
        locking = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        locking += "c.execute('BEGIN IMMEDIATE'); print(flush=True); sys.stdin.read()"
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", locking, str(path), stdin=-1, stdout=-1
        )
        assert other.stdout is not None
        assert other.stdin is not None
        await other.stdout.readline()
        given = checkpoint(x=2)
        waiting = asyncio.create_task(saver.aput(config(), given, {}, given["channel_versions"]))
        assert await saver.aget(config()) is not None
        assert not waiting.done()
        other.stdin.close()
        await waiting
        await other.wait()
        await saver.aclose()

    asyncio.run(run())


def test_a_sync_call_on_the_thread_of_the_event_loop_works_beside_async_ones() -> None:
    async def run() -> None:
        async with SqliteSaver(":memory:") as saver:
            agent = asyncio.create_task(awork(saver, "async"))
            await asyncio.sleep(0)
            work(saver, "sync")
            await agent

    asyncio.run(run())


def test_a_cancelled_call_leaves_the_saver_usable_and_stores_all_or_nothing() -> None:
    async def run() -> None:
        async with SqliteSaver(":memory:") as saver:
            given = checkpoint(x=1, y=2)
            for number in range(50):
                call = saver.aput(config(str(number)), given, {}, given["channel_versions"])
                task = asyncio.create_task(call)
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await awork(saver, "later")
        del saver

    asyncio.run(run())


def test_an_event_loop_that_ends_with_calls_under_way_is_no_trouble(tmp_path: Path) -> None:
    saver = SqliteSaver(tmp_path / "checkpoints.db")
    given = checkpoint(x=1)

    async def leave() -> weakref.ref[Any]:
        for number in range(50):
            call = saver.aput(config(str(number)), given, {}, given["channel_versions"])
            task = asyncio.create_task(call)
            await asyncio.sleep(0)
            task.cancel()
        return weakref.ref(asyncio.get_running_loop())

    loops = [asyncio.run(leave()) for _ in range(5)]
    saver.close()
    gc.collect()
    assert [loop() for loop in loops] == [None] * 5


def test_a_closed_saver_refuses_calls() -> None:
    saver = SqliteSaver(":memory:")
    of_it = put(saver, x=1)
    saver.close()
    saver.close()
    asyncio.run(saver.aclose())
    for call in (
        lambda: saver.get_tuple(of_it),
        lambda: put(saver, x=1),
        lambda: saver.put_writes(of_it, [], "task"),
        lambda: list(saver.list(None)),
        lambda: saver.delete_thread("thread"),
        saver.setup,
        lambda: asyncio.run(saver.aget_tuple(of_it)),
    ):
        with pytest.raises(errors.StorageError) as refused:
            call()
        assert refused.value.code == "storage-closed"


def test_closing_waits_for_the_calls_under_way(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"

    async def run() -> None:
        saver = SqliteSaver(path)
        given = checkpoint(x=1)
        calls = [
            asyncio.create_task(
                saver.aput(config(str(number)), given, {}, given["channel_versions"])
            )
            for number in range(50)
        ]
        await asyncio.sleep(0)
        saver.close()
        await asyncio.gather(*calls)

    asyncio.run(run())
    with SqliteSaver(path) as saver:
        assert len(list(saver.list(None))) == 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_is_refused_and_can_open_its_own(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    with SqliteSaver(tmp_path / "other.db") as closed:
        put(closed, x=1)
    saver = SqliteSaver(path)
    put(saver, x=1)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with pytest.raises(errors.StorageError) as refused:
                saver.get(config())
            assert refused.value.code == "storage-closed"
            saver.close()
            del saver
            gc.collect()
            # SQLite would take the parent's locks for its own.
            with pytest.raises(errors.StorageError) as inherited:
                SqliteSaver(path)
            assert inherited.value.code == "storage-unreachable"
            with SqliteSaver(tmp_path / "other.db") as own:
                asyncio.run(awork(own, "child"))
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    put(saver, thread_id="parent", x=1)
    saver.close()


@pytest.mark.parametrize("how", ["exit", "raise", "thread", "no close"])
def test_the_interpreter_ends_with_calls_under_way(how: str, tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    program = textwrap.dedent(
        """
        import asyncio, sys, threading
        from langgraph_checkpoint_wasm import SqliteSaver
        from tests.states import checkpoint, config, put
        path, how = sys.argv[1:]
        saver = SqliteSaver(path)
        given = checkpoint(x=list(range(1000)))

        async def run():
            for number in range(100):
                call = saver.aput(config(str(number)), given, {}, given["channel_versions"])
                asyncio.ensure_future(call)
            await asyncio.sleep(0)
            if how == "exit":
                sys.exit(7)
            if how == "raise":
                raise KeyboardInterrupt

        def work():
            while True:
                put(saver, x=list(range(1000)))

        if how == "thread":
            threading.Thread(target=work, daemon=True).start()
        asyncio.run(run())
        """
    )
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", program, str(path), how],
        check=False,
        capture_output=True,
        timeout=60,
        cwd=Path(__file__).parents[1],
    )
    codes = {"exit": 7, "raise": -2, "thread": 0, "no close": 0}
    assert ended.returncode == codes[how], ended.stderr.decode()
    assert b"panicked" not in ended.stderr
    assert b"Fatal" not in ended.stderr
    with SqliteSaver(path) as saver:
        for found in saver.list(None):
            assert found.checkpoint["channel_values"] == {"x": list(range(1000))}


def test_a_saver_that_is_dropped_closes_its_file(tmp_path: Path) -> None:
    before = threading.active_count()
    for _ in range(3):
        put(SqliteSaver(tmp_path / "checkpoints.db"), x=1)
    gc.collect()
    assert threading.active_count() == before
    assert not (tmp_path / "checkpoints.db-wal").exists()
