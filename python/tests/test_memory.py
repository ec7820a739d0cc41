"""A saver that remembers stores and returns the same as one that does not."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langgraph_checkpoint_wasm import SqliteSaver, errors

from .states import checkpoint, config
from .transcripts import digest_of

STEPS = 40


def element(number: int, random_: random.Random) -> Any:
    """An element of one of several kinds and sizes."""
    text = f"element {number} " + "x" * random_.choice([0, 5, 40, 300, 5_000])
    kinds: list[Any] = [
        text,
        number,
        {"text": text, "n": [number, None]},
        [text],
        text.encode(),
        {1},
    ]
    return random_.choice(kinds)


def changed(items: list[Any], number: int, random_: random.Random) -> list[Any]:
    """The same list after one of the changes that agents make."""
    new = element(number, random_)
    at = random_.randrange(len(items) + 1)
    changes: list[list[Any]] = [
        [*items, new],
        [*items, new],
        [*items, *[new] * random_.choice([3, 20, 300])],
        items,
        items[:at],
        [*items[:at], new, *items[at:]],
        [*items[:at], new, *items[at + 1 :]],
        items[at:],
        [],
    ]
    return random_.choice(changes)


@pytest.mark.parametrize("seed", range(12))
def test_any_sequence_of_changes_is_stored_as_without_memory(seed: int, tmp_path: Path) -> None:
    random_ = random.Random(seed)
    state: dict[str, Any] = {"xs": [], "map": {}, "one": 0}
    remembering = SqliteSaver(tmp_path / "remembering.db", synchronous="normal")
    parent: dict[str, Any] = {}
    for number in range(STEPS):
        state["xs"] = changed(state["xs"], number, random_)
        if random_.random() < 0.5:
            state["map"] = {**state["map"], f"key {number % 7}": element(number, random_)}
        if random_.random() < 0.3:
            state["one"] = random_.choice([None, b"", state["xs"], element(number, random_)])
        left_out = random_.choice(["", "", "", "xs", "map"])
        values = {name: value for name, value in state.items() if name != left_out}
        given = checkpoint(f"id-{number:05}", **values)
        thread = config(**parent)
        with SqliteSaver(tmp_path / "forgetting.db", synchronous="normal") as forgetting:
            for saver in (remembering, forgetting):
                saver.put(thread, given, {"step": number}, given["channel_versions"])
                found = saver.get(config())
                assert found is not None
                assert found["channel_values"] == values
        # Sometimes the next put branches off an earlier checkpoint.
        at = number if random_.random() < 0.8 else random_.randrange(number + 1)
        parent = {"checkpoint_id": f"id-{at:05}"}
        if at != number:
            assert remembering.get(config(**parent)) is not None
    remembering.close()
    assert digest_of(tmp_path / "remembering.db") == digest_of(tmp_path / "forgetting.db")


def test_what_another_saver_deleted_is_stored_whole_again(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    items = [f"item {number} " + "x" * 500 for number in range(100)]
    with SqliteSaver(path) as saver, SqliteSaver(path) as other:
        given = checkpoint("id-1", xs=items, y=items)
        saver.put(config(), given, {}, given["channel_versions"])
        other.delete_thread("thread")
        given = checkpoint("id-2", xs=[*items, "more"], y=items)
        saver.put(config(), given, {}, given["channel_versions"])
        for each in (saver, other):
            found = each.get(config())
            assert found is not None
            assert found["channel_values"] == given["channel_values"]
        other.delete_thread("thread")
        assert saver.get(config()) is None


def test_what_another_saver_put_is_read(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    with SqliteSaver(path) as saver, SqliteSaver(path) as other:
        for number in range(20):
            items = ["x" * 300] * number
            writer, reader = (saver, other) if number % 2 == 0 else (other, saver)
            given = checkpoint(f"id-{number:05}", xs=items)
            writer.put(config(), given, {}, given["channel_versions"])
            found = reader.get(config())
            assert found is not None
            assert found["channel_values"] == {"xs": items}


def test_namespaces_and_threads_are_remembered_apart(tmp_path: Path) -> None:
    with SqliteSaver(tmp_path / "checkpoints.db") as saver:
        places = [(thread, ns) for thread in ("a", "b") for ns in ("", "sub")]
        for number in range(5):
            for thread, ns in places:
                items = [f"{thread} {ns} " + "x" * 300] * (number + 1)
                given = checkpoint(f"id-{number}", xs=items)
                thread_config = config(thread, checkpoint_ns=ns)
                saver.put(thread_config, given, {}, given["channel_versions"])
                found = saver.get(thread_config)
                assert found is not None
                assert found["channel_values"] == {"xs": items}


DELETE = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as connection:
    connection.execute("DELETE FROM lg_chunks")
"""


def test_values_that_a_saver_remembers_are_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    items = [f"item {number} " + "x" * 500 for number in range(300)]
    with SqliteSaver(path) as saver:
        given = checkpoint("id-1", xs=items)
        saver.put(config(), given, {}, given["channel_versions"])
        # By another process: this one has another copy of SQLite.
        subprocess.run([sys.executable, "-c", DELETE, str(path)], check=True)
        found = saver.get(config())
        assert found is not None
        assert found["channel_values"] == {"xs": items}
    with SqliteSaver(path) as saver, pytest.raises(errors.CorruptError) as damaged:
        saver.get(config())
    assert damaged.value.code == "missing-chunk"


@pytest.mark.parametrize("seed", range(6))
def test_a_history_that_a_saver_remembers_is_as_one_that_is_read(seed: int, tmp_path: Path) -> None:
    random_ = random.Random(seed)
    remembering = SqliteSaver(tmp_path / "checkpoints.db", synchronous="normal")
    ids: list[str] = []
    for number in range(STEPS):
        # A fork now and then, a value now and then, and writes to older checkpoints.
        recent = ids[-6:] if random_.random() < 0.3 else ids[-1:]
        parent = random_.choice(recent) if recent else None
        values = {"xs": [f"seed {number}"]} if random_.random() < 0.1 else {}
        given = checkpoint(f"id-{number:03}", **values)
        at = config(checkpoint_id=parent) if parent else config()
        remembering.put(at, given, {}, given["channel_versions"])
        ids.append(given["id"])
        for target in {ids[-1], random_.choice(ids)}:
            writes = [("xs", [element(number, random_)]), ("xs", [HumanMessage(f"m {number}")])]
            remembering.put_writes(config(checkpoint_id=target), writes, f"task-{number}")
        of = config(checkpoint_id=random_.choice([ids[-1], ids[-1], random_.choice(ids)]))
        with SqliteSaver(tmp_path / "checkpoints.db") as other:
            read = other.get_delta_channel_history(config=of, channels=["xs", "none"])
        found = remembering.get_delta_channel_history(config=of, channels=["xs", "none"])
        assert found == read
        for _, _, value in found["xs"]["writes"]:
            value.append("what a caller does with it is not remembered")
        assert remembering.get_delta_channel_history(config=of, channels=["xs", "none"]) == read
    remembering.close()
