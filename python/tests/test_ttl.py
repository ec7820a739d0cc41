"""The option `ttl`, and giving free pages back."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import Checkpoint

from langgraph_checkpoint_wasm import SqliteSaver, errors
from langgraph_checkpoint_wasm._ttl import Sweeper, Ttl

# 2027-01-01.
NOW = 1_798_761_600.0


def put(saver: SqliteSaver, thread: str, text: str = "text") -> None:
    """Store two checkpoints, an hour before `NOW`."""
    for number in (1, 2):
        checkpoint: Checkpoint = {
            "v": 4,
            "id": str(number),
            "ts": "2026-12-31T23:00:00+00:00",
            "channel_values": {"text": text * number},
            "channel_versions": {"text": number},
            "versions_seen": {},
            "updated_channels": None,
        }
        config: Any = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
        saver.put(config, checkpoint, {}, {"text": number})


def at(minutes: float) -> Callable[[], float]:
    return lambda: NOW + 60 * minutes


def test_one_of_two_processes_sweeps_and_the_other_after_the_interval(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    ttl = Ttl.of({"default_ttl": 30, "sweep_limit": 2})
    with SqliteSaver(path) as one, SqliteSaver(path) as other:
        for thread in "abcde":
            put(one, thread)
        assert one._sweep(ttl, now=at(0)).threads == 2
        assert other._sweep(ttl, now=at(1)).threads == 0
        assert other._sweep(ttl, now=at(5)).threads == 2
        assert one._sweep(ttl, now=at(10)).threads == 1
        assert one.stats().threads == 0


def test_only_threads_that_are_old_enough_go_and_keep_latest_keeps_a_state() -> None:
    with SqliteSaver(":memory:") as saver:
        put(saver, "a")
        ttl = Ttl.of({"default_ttl": 90, "strategy": "keep_latest"})
        assert saver._sweep(ttl, now=at(0)).threads == 0
        assert saver._sweep(ttl, now=at(31)).checkpoints == 1
        assert saver.stats()[:2] == (1, 1)


def test_a_sweep_ends_before_its_next_thread_when_it_is_stopped() -> None:
    with SqliteSaver(":memory:") as saver:
        for thread in "abc":
            put(saver, thread)
        swept = saver._sweep(Ttl.of({"default_ttl": 30}), lambda: True, now=at(0))
        assert (swept.threads, saver.stats().threads) == (1, 2)


class Swept(SqliteSaver):
    """A saver that says when it was swept, and may fail then."""

    def __init__(self, **options: Any) -> None:
        super().__init__(":memory:", **options)
        self.swept = threading.Semaphore(0)
        self.fails = False

    def _sweep(self, *arguments: Any, **named: Any) -> Any:
        self.swept.release()
        if self.fails:
            raise errors.StorageError("it is locked", "storage-busy")


def test_the_background_sweeps_until_the_saver_is_closed() -> None:
    saver = Swept()
    saver._sweeper = Sweeper(saver, Ttl.of({"default_ttl": 1})._replace(interval=0.001), first=0)
    for _ in range(3):
        assert saver.swept.acquire(timeout=60)
    thread = saver._sweeper._thread
    saver.close()
    assert not thread.is_alive()


def test_a_saver_that_is_gone_is_not_swept_and_ends_the_thread() -> None:
    saver = Swept()
    sweeper = Sweeper(saver, Ttl.of({"default_ttl": 1})._replace(interval=0.001), first=0)
    assert saver.swept.acquire(timeout=60)
    del saver
    sweeper._thread.join(timeout=60)
    assert not sweeper._thread.is_alive()


def test_a_sweep_that_goes_on_failing_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    saver = Swept()
    saver.fails = True
    with caplog.at_level(logging.WARNING, "langgraph_checkpoint_wasm"):
        ttl = Ttl.of({"default_ttl": 1})._replace(interval=0.001)
        saver._sweeper = Sweeper(saver, ttl, first=0)
        for _ in range(3):
            assert saver.swept.acquire(timeout=60)
        saver.close()
    said = [record.getMessage() for record in caplog.records]
    assert said == ["a sweep of idle threads failed: storage-busy: it is locked"]


@pytest.mark.parametrize(
    ("ttl", "code", "named"),
    [
        (7, "invalid-option", "ttl"),
        ({}, "invalid-option", "ttl['default_ttl']"),
        ({"default_ttl": 0}, "invalid-option", "ttl['default_ttl']"),
        ({"default_ttl": -1}, "invalid-option", "ttl['default_ttl']"),
        ({"default_ttl": float("nan")}, "invalid-option", "ttl['default_ttl']"),
        ({"default_ttl": float("inf")}, "invalid-option", "ttl['default_ttl']"),
        ({"default_ttl": 10**400}, "invalid-option", "ttl['default_ttl']"),
        ({"default_ttl": True}, "invalid-option", "ttl['default_ttl']"),
        ({"default_ttl": 1, "strategy": "all"}, "invalid-option", "ttl['strategy']"),
        ({"default_ttl": 1, "sweep_interval_minutes": 0}, "invalid-option", "sweep_interval"),
        ({"default_ttl": 1, "sweep_limit": 0}, "invalid-option", "ttl['sweep_limit']"),
        ({"default_ttl": 1, "sweep_interval": 5}, "unknown-option", "sweep_interval"),
    ],
)
def test_a_bad_option_is_named(ttl: Any, code: str, named: str) -> None:
    with pytest.raises(errors.InvalidInputError) as refused:
        SqliteSaver(":memory:", ttl=ttl)
    assert refused.value.code == code
    assert named in str(refused.value)


def test_what_is_only_read_is_not_swept(tmp_path: Path) -> None:
    path = tmp_path / "read.db"
    SqliteSaver(path).close()
    with pytest.raises(errors.InvalidInputError, match="ttl"):
        SqliteSaver(path, read_only=True, ttl={"default_ttl": 1})


def test_a_process_ends_while_a_saver_with_the_option_is_open(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from langgraph_checkpoint_wasm import SqliteSaver\n"
        "saver = SqliteSaver(sys.argv[1], ttl={'default_ttl': 1, 'sweep_limit': 1})\n"
        "saver.setup()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "checkpoints.db")]
    subprocess.run(command, check=True, timeout=120)


def test_a_new_file_gives_its_free_pages_back_and_another_one_says_what_it_needs(
    tmp_path: Path,
) -> None:
    path = tmp_path / "checkpoints.db"
    with SqliteSaver(path) as saver:
        for thread in "abcd":
            put(saver, thread, "".join(f"{thread}{number}" for number in range(40_000)))
        saver.prune(list("abc"), strategy="delete")
        assert saver.vacuum(pages=2) == 2 * 4096
        assert saver.vacuum() > 100 * 4096
        assert saver.vacuum() == 0
        assert saver.verify() == []
    old = tmp_path / "old.db"
    with sqlite3.connect(old) as connection:
        connection.execute("CREATE TABLE own (a)")
    connection.close()
    with SqliteSaver(old) as saver, pytest.raises(errors.InvalidInputError) as refused:
        saver.vacuum()
    assert refused.value.code == "no-incremental-vacuum"


def test_a_vacuum_is_awaited_in_an_event_loop() -> None:
    async def vacuumed() -> int:
        async with SqliteSaver(":memory:") as saver:
            await saver.setup()
            return await saver.avacuum()

    assert asyncio.run(vacuumed()) == 0
