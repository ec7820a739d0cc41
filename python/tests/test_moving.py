"""Databases of LangGraph's own savers, imported by the program `langgraph-checkpoint-wasm`.

The program is the one that `PROGRAM_IN_JAVASCRIPT` names, of the built npm package.
`cargo xtask test` says it; without it the tests are skipped.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import operator
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver as StockPostgresSaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.sqlite import SqliteSaver as StockSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from langgraph_checkpoint_wasm import PostgresSaver, SqliteSaver

from .graphs import SESSIONS, Saver
from .postgres import rows_of, running
from .states import config, put
from .test_graphs import snapshot

PROGRAM = os.environ.get("PROGRAM_IN_JAVASCRIPT", "")
FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures" / "stock"

pytestmark = pytest.mark.skipif(not PROGRAM, reason="PROGRAM_IN_JAVASCRIPT names no program")


def imported(source: Path | str, target: Path | str, *options: str, status: int = 0) -> Any:
    """Import a file and return the report."""
    return reported("import", source, target, *options, status=status)


def exported(source: Path | str, target: Path | str, *options: str, status: int = 0) -> Any:
    """Export to tables of Python's saver and return the report."""
    return reported("export", source, target, "--layout", "python", *options, status=status)


def reported(name: str, source: Path | str, target: Path | str, *options: str, status: int) -> Any:
    """Run a command of the program and return its report."""
    command = ["node", PROGRAM, name, str(source), str(target), "--json", *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == status, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


def run(graph: Any, name: str, first: int = 0, last: int | None = None) -> None:
    """Run steps of a session. A step may fail."""
    thread = config(name)
    for step in SESSIONS[name][1][first:last]:
        value, at = (None, step(graph, thread)) if callable(step) else (step, thread)
        with contextlib.suppress(ValueError):
            graph.invoke(value, at)


def tuples(saver: Saver) -> dict[str, CheckpointTuple]:
    """All tuples of a saver by their place."""
    return {json.dumps(found.config["configurable"]): found for found in saver.list(None)}


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    """A file of LangGraph's saver with a thread of each session."""
    path = tmp_path / "stock.db"
    with StockSaver.from_conn_string(str(path)) as saver:
        for name, (build, _) in SESSIONS.items():
            run(build(saver), name)
        put(
            saver,
            thread_id="values",
            text="\u00e9\U0001f600",
            none=None,
            data=b"\x00\xff",
            big=2**62,
        )
        saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def test_every_tuple_is_what_the_stock_saver_reads(stock: Path, tmp_path: Path) -> None:
    before = hashlib.sha256(stock.read_bytes()).digest()
    report = imported(stock, tmp_path / "own.db", "--verify")
    assert hashlib.sha256(stock.read_bytes()).digest() == before
    with StockSaver.from_conn_string(str(stock)) as saver:
        expected = tuples(saver)
    assert report["verified"] == {"checkpoints": len(expected), "different": 0}
    assert report["notes"] == []
    with SqliteSaver(tmp_path / "own.db") as own:
        found = tuples(own)
    assert found.keys() == expected.keys()
    for place, tuple_ in expected.items():
        assert found[place] == tuple_, place


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_goes_on_after_the_import(name: str, tmp_path: Path) -> None:
    build, steps = SESSIONS[name]
    whole = build(InMemorySaver())
    run(whole, name)
    for half in range(1, len(steps)):
        stock, own = tmp_path / f"stock-{half}.db", tmp_path / f"own-{half}.db"
        with StockSaver.from_conn_string(str(stock)) as saver:
            graph = build(saver)
            run(graph, name, last=half)
        imported(stock, own)
        with SqliteSaver(own) as moved:
            graph.checkpointer = moved
            run(graph, name, first=half)
            assert snapshot(graph.get_state(config(name))) == snapshot(
                whole.get_state(config(name))
            )


def test_a_file_without_task_paths_is_read_too(stock: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(stock)
    connection.execute("ALTER TABLE writes DROP COLUMN task_path")
    connection.close()
    report = imported(stock, tmp_path / "own.db", "--verify")
    assert report["problems"] == []


def test_metadata_with_numbers_that_json_has_not_is_read(tmp_path: Path) -> None:
    with StockSaver.from_conn_string(str(tmp_path / "stock.db")) as saver:
        put(saver, text="a")
        metadata = '{"source": "loop", "step": 1, "score": -Infinity}'
        saver.conn.execute("UPDATE checkpoints SET metadata = CAST(? AS BLOB)", (metadata,))
        saver.conn.commit()
        expected = tuples(saver)
    imported(tmp_path / "stock.db", tmp_path / "own.db", "--verify")
    with SqliteSaver(tmp_path / "own.db") as own:
        assert tuples(own) == expected


def test_an_encrypted_thread_is_named_and_left_out(tmp_path: Path) -> None:
    stock = tmp_path / "stock.db"
    connection = sqlite3.connect(stock)
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"0123456789abcdef")
    put(StockSaver(connection, serde=serde), secret="text")
    connection.commit()
    connection.close()
    report = imported(stock, tmp_path / "own.db", status=1)
    [problem] = report["problems"]
    assert problem["code"] == "encrypted-stock-checkpoint"
    assert report["stored"]["checkpoints"] == 0


@pytest.mark.parametrize("name", ["python-2.0.1", "python-3.0.3"])
def test_a_file_of_an_older_version_is_read_and_goes_on(name: str, tmp_path: Path) -> None:
    stock, own = tmp_path / "stock.db", tmp_path / "own.db"
    shutil.copy(FIXTURES / f"{name}.sqlite", stock)
    assert imported(stock, own, "--verify")["problems"] == []
    with StockSaver.from_conn_string(str(stock)) as saver:
        expected = tuples(saver)
    with SqliteSaver(own) as moved:
        found = tuples(moved)
        assert found.keys() == expected.keys()
        for place, tuple_ in expected.items():
            assert without_sends(found[place]) == without_sends(tuple_), place

        graph = asking(moved)
        inputs: list[tuple[str, Any]] = [("waiting", Command(resume="this")), ("failed", None)]
        for thread, value in inputs:
            assert graph.invoke(value, config(thread))["notes"][-2:] == ["this", "failed once"]


def without_sends(found: CheckpointTuple) -> CheckpointTuple:
    """A tuple without the sends that are made of its parent's writes, which stock does not do."""
    values = {**found.checkpoint["channel_values"]}
    versions = {**found.checkpoint["channel_versions"]}
    if found.checkpoint["v"] < 4:
        values.pop("__pregel_tasks", None)
        versions.pop("__pregel_tasks", None)
    checkpoint = {**found.checkpoint, "channel_values": values, "channel_versions": versions}
    return found._replace(checkpoint=checkpoint)  # type: ignore[arg-type]


class Notes(TypedDict, total=False):
    """The state of the fixtures."""

    notes: Annotated[list[Any], operator.add]
    last: Any


def asking(saver: Saver) -> Any:
    """The graph of the fixtures, with a node that does not fail any more."""
    builder = StateGraph(Notes)
    builder.add_node("plan", lambda state: {})
    builder.add_node("work", lambda state: {})
    builder.add_node("ask", lambda state: {"notes": [interrupt({"question": "which?"})]})
    builder.add_node("fail", lambda state: {"notes": ["failed once"]})
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [], ["work"])
    builder.add_edge("work", "ask").add_edge("ask", "fail").add_edge("fail", END)
    return builder.compile(checkpointer=saver)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server of PostgreSQL."""
    with running() as url:
        yield url


def test_a_schema_of_postgresql_is_read_with_its_inline_values(url: str, tmp_path: Path) -> None:
    schema = f"stock_{os.getpid()}"
    rows_of(url, "CREATE SCHEMA {schema}", schema)
    with StockPostgresSaver.from_conn_string(on(url, schema)) as saver:
        saver.setup()
        for name, (build, _) in SESSIONS.items():
            run(build(saver), name)
        put(saver, thread_id="values", text="\u00e9", none=None, yes=True, real=0.5, data=b"\xff")
        expected = tuples(saver)
        report = imported(url, tmp_path / "own.db", "--verify", "--source-schema", schema)
        assert report["verified"] == {"checkpoints": len(expected), "different": 0}
        with SqliteSaver(tmp_path / "own.db") as own:
            found = tuples(own)
        assert found.keys() == expected.keys()
        for place, tuple_ in expected.items():
            assert found[place] == tuple_, place
        own_schema = f"own_{os.getpid()}"
        options = ["--source-schema", schema, "--schema", own_schema]
        imported(url, url, *options)
        with PostgresSaver.from_conn_string(url, schema=own_schema) as moved:
            assert tuples(moved) == found
            graph = SESSIONS["delta"][0](moved)
            before = graph.get_state(config("delta")).values["xs"]
            graph.invoke({"xs": ["more"]}, config("delta"))
            assert graph.get_state(config("delta")).values["xs"][: len(before)] == before


def test_values_that_are_encrypted_one_by_one_stay_encrypted(url: str, tmp_path: Path) -> None:
    schema = f"sealed_{os.getpid()}"
    rows_of(url, "CREATE SCHEMA {schema}", schema)
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"0123456789abcdef")
    with StockPostgresSaver.from_conn_string(on(url, schema)) as saver:
        saver.serde = serde
        saver.setup()
        put(saver, secret=["what nobody may read"])
        expected = tuples(saver)
    assert imported(url, tmp_path / "own.db", "--source-schema", schema)["problems"] == []
    assert b"nobody" not in (tmp_path / "own.db").read_bytes()
    with SqliteSaver(tmp_path / "own.db", serde=serde) as own:
        assert tuples(own) == expected


def test_what_is_exported_reads_in_the_stock_saver_as_what_was_imported(
    stock: Path, tmp_path: Path
) -> None:
    own, back = tmp_path / "own.db", tmp_path / "back.db"
    imported(stock, own)
    report = exported(own, back)
    assert (report["notes"], report["problems"]) == ([], [])
    with StockSaver.from_conn_string(str(stock)) as saver:
        expected = tuples(saver)
    with StockSaver.from_conn_string(str(back)) as saver:
        assert tuples(saver) == expected
    rows = "SELECT * FROM writes ORDER BY thread_id, checkpoint_ns, checkpoint_id, task_id, idx"
    written = []
    for path in [stock, back]:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            written.append(connection.execute(rows).fetchall())
    assert written[0] == written[1]
    assert exported(own, back)["stored"] == {"checkpoints": 0, "writes": 0}


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_of_this_package_goes_on_in_the_stock_saver(name: str, tmp_path: Path) -> None:
    build, steps = SESSIONS[name]
    whole = build(InMemorySaver())
    run(whole, name)
    for half in range(1, len(steps)):
        own, stock = tmp_path / f"own-{half}.db", tmp_path / f"stock-{half}.db"
        with SqliteSaver(own) as saver:
            graph = build(saver)
            run(graph, name, last=half)
        assert exported(own, stock)["problems"] == []
        with StockSaver.from_conn_string(str(stock)) as moved:
            graph.checkpointer = moved
            run(graph, name, first=half)
            assert snapshot(graph.get_state(config(name))) == snapshot(
                whole.get_state(config(name))
            )


@pytest.mark.parametrize("name", ["python-2.0.1", "python-3.0.3"])
def test_threads_of_an_older_version_are_the_same(name: str, tmp_path: Path) -> None:
    stock, own, back = tmp_path / "stock.db", tmp_path / "own.db", tmp_path / "back.db"
    shutil.copy(FIXTURES / f"{name}.sqlite", stock)
    imported(stock, own)
    assert exported(own, back)["problems"] == []
    with StockSaver.from_conn_string(str(stock)) as saver:
        expected = tuples(saver)
    with StockSaver.from_conn_string(str(back)) as saver:
        assert tuples(saver) == expected


def test_values_that_only_javascript_reads_are_named_and_left_out(tmp_path: Path) -> None:
    stock, own, back = tmp_path / "stock.db", tmp_path / "own.db", tmp_path / "back.db"
    shutil.copy(FIXTURES / "javascript-1.0.1.sqlite", stock)
    imported(stock, own)
    report = exported(own, back, status=1)
    assert [problem["code"] for problem in report["problems"]] == [
        "unfit-checkpoint",
        "unfit-write",
    ]
    assert report["stored"] == {"checkpoints": 0, "writes": 0}


def test_threads_go_from_one_stock_database_to_the_other_and_back(url: str, tmp_path: Path) -> None:
    schema, back = f"given_{os.getpid()}", f"back_{os.getpid()}"
    rows_of(url, "CREATE SCHEMA {schema}", schema)
    with StockPostgresSaver.from_conn_string(on(url, schema)) as saver:
        saver.setup()
        for name, (build, _) in SESSIONS.items():
            run(build(saver), name)
        put(saver, thread_id="values", text="\u00e9", none=None, yes=True, real=0.5, data=b"\xff")
        expected = tuples(saver)
    own, file, again = tmp_path / "own.db", tmp_path / "stock.db", tmp_path / "again.db"
    imported(url, own, "--source-schema", schema)

    assert exported(own, url, "--schema", back)["problems"] == []
    with StockPostgresSaver.from_conn_string(on(url, back)) as saver:
        saver.setup()
        assert tuples(saver) == expected
    assert exported(own, url, "--schema", back)["stored"] == {"checkpoints": 0, "writes": 0}

    report = exported(own, file)
    assert [note["code"] for note in report["notes"]] == ["scalars-as-msgpack"]
    assert report["problems"] == []
    with StockSaver.from_conn_string(str(file)) as stock:
        assert tuples(stock) == expected

    imported(file, again)
    third = f"third_{os.getpid()}"
    assert exported(again, url, "--schema", third)["problems"] == []
    with StockPostgresSaver.from_conn_string(on(url, third)) as saver:
        assert tuples(saver) == expected
        graph = SESSIONS["delta"][0](saver)
        before = graph.get_state(config("delta")).values["xs"]
        graph.invoke({"xs": ["more"]}, config("delta"))
        assert graph.get_state(config("delta")).values["xs"][: len(before)] == before


def test_values_that_are_encrypted_have_a_place_in_postgresql_alone(
    url: str, tmp_path: Path
) -> None:
    schema, back = f"secret_{os.getpid()}", f"sealed_back_{os.getpid()}"
    rows_of(url, "CREATE SCHEMA {schema}", schema)
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"0123456789abcdef")
    with StockPostgresSaver.from_conn_string(on(url, schema)) as saver:
        saver.serde = serde
        saver.setup()
        put(saver, secret=["what nobody may read"])
        expected = tuples(saver)
    own = tmp_path / "own.db"
    imported(url, own, "--source-schema", schema)
    assert exported(own, url, "--schema", back)["problems"] == []
    with StockPostgresSaver.from_conn_string(on(url, back)) as saver:
        saver.serde = serde
        assert tuples(saver) == expected
    [problem] = exported(own, tmp_path / "stock.db", status=1)["problems"]
    assert problem["code"] == "unfit-value"


def on(url: str, schema: str) -> str:
    """The address of a schema, as LangGraph's own saver takes it."""
    return f"{url}?options=-csearch_path%3D{schema}"
