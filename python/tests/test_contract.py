"""What users write, and what they get."""

from __future__ import annotations

import asyncio
import pickle
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from langgraph_checkpoint_wasm import (
    AsyncSqliteSaver,
    CheckpointError,
    RustSQLiteCheckpointer,
    SqliteSaver,
    engine,
    errors,
)

from .states import FIRST, checkpoint, config, put


@pytest.fixture
def saver() -> Any:
    with SqliteSaver(":memory:") as saver:
        yield saver


def test_the_rules_run_as_the_component() -> None:
    assert engine == "component"


@pytest.mark.parametrize("name", [SqliteSaver, AsyncSqliteSaver, RustSQLiteCheckpointer])
def test_every_name_opens_the_same_file_as_a_value_and_as_a_context(
    name: type[SqliteSaver], tmp_path: Path
) -> None:
    path = str(tmp_path / "checkpoints.db")
    first = name(path)
    put(first, x=1)
    first.close()
    value = name.from_conn_string(path)
    assert isinstance(value, BaseCheckpointSaver)
    assert value.get(config()) is not None
    value.close()
    with name.from_conn_string(path) as second:
        assert second.get(config()) is not None

    async def read() -> None:
        async with name.from_conn_string(path) as third:
            await third.setup()
            assert await third.aget(config()) is not None

    asyncio.run(read())


def test_the_file_of_a_connection_is_opened_again(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "checkpoints.db", check_same_thread=False)
    with SqliteSaver(connection) as saver:
        put(saver, x=1)
    connection.close()
    with SqliteSaver(tmp_path / "checkpoints.db") as saver:
        assert saver.get(config()) is not None


def test_a_connection_to_a_private_database_in_memory_is_refused() -> None:
    connection = sqlite3.connect(":memory:")
    with pytest.raises(errors.InvalidInputError) as refused:
        SqliteSaver(connection)
    assert refused.value.code == "invalid-database"
    connection.close()


def test_a_connection_with_a_transaction_under_way_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (note)")
        connection.execute("INSERT INTO notes VALUES (1)")
        with pytest.raises(errors.InvalidInputError, match="transaction under way") as refused:
            SqliteSaver(connection)
        assert refused.value.code == "invalid-database"
        connection.commit()
        with SqliteSaver(connection) as saver:
            put(saver, x=1)

    async def refused_async() -> None:
        async with aiosqlite.connect(path) as connection:
            await connection.execute("INSERT INTO notes VALUES (2)")
            with pytest.raises(errors.InvalidInputError, match="transaction under way"):
                SqliteSaver(connection)

    asyncio.run(refused_async())
    with SqliteSaver(path) as saver:
        assert saver.get_tuple(config()) is not None


def test_a_connection_that_is_closed_or_of_another_thread_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "checkpoints.db")
    with ThreadPoolExecutor(1) as pool:
        of_another = pool.submit(SqliteSaver, connection).exception()
    connection.close()
    with pytest.raises(errors.InvalidInputError) as closed:
        SqliteSaver(connection)
    assert isinstance(of_another, errors.InvalidInputError)
    assert of_another.code == closed.value.code == "invalid-database"


def test_a_connection_may_make_rows_of_any_kind(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "checkpoints.db")) as connection:
        connection.row_factory = lambda cursor, row: {"row": row}
        with SqliteSaver(connection) as saver:
            put(saver, x=1)


def only_reads(saver: SqliteSaver) -> None:
    assert saver.get(config()) is not None
    with pytest.raises(errors.StorageError) as refused:
        put(saver, x=2)
    assert refused.value.code == "storage-read-only"


def test_the_file_of_a_connection_that_only_reads_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    with SqliteSaver(path) as saver:
        put(saver, x=1)
    url = f"file:{path}?mode=ro"
    with closing(sqlite3.connect(url, uri=True)) as connection, SqliteSaver(connection) as saver:
        only_reads(saver)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA query_only = 1")
        with SqliteSaver(connection) as saver:
            only_reads(saver)

    async def run() -> None:
        async with aiosqlite.connect(url, uri=True) as connection:
            connection.row_factory = lambda cursor, row: {"row": row}  # type: ignore[assignment]
            with SqliteSaver(connection) as saver:
                only_reads(saver)

    asyncio.run(run())


def test_a_connection_whose_file_was_deleted_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    with closing(sqlite3.connect(path)) as connection:
        path.unlink()
        with pytest.raises(errors.InvalidInputError, match="deleted or moved") as refused:
            SqliteSaver(connection)
    assert refused.value.code == "invalid-database"
    assert not path.exists()


def test_a_file_that_is_deleted_while_it_is_open_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    with SqliteSaver(path) as saver:
        put(saver, x=1)
        path.unlink()
        for call in (lambda: put(saver, x=2), lambda: saver.get(config())):
            with pytest.raises(errors.StorageError) as gone:
                call()
            assert gone.value.code == "storage-replaced"
    assert not path.exists()


def test_the_file_of_a_connection_of_aiosqlite_is_opened_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            aiosqlite.connect(tmp_path / "checkpoints.db") as connection,
            AsyncSqliteSaver(connection) as saver,
        ):
            given = checkpoint(x=1)
            await saver.aput(config(), given, {}, given["channel_versions"])

    asyncio.run(run())
    with SqliteSaver(tmp_path / "checkpoints.db") as saver:
        assert saver.get(config()) is not None


def test_a_connection_of_aiosqlite_that_has_no_file_or_is_not_open_is_refused(
    tmp_path: Path,
) -> None:
    async def refused(connection: aiosqlite.Connection) -> str:
        with pytest.raises(errors.InvalidInputError) as refused:
            AsyncSqliteSaver(connection)
        assert refused.value.code == "invalid-database"
        return str(refused.value)

    async def run() -> None:
        async with aiosqlite.connect(":memory:") as connection:
            assert "in memory" in await refused(connection)
        assert "not open" in await refused(connection)
        unopened = aiosqlite.connect(tmp_path / "checkpoints.db")
        assert "not open" in await refused(unopened)

    asyncio.run(run())
    assert not (tmp_path / "checkpoints.db").exists()


def test_setup_may_be_called_with_and_without_an_event_loop(saver: SqliteSaver) -> None:
    saver.setup()

    async def set_up() -> None:
        await saver.setup()

    asyncio.run(set_up())


def test_a_missing_namespace_is_the_root(saver: SqliteSaver) -> None:
    thread: RunnableConfig = {"configurable": {"thread_id": "thread"}}
    stored = saver.put(thread, checkpoint(x=1), {}, {"x": 1})
    assert stored == config(checkpoint_id=FIRST)
    no_namespace: RunnableConfig = {"configurable": {"thread_id": "thread", "checkpoint_id": FIRST}}
    saver.put_writes(no_namespace, [("x", 2)], "task")
    assert saver.get_tuple(thread) == saver.get_tuple(config())
    found = saver.get_tuple(config())
    assert found is not None
    assert found.pending_writes == [("task", "x", 2)]


def test_a_checkpoint_of_the_kusto_guide_is_stored_as_it_is(saver: SqliteSaver) -> None:
    given: Any = {
        "v": 1,
        "id": "checkpoint-001",
        "ts": "2024-01-01T00:00:00Z",
        "channel_values": {"messages": ["hello"]},
        "channel_versions": {"messages": 1},
        "versions_seen": {"messages": {1}},
    }
    stored = saver.put(config("t"), given, {}, {"messages": 1})
    found = saver.get_tuple(stored)
    assert found is not None
    assert found.checkpoint == given
    assert found.metadata == {}


@pytest.mark.parametrize("thread_id", [7, 2**70, uuid.UUID(int=5)])
def test_numbers_and_uuids_are_their_text_as_thread_ids(
    saver: SqliteSaver, thread_id: object
) -> None:
    put(saver, thread_id=thread_id, x=1)
    assert saver.get(config(str(thread_id))) is not None
    assert saver.get(config(thread_id)) is not None


def test_versions_of_new_threads_are_text_and_numbers_stay_numbers(saver: SqliteSaver) -> None:
    first = saver.get_next_version(None, None)
    assert isinstance(first, str)
    second = saver.get_next_version(first, None)
    assert isinstance(second, str)
    assert [len(version.split(".")[0]) for version in (first, second)] == [32, 32]
    assert first < second
    assert second.startswith(f"{2:032}.")
    assert saver.get_next_version(7, None) == 8
    assert type(saver.get_next_version(7.5, None)) is int


def test_whole_numbers_of_versions_are_read_as_int(saver: SqliteSaver) -> None:
    given = checkpoint(x=1, y=2)
    given["channel_versions"] = {"x": 3.0, "y": 2.5}
    saver.put(config(), given, {}, given["channel_versions"])
    found = saver.get(config())
    assert found is not None
    assert found["channel_versions"] == {"x": 3, "y": 2.5}
    assert type(found["channel_versions"]["x"]) is int
    assert type(found["v"]) is int


def test_metadata_has_the_scalars_of_the_config(saver: SqliteSaver) -> None:
    given = checkpoint(x=1)
    with_user = {**config(user="ada", function=print), "metadata": {"run_id": "run"}}
    saver.put(with_user, given, {"source": "loop", "step": 1}, {})  # type: ignore[arg-type]
    (found,) = saver.list(None, filter={"run_id": "run", "user": "ada", "step": 1})
    assert found.metadata == {"source": "loop", "step": 1, "run_id": "run", "user": "ada"}
    assert list(saver.list(None, filter={"run_id": "other"})) == []


def test_a_list_gives_every_page(saver: SqliteSaver) -> None:
    ids = [f"{FIRST[:-4]}{number:04}" for number in range(100)]
    for id in ids:
        put(saver, id, x=id)
    listed = [found.config["configurable"]["checkpoint_id"] for found in saver.list(config())]
    assert listed == ids[::-1]
    assert [
        found.checkpoint["channel_values"]["x"] for found in saver.list(config(), limit=40)
    ] == (ids[::-1][:40])
    before = config(checkpoint_id=ids[3])
    assert len(list(saver.list(config(), before=before))) == 3

    async def first() -> str:
        async for found in saver.alist(config()):
            return str(found.config["configurable"]["checkpoint_id"])
        return ""

    assert asyncio.run(first()) == ids[-1]


def test_a_put_is_not_changed_and_keeps_nothing_of_the_caller(saver: SqliteSaver) -> None:
    given = checkpoint(x=[1])
    saver.put(config(), given, {}, given["channel_versions"])
    assert given == checkpoint(x=[1])
    given["channel_values"]["x"].append(2)
    found = saver.get(config())
    assert found is not None
    assert found["channel_values"] == {"x": [1]}


def test_a_deleted_thread_is_gone_and_others_stay(saver: SqliteSaver) -> None:
    put(saver, thread_id="one", x=1)
    put(saver, thread_id="two", x=1)
    saver.delete_thread("one")
    saver.delete_thread("never there")
    assert saver.get(config("one")) is None
    assert saver.get(config("two")) is not None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (({}, checkpoint(), {}, {}), "missing-thread-id"),
        ((None, checkpoint(), {}, {}), "invalid-argument"),
        (({"configurable": 5}, checkpoint(), {}, {}), "invalid-argument"),
        ((config("\ud800"), checkpoint(), {}, {}), "invalid-id"),
        ((config(["list"]), checkpoint(), {}, {}), "invalid-id"),
        ((config(), checkpoint(""), {}, {}), "missing-id"),
        ((config(), None, {}, {}), "invalid-argument"),
        ((config(), {**checkpoint(), "v": None}, {}, {}), "invalid-checkpoint"),
        ((config(), {**checkpoint(), "ts": 5}, {}, {}), "invalid-checkpoint"),
        ((config(), {**checkpoint(), "channel_values": []}, {}, {}), "invalid-argument"),
        ((config(), {**checkpoint(), "channel_values": {5: 5}}, {}, {}), "invalid-argument"),
        (
            (config(), {**checkpoint(), "channel_versions": {"x": None}}, {}, {}),
            "invalid-channel-version",
        ),
        (
            (config(), {**checkpoint(), "channel_versions": {"x": 2**60}}, {}, {}),
            "invalid-channel-version",
        ),
        (
            (config(), {**checkpoint(), "channel_versions": {"x": True}}, {}, {}),
            "invalid-channel-version",
        ),
        ((config(), {**checkpoint(), "channel_values": {"\ud800": 1}}, {}, {}), "malformed-text"),
        ((config(), checkpoint(x=print), {}, {}), "unserializable-value"),
        ((config(), checkpoint(x=2**70), {}, {}), "unserializable-value"),
        ((config(), checkpoint(), {"a": {1}}, {}), "unserializable-value"),
        ((config(), checkpoint(), {"a": float("nan")}, {}), "unserializable-value"),
        ((config(), checkpoint(), None, {}), "invalid-argument"),
    ],
)
def test_a_put_that_is_refused_has_a_code_and_stores_nothing(
    saver: SqliteSaver, arguments: Any, code: str
) -> None:
    with pytest.raises(CheckpointError) as refused:
        saver.put(*arguments)
    assert refused.value.code == code
    assert refused.value.stored == "nothing"
    with pytest.raises(CheckpointError) as refused:
        asyncio.run(saver.aput(*arguments))
    assert refused.value.code == code
    assert list(saver.list(None)) == []


def test_writes_that_are_refused_have_a_code_and_store_nothing(saver: SqliteSaver) -> None:
    of_it = put(saver, x=1)
    for writes, task, code in [
        ([("x", print)], "task", "unserializable-value"),
        ([("x",)], "task", "invalid-argument"),
        (5, "task", "invalid-argument"),
        ([(5, 5)], "task", "invalid-argument"),
        ([("x", 5)], "", "missing-id"),
        ([("ok", 1), ("x", print)], "task", "unserializable-value"),
    ]:
        with pytest.raises(CheckpointError) as refused:
            saver.put_writes(of_it, writes, task)  # type: ignore[arg-type]
        assert refused.value.code == code
    found = saver.get_tuple(of_it)
    assert found is not None
    assert found.pending_writes == []


@pytest.mark.parametrize("name", ["prune", "delete_for_runs"])
def test_a_text_is_no_list_of_ids(saver: SqliteSaver, name: str) -> None:
    saver.put(config("a"), checkpoint("1"), {}, {})
    with pytest.raises(errors.InvalidInputError, match="pass a list of ids") as refused:
        getattr(saver, name)("a")
    assert refused.value.code == "invalid-argument"
    with pytest.raises(errors.InvalidInputError):
        asyncio.run(getattr(saver, f"a{name}")("a"))
    assert saver.stats("a").checkpoints == 1


def test_errors_of_sqlite_are_errors_of_sqlite3(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("no database, but long enough to have a header of a hundred bytes" * 4)
    with pytest.raises(sqlite3.DatabaseError) as refused:
        SqliteSaver(path)
    assert isinstance(refused.value, errors.StorageError)
    assert refused.value.code == "storage-not-a-database"
    assert str(path) in str(refused.value)
    with pytest.raises(errors.StorageError) as missing:
        SqliteSaver(tmp_path / "missing" / "checkpoints.db")
    assert missing.value.code == "storage-unreachable"
    with pytest.raises(errors.StorageError):
        SqliteSaver(tmp_path / "missing.db", read_only=True)


LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_locked_file_is_busy_after_the_timeout(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    with SqliteSaver(path, busy_timeout=0.01) as saver:
        put(saver, x=1)
        command = [sys.executable, "-c", LOCK, str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"locked\n"
            with pytest.raises(sqlite3.OperationalError) as busy:
                put(saver, x=2)
            other.communicate()
        assert isinstance(busy.value, errors.StorageError)
        assert (busy.value.code, busy.value.stored) == ("storage-busy", "nothing")
        put(saver, x=3)


def test_a_file_that_is_only_read_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    with SqliteSaver(path) as saver:
        put(saver, x=1)
    with SqliteSaver(path, read_only=True) as saver:
        assert saver.get(config()) is not None
        with pytest.raises(errors.StorageError) as refused:
            put(saver, x=2)
        assert refused.value.code == "storage-read-only"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("synchronous", "off"),
        ("synchronous", None),
        ("busy_timeout", -1.0),
        ("busy_timeout", float("nan")),
        ("busy_timeout", "1"),
        ("busy_timeout", True),
        ("read_only", 1),
        ("cache_bytes", -1),
        ("cache_bytes", 1.5),
        ("cache_bytes", True),
        ("serde", object()),
        ("serde", "json"),
    ],
)
def test_an_option_that_is_not_possible_is_refused_by_its_name(
    option: str, value: object, tmp_path: Path
) -> None:
    options: Any = {option: value}
    with pytest.raises(errors.InvalidInputError, match=f"the option {option} has to") as refused:
        SqliteSaver(tmp_path / "a.db", **options)
    assert refused.value.code == "invalid-option"
    assert list(tmp_path.iterdir()) == []


def test_an_option_that_does_not_exist_is_refused_by_its_name(tmp_path: Path) -> None:
    options: Any = {"sync": "full"}
    with pytest.raises(errors.InvalidInputError, match="no option sync;") as refused:
        SqliteSaver(tmp_path / "a.db", **options)
    assert refused.value.code == "unknown-option"
    assert list(tmp_path.iterdir()) == []


def test_a_serializer_of_the_older_protocol_is_taken(tmp_path: Path) -> None:
    older: Any = pickle
    with SqliteSaver(tmp_path / "a.db", serde=older) as saver:
        put(saver, x={1, 2})
        found = saver.get(config())
        assert found is not None
        assert found["channel_values"] == {"x": {1, 2}}


def test_a_closed_saver_is_no_context(saver: SqliteSaver) -> None:
    saver.close()
    with pytest.raises(errors.StorageError) as closed, saver:
        pass
    assert closed.value.code == "storage-closed"

    async def enter() -> None:
        async with saver:
            pass

    with pytest.raises(errors.StorageError) as closed:
        asyncio.run(enter())
    assert closed.value.code == "storage-closed"


def test_errors_have_a_message_and_survive_pickling() -> None:
    error = errors.StorageError("it failed", "storage-failed", "unknown")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == "it failed"
    assert (type(copy), copy.code, copy.stored) == (
        errors.StorageError,
        "storage-failed",
        "unknown",
    )


ANY: Any = SqliteSaver


@pytest.mark.parametrize(
    "make",
    [
        lambda path: ANY(5),
        lambda path: ANY(None),
        lambda path: ANY(path.encode()),
        lambda path: list(ANY(path).list(None, limit="2")),
        lambda path: list(ANY(path).list(None, filter=["source"])),
    ],
)
def test_an_argument_of_another_type_is_an_error_of_the_package(
    make: Callable[[str], object], tmp_path: Path
) -> None:
    with pytest.raises(errors.InvalidInputError):
        make(str(tmp_path / "a.db"))


def test_a_limit_beyond_any_number_is_none(tmp_path: Path) -> None:
    with SqliteSaver(tmp_path / "a.db") as saver:
        put(saver)
        assert len(list(saver.list(None, limit=10**400))) == 1


def test_a_path_is_never_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with SqliteSaver(Path("file:a.db")) as saver:
        put(saver)
    assert [file.name for file in tmp_path.iterdir()] == ["file:a.db"]


class NoPath:
    """What only says that it is a path."""

    def __fspath__(self) -> Any:
        return 5


LOCATIONS = ["", "a\0b.db", Path("a\0b.db"), "\ud800", NoPath(), "file:a.db", "file:a.db?mode=ro"]


@pytest.mark.parametrize("location", LOCATIONS)
def test_what_is_no_path_is_refused(
    location: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.InvalidInputError) as refused:
        SqliteSaver(location)
    assert refused.value.code == "invalid-location"
    assert list(tmp_path.iterdir()) == []
