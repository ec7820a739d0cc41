"""Savers on a real PostgreSQL: that of `POSTGRES_URL`, or one that is started."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from psycopg_pool import ConnectionPool

from langgraph_checkpoint_wasm import AsyncPostgresSaver, CheckpointError, PostgresSaver, errors

from .graphs import chat
from .postgres import digest_of, new_schema, rows_of, running
from .states import FIRST, config, put
from .test_conformance import BASE, EXTENDED
from .transcripts import JsonSerde, expand, outcome_of, transcripts

TRANSCRIPTS = transcripts()
KILL = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE application_name = %(name)s"
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as url:
        yield url


@pytest.fixture
def schema(url: str) -> Iterator[str]:
    """The name of a schema that does not exist."""
    name = new_schema()
    yield name
    rows_of(url, "DROP SCHEMA IF EXISTS {schema} CASCADE", name)


def test_the_whole_base_suite_passes(url: str) -> None:
    made: list[str] = []

    @checkpointer_test(name="PostgresSaver")
    async def savers() -> AsyncIterator[PostgresSaver]:
        made.append(new_schema())
        async with PostgresSaver(url, schema=made[-1], pool_size=2) as saver:
            yield saver

    report = asyncio.run(validate(savers))
    for name in made:
        rows_of(url, "DROP SCHEMA IF EXISTS {schema} CASCADE", name)
    passed = {name: result.tests_passed for name, result in report.results.items()}
    assert passed == BASE | EXTENDED
    assert report.passed_all_base()
    assert not any(result.tests_failed for result in report.results.values())


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_transcript_gives_its_outcomes_and_stored_bytes(
    name: str, asynchronous: bool, url: str, schema: str
) -> None:
    async def run() -> None:
        async with PostgresSaver(url, schema=schema, serde=JsonSerde()) as saver:
            await saver.setup()
            for index, step in enumerate(TRANSCRIPTS[name]["steps"]):
                outcome = await outcome_of(saver, step["call"], asynchronous=asynchronous)
                assert outcome == expand(step["gives"], "#"), f"step {index}"

    asyncio.run(run())
    assert digest_of(url, schema) == TRANSCRIPTS[name]["stored"]


def test_a_connection_string_makes_a_value_and_a_context(url: str, schema: str) -> None:
    with PostgresSaver.from_conn_string(url, pipeline=True, schema=schema) as saver:
        saver.setup()
        put(saver, x=1)
    saver = PostgresSaver.from_conn_string(url, schema=schema, prepare=True)
    put(saver, id=f"{FIRST}0", x=2)
    saver.close()

    async def read() -> Any:
        async with AsyncPostgresSaver.from_conn_string(url, namespace=schema) as saver:
            await saver.setup()
            return [found.checkpoint["channel_values"] async for found in saver.alist(config())]

    assert asyncio.run(read()) == [{"x": 2}, {"x": 1}]
    assert AsyncPostgresSaver is PostgresSaver


def test_namespaces_are_schemas_of_their_own(url: str) -> None:
    names = [new_schema(), new_schema()]
    for value, name in enumerate(names):
        with PostgresSaver(url, namespace=name) as saver:
            put(saver, x=value)
    for value, name in enumerate(names):
        with PostgresSaver(url, schema=name) as saver:
            found = saver.get_tuple(config())
            assert found is not None and found.checkpoint["channel_values"] == {"x": value}
        rows_of(url, "DROP SCHEMA {schema} CASCADE", name)


def test_a_pool_and_a_connection_of_psycopg_say_where_the_database_is(
    url: str, schema: str
) -> None:
    password = 'it\'s a \\ "phrase" = 1'
    # The server that is started asks only this role for its password.
    role = f"lgtest_{os.getpid()}" if "POSTGRES_URL" in os.environ else "locked"
    with psycopg.connect(url, autocommit=True) as admin:
        literal = psycopg.sql.Literal(password)
        create = psycopg.sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        admin.execute(create.format(psycopg.sql.Identifier(role), literal))
        grant = psycopg.sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}")
        admin.execute(grant.format(psycopg.sql.Identifier(schema), psycopg.sql.Identifier(role)))
    as_role = psycopg.conninfo.make_conninfo(url, user=role, password=password)
    with psycopg.connect(as_role) as connection:
        saver = PostgresSaver(connection, schema=schema)
        put(saver, x=1)
        saver.close()
    with ConnectionPool(as_role, min_size=0, max_size=1, open=False) as pool:
        saver = PostgresSaver(pool, schema=schema)
        assert saver.get_tuple(config()) is not None
        saver.close()
    rows_of(url, "DROP SCHEMA {schema} CASCADE", schema)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(psycopg.sql.SQL("DROP ROLE {}").format(psycopg.sql.Identifier(role)))


def test_threads_and_event_loops_share_a_saver_whose_sessions_are_killed(
    url: str, schema: str
) -> None:
    name = f"lgtest_{os.getpid()}"
    with PostgresSaver(url, schema=schema, pool_size=3, application_name=name) as saver:
        saver.setup()
        app = chat(saver)

        def turns(thread: str) -> int:
            for _ in range(5):
                app.invoke({"messages": [("user", "hi")]}, config(thread))
            return len(app.get_state(config(thread)).values["messages"])

        async def turns_async(thread: str) -> int:
            for _ in range(5):
                await app.ainvoke({"messages": [("user", "hi")]}, config(thread))
            return len((await app.aget_state(config(thread))).values["messages"])

        async def together() -> list[int]:
            killing = asyncio.to_thread(lambda: [rows_of(url, KILL, name=name) for _ in range(5)])
            sync = [asyncio.to_thread(turns, f"sync {at}") for at in range(3)]
            counts = asyncio.gather(*sync, *(turns_async(f"async {at}") for at in range(3)))
            await killing
            return await counts

        assert asyncio.run(together()) == [20] * 6


def test_calls_that_fail_have_a_code_and_say_what_was_stored(url: str, schema: str) -> None:
    nowhere = PostgresSaver("postgresql://ann:secret@127.0.0.1:1/app")
    with pytest.raises(errors.StorageError) as lost:
        put(nowhere, x=1)
    assert (lost.value.code, lost.value.stored) == ("storage-unreachable", "nothing")
    nowhere.close()
    with PostgresSaver(url.rsplit("/", 1)[0] + "/lgtest_missing") as missing:
        with pytest.raises(errors.DeniedError, match='"lgtest_missing" does not exist') as denied:
            missing.setup()
        assert denied.value.code == "store-not-provisioned"
    with PostgresSaver(url, schema=schema) as saver:
        put(saver, x=1)
    with pytest.raises(CheckpointError) as closed:
        put(saver, x=2)
    assert closed.value.code == "storage-closed"


@pytest.mark.parametrize(
    ("conn", "options", "code"),
    [
        ("postgresql://ann:secret@host:port/x", {}, "invalid-connection-string"),
        ("host=a,b port=1,2,3", {}, "invalid-connection-string"),
        ("\ud800", {}, "invalid-option"),
        ("postgresql://localhost/x", {"schema": ""}, "invalid-schema"),
        ("postgresql://localhost/x", {"schema": "pg_x"}, "invalid-schema"),
        ("postgresql://localhost/x", {"schema": "a", "namespace": "b"}, "invalid-option"),
        ("postgresql://localhost/x", {"schema": 1}, "invalid-option"),
        ("postgresql://localhost/x", {"deadline": -1}, "invalid-option"),
        ("postgresql://localhost/x", {"pool_size": 0}, "invalid-option"),
        ("postgresql://localhost/x", {"pool_size": "3"}, "invalid-option"),
        ("postgresql://localhost/x", {"cache_bytes": -1}, "invalid-option"),
        (None, {}, "invalid-database"),
    ],
)
def test_options_that_are_not_possible_are_refused(conn: Any, options: Any, code: str) -> None:
    with pytest.raises(errors.InvalidInputError) as refused:
        PostgresSaver(conn, **options)
    assert refused.value.code == code
    assert "secret" not in str(refused.value)


def test_a_busy_pool_blocks_no_event_loop(url: str, schema: str) -> None:
    async def run() -> str:
        async with PostgresSaver(url, schema=schema, pool_size=1, deadline=0.5) as saver:
            await saver.setup()
            with psycopg.connect(url) as blocker:
                lock = psycopg.sql.SQL("LOCK TABLE {}.lg_records")
                blocker.execute(lock.format(psycopg.sql.Identifier(schema)))
                reading = asyncio.ensure_future(saver.aget_tuple(config()))
                for _ in range(10):
                    await asyncio.sleep(0)
                assert not reading.done()
                with pytest.raises(CheckpointError) as late:
                    await reading
            assert await saver.aget_tuple(config()) is None
            return late.value.code

    assert asyncio.run(run()) == "storage-timeout"


def test_setup_creates_tables_that_were_dropped(url: str, schema: str) -> None:
    with PostgresSaver(url, schema=schema) as saver:
        put(saver, x=1)
        rows_of(url, "DROP SCHEMA {schema} CASCADE", schema)
        with pytest.raises(errors.DeniedError, match="run setup"):
            put(saver, x=1)
        saver.setup()
        put(saver, x=1)
        assert saver.get_tuple(config()) is not None


def test_reads_behind_a_write_that_hangs_end_at_their_deadline(url: str, schema: str) -> None:
    name = f"lgtest_{os.getpid()}"

    async def run() -> tuple[list[Any], float]:
        options: Any = {"schema": schema, "deadline": 0.5, "application_name": name}
        async with PostgresSaver(url, **options) as saver:
            await saver.setup()
            with psycopg.connect(url) as blocker:
                lock = psycopg.sql.SQL("LOCK TABLE {}.lg_records")
                blocker.execute(lock.format(psycopg.sql.Identifier(schema)))
                begun = time.monotonic()
                at = config("t", checkpoint_id=FIRST)
                write = asyncio.ensure_future(saver.aput_writes(at, [("x", 1)], "task"))
                await asyncio.sleep(0.1)
                reads = [saver.aget_tuple(config("t")) for _ in range(20)]
                ended = await asyncio.gather(write, *reads, return_exceptions=True)
                took = time.monotonic() - begun
                # The server still runs what nobody waits for.
                while rows_of(url, KILL, name=name) != [(0,)]:
                    pass
            return ended, took

    ended, took = asyncio.run(run())
    assert {getattr(error, "code", None) for error in ended} == {"storage-timeout"}
    assert took < 5


def test_a_forked_child_is_refused_and_can_open_its_own(url: str, schema: str) -> None:
    saver = PostgresSaver(url, schema=schema)
    put(saver, x=1)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            saver.get_tuple(config())
        except CheckpointError as error:
            with PostgresSaver(url, schema=schema) as own:
                found = own.get_tuple(config())
            code = 0 if error.code == "storage-closed" and found is not None else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert saver.get_tuple(config()) is not None
    saver.close()


def test_two_processes_lose_nothing_of_one_thread(url: str, schema: str) -> None:
    savers = [PostgresSaver(url, schema=schema) for _ in range(2)]
    savers[0].setup()

    def write(saver: PostgresSaver, of: int) -> None:
        for number in range(30):
            put(saver, id=f"{number:03}-{of}", x=[f"{of} {at}" for at in range(number)])

    threads = [threading.Thread(target=write, args=(saver, of)) for of, saver in enumerate(savers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = list(savers[0].list(config()))
    assert len(found) == 60
    for stored in found:
        number, of = map(int, stored.checkpoint["id"].split("-"))
        expected = [f"{of} {at}" for at in range(number)]
        assert stored.checkpoint["channel_values"] == {"x": expected}
    for saver in savers:
        saver.close()
