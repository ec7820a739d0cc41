"""Savers on Kusto: the local one that `cargo xtask test` starts, or the cluster of the environment.

Without either, the tests are skipped.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import operator
import os
import pickle
import sqlite3
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, TypedDict

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.kusto.aio import AsyncKustoSaver
from langgraph.graph import START, StateGraph

from langgraph_checkpoint_wasm import CheckpointError, errors, kusto_errors
from langgraph_checkpoint_wasm._core import kusto_cluster
from langgraph_checkpoint_wasm.kusto import KustoSaver
from langgraph_checkpoint_wasm.saver import Saver

from .states import checkpoint, config, put
from .test_conformance import BASE, EXTENDED
from .transcripts import JsonSerde, expand, keeping_chunks, outcome_of, transcripts

CLUSTER = os.environ.get("KUSTO_CLUSTER_URI", "")
TRANSCRIPTS = transcripts()

pytestmark = pytest.mark.skipif(not CLUSTER, reason="KUSTO_CLUSTER_URI names no cluster")

_count = iter(range(10_000))


@pytest.fixture
def database() -> str:
    """The name of a new database."""
    return new_database()


def new_database() -> str:
    """A name that no other test has."""
    return f"python_{os.getpid()}_{time.time_ns()}_{next(_count)}"


def tell(path: str, **what: Any) -> None:
    """Tell the local server what to do."""
    body = json.dumps(what).encode()
    request = urllib.request.Request(f"{CLUSTER}/local/{path}", body, method="POST")
    with urllib.request.urlopen(request) as answer:
        answer.read()


def test_a_checkpoint_is_put_and_got_as_in_the_guide(database: str) -> None:
    async def main() -> None:
        async with AsyncKustoSaver.from_connection_string(
            cluster_uri=CLUSTER, database=database, batch_size=100, flush_interval=30.0
        ) as checkpointer:
            await checkpointer.setup()
            checkpoint: Any = {
                "v": 1,
                "id": "checkpoint-001",
                "ts": "2024-01-01T00:00:00+00:00",
                "channel_values": {"messages": ["Hello", "World"]},
                "channel_versions": {"messages": 1},
                "versions_seen": {"messages": {1}},
            }
            thread: RunnableConfig = {"configurable": {"thread_id": "conversation-1"}}
            await checkpointer.aput(
                config=thread, checkpoint=checkpoint, metadata={}, new_versions={"messages": 1}
            )
            await checkpointer.flush()
            found = await checkpointer.aget_tuple(thread)
            assert found is not None
            assert found.checkpoint == checkpoint
            listed = [each async for each in checkpointer.alist(None, filter={})]
            assert listed == [found]
            await checkpointer.adelete_thread("conversation-1")
            assert await checkpointer.aget_tuple(thread) is None

    asyncio.run(main())


class Echoes(TypedDict):
    """A conversation."""

    messages: Annotated[list[str], operator.add]


def echo(checkpointer: BaseCheckpointSaver[Any]) -> Any:
    """A chatbot that says what it hears."""

    def respond(state: Echoes) -> Any:
        return {"messages": [f"Echo: {state['messages'][-1]}"]}

    builder = StateGraph(Echoes).add_node("respond", respond).add_edge(START, "respond")
    return builder.compile(checkpointer=checkpointer)


@pytest.mark.parametrize("batch_size", [None, 100])
def test_an_echo_chatbot_goes_on_in_another_saver(database: str, batch_size: int | None) -> None:
    async def turn(text: str) -> Any:
        async with AsyncKustoSaver.from_connection_string(
            cluster_uri=CLUSTER, database=database, batch_size=batch_size
        ) as checkpointer:
            return await echo(checkpointer).ainvoke({"messages": [text]}, config("user-1"))

    asyncio.run(turn("one"))
    assert asyncio.run(turn("two")) == {"messages": ["one", "Echo: one", "two", "Echo: two"]}


def test_a_program_logs_what_went_wrong_and_goes_on(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("chatbot")

    async def main() -> list[Any]:
        answers = []
        async with AsyncKustoSaver.from_connection_string(
            cluster_uri=CLUSTER, database=database, deadline=2.0
        ) as checkpointer:
            await checkpointer.setup()
            app = echo(checkpointer)
            for text in ("one", "refused", "two"):
                roles = ["viewer"] if text == "refused" else ["viewer", "ingestor"]
                tell("settings", database=database, roles=roles)
                try:
                    answers.append(await app.ainvoke({"messages": [text]}, config("user-1")))
                except AzureError as error:
                    log.error("a turn failed: %s", error)
        return answers

    answers = asyncio.run(main())
    assert [len(answer["messages"]) for answer in answers] == [2, 4]
    (record,) = [record for record in caplog.records if record.name == "chatbot"]
    assert "role" in record.getMessage()


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_transcript_gives_its_outcomes(name: str, database: str) -> None:
    async def run() -> None:
        async with AsyncKustoSaver(CLUSTER, database, serde=JsonSerde()) as saver:
            for index, step in enumerate(TRANSCRIPTS[name]["steps"]):
                outcome = await outcome_of(saver, step["call"], asynchronous=index % 2 == 0)
                given, expected = (
                    keeping_chunks(step["call"], each)
                    for each in (outcome, expand(step["gives"], "#"))
                )
                assert given == expected, f"step {index}"

    asyncio.run(run())


def test_the_whole_suite_passes() -> None:
    @checkpointer_test(name="AsyncKustoSaver")
    async def savers() -> AsyncIterator[KustoSaver]:
        async with AsyncKustoSaver(CLUSTER, new_database()) as saver:
            yield saver

    report = asyncio.run(validate(savers))
    passed = {name: result.tests_passed for name, result in report.results.items()}
    assert passed == BASE | EXTENDED
    assert report.passed_all()
    assert not any(result.tests_failed for result in report.results.values())


class Credential:
    """A credential of azure-core."""

    def __init__(self, *tokens: str) -> None:
        self.tokens, self.scopes = list(tokens), list[str]()

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes += scopes
        token = self.tokens[0] if len(self.tokens) == 1 else self.tokens.pop(0)
        return AccessToken(token, int(time.time()) + 3600)


class AsyncCredential(Credential):
    """A credential of azure.identity.aio, which belongs to an event loop."""

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().get_token(*scopes)


@pytest.mark.parametrize("kind", ["credential", "async credential", "function", "coroutine"])
def test_every_kind_of_credential_gives_the_token(kind: str, database: str) -> None:
    tell("settings", database=database, tokens=["good"])
    credential = AsyncCredential("good") if "async" in kind else Credential("good")
    given: Any = credential

    async def token(scope: str) -> str:
        return str(Credential("good").get_token(scope).token)

    if kind == "function":
        given = lambda scope: "good" if scope == f"{CLUSTER}/.default" else ""  # noqa: E731
    elif kind == "coroutine":
        given = token

    async def run() -> None:
        async with AsyncKustoSaver(CLUSTER, database, credential=given) as saver:
            await saver.setup()
            assert await saver.aget_tuple(config()) is None

    asyncio.run(run())
    with KustoSaver(CLUSTER, database, credential=given) as saver:
        put(saver, x=1)
    assert set(credential.scopes) <= {f"{CLUSTER}/.default"}


def test_a_token_that_is_refused_is_asked_for_again_and_then_an_error(database: str) -> None:
    tell("settings", database=database, tokens=["good"])
    with KustoSaver(CLUSTER, database, credential=Credential("stale", "good")) as saver:
        put(saver, x=1)
    with KustoSaver(CLUSTER, database, credential=Credential("secret-token")) as saver:
        with pytest.raises(errors.DeniedError) as refused:
            saver.get(config())
        assert refused.value.code == "store-unauthorized"
        assert "secret-token" not in str(refused.value)
        assert isinstance(refused.value, AzureError)


def test_a_credential_that_fails_is_an_error_that_says_so(database: str) -> None:
    def fails(scope: str) -> str:
        raise RuntimeError("secret")

    with KustoSaver(CLUSTER, database, credential=fails) as saver:
        with pytest.raises(errors.UnavailableError) as failed:
            saver.get(config())
        assert failed.value.code == "login-failed"
        assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("ingest_mode", "queued", "invalid-option"),
        ("deadline", -1.0, "invalid-option"),
        ("deadline", 0, "invalid-option"),
        ("flush_interval", "30", "invalid-option"),
        ("batch_size", "5", "invalid-option"),
        ("batch_size", 0, "invalid-option"),
        ("batch_size", 2**40, "invalid-option"),
        ("batch_size", True, "invalid-option"),
        ("admin", "yes", "invalid-option"),
        ("trusted_hosts", "kusto.example", "invalid-option"),
        ("table", 5, "invalid-option"),
        ("serde", object(), "invalid-option"),
        ("batchsize", 5, "unknown-option"),
        ("cluster_uri", None, "invalid-option"),
        ("database", None, "invalid-option"),
        ("database", "", "invalid-database"),
        ("table", "no table", "invalid-table"),
        ("credential", 5, "invalid-credential"),
    ],
)
def test_an_option_that_is_not_possible_is_refused_by_its_name(
    option: str, value: object, code: str
) -> None:
    options: Any = {"cluster_uri": CLUSTER, "database": "x", option: value}
    with pytest.raises(errors.InvalidInputError, match=option) as refused:
        AsyncKustoSaver.from_connection_string(**options)
    assert refused.value.code == code
    assert isinstance(refused.value, AzureError)


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("", "invalid-cluster-uri"),
        ("ftp://name.region.kusto.windows.net", "invalid-cluster-uri"),
        ("http://[::1", "invalid-cluster-uri"),
        ("https://ingest-name.region.kusto.windows.net", "invalid-cluster-uri"),
        ("http://name.region.kusto.windows.net", "untrusted-host"),
        ("https://elsewhere.example", "untrusted-host"),
    ],
)
def test_a_cluster_that_may_get_no_token_is_refused_before_one_is_asked_for(
    uri: str, code: str
) -> None:
    credential = Credential("secret")
    for given in (credential, None):
        with pytest.raises(errors.InvalidInputError) as refused:
            KustoSaver(uri, "langgraph", credential=given)
        assert refused.value.code == code
        assert isinstance(refused.value, AzureError)
    assert credential.scopes == []


@pytest.mark.parametrize(
    ("uri", "scope"),
    [
        ("https://Name.region.kusto.windows.net/", "https://name.region.kusto.windows.net"),
        ("name.region.kusto.windows.net", "https://name.region.kusto.windows.net"),
        ("https://name.region.kusto.windows.net/db", "https://name.region.kusto.windows.net"),
    ],
)
def test_a_token_is_for_the_cluster_however_its_uri_is_written(uri: str, scope: str) -> None:
    assert kusto_cluster({"cluster_uri": uri}) == (f"{scope}/.default", False)


def test_every_kind_of_error_is_one_of_azure_too() -> None:
    kinds = set(errors.__all__) - {"CheckpointError", "StoreError"}
    assert set(kusto_errors.__all__) == kinds
    for kind in kinds:
        with pytest.raises(AzureError) as raised, kusto_errors.AsKustoErrors():
            raise getattr(errors, kind)("it failed", "a-code", "unknown") from KeyError("cause")
        error = pickle.loads(pickle.dumps(raised.value))
        assert {getattr(errors, kind), AzureError} <= {*type(error).__mro__}
        assert (str(error), error.message) == ("it failed", "it failed")
        assert (error.code, error.stored) == ("a-code", "unknown")
        assert isinstance(raised.value.__cause__, KeyError)


# What a method needs for its parameters.
ARGUMENTS: dict[str, Any] = {
    "config": config(checkpoint_id="1"),
    "checkpoint": checkpoint(x=1),
    "metadata": {},
    "new_versions": {},
    "writes": [("x", 1)],
    "task_id": "task",
    "thread_id": "thread",
    "channels": ["x"],
}
# What does not need the store.
WITHOUT_STORE = {"aclose", "close", "get_next_version"}


def methods_of_the_store() -> list[str]:
    """What calls the store."""
    members = [member for of in (Saver, KustoSaver) for member in vars(of).items()]
    names = {name for name, member in members if inspect.isfunction(member)}
    public = {name for name in names if not name.startswith("_")}
    return sorted(public - WITHOUT_STORE | {"__aenter__", "__enter__"})


@pytest.mark.parametrize("name", methods_of_the_store())
def test_a_closed_saver_raises_errors_of_azure_from_every_method(name: str, database: str) -> None:
    saver = AsyncKustoSaver(CLUSTER, database)
    saver.close()
    method = getattr(saver, name)
    needed = {
        parameter.name: ARGUMENTS[parameter.name]
        for parameter in inspect.signature(method).parameters.values()
        if parameter.default is inspect.Parameter.empty
    }

    async def run() -> None:
        given = method(**needed)
        if hasattr(given, "__aiter__"):
            async for _ in given:
                pass
        elif inspect.isawaitable(given):
            await given
        elif hasattr(given, "__next__"):
            next(given)

    with pytest.raises(AzureError) as closed:
        asyncio.run(run())
    assert isinstance(closed.value, errors.StorageError)
    assert closed.value.code == "storage-closed"


def test_bad_input_and_values_that_cannot_be_stored_are_errors_of_azure(database: str) -> None:
    with KustoSaver(CLUSTER, database) as saver:
        given = checkpoint(x=print)
        bad: Any = {"configurable": 5}
        calls: list[tuple[Callable[[], object], str]] = [
            (lambda: saver.put(config(), given, {}, {}), "unserializable-value"),
            (lambda: asyncio.run(saver.aput(config(), given, {}, {})), "unserializable-value"),
            (lambda: saver.put({}, checkpoint(x=1), {}, {}), "missing-thread-id"),
            (lambda: saver.get_tuple(bad), "invalid-argument"),
            (lambda: list(saver.list(None, filter={"x": print})), "invalid-filter"),
        ]
        for call, code in calls:
            with pytest.raises(AzureError) as refused:
                call()
            assert isinstance(refused.value, CheckpointError)
            assert refused.value.code == code


def test_waiting_rows_are_sent_at_the_end_and_calls_after_it_are_refused(database: str) -> None:
    saver = KustoSaver(CLUSTER, database, batch_size=1000, flush_interval=3600.0)
    put(saver, x=1)
    saver.close()
    saver.close()
    with pytest.raises(sqlite3.OperationalError):
        saver.get(config())
    with KustoSaver(CLUSTER, database) as other:
        assert other.get(config()) is not None


def test_a_cluster_elsewhere_gets_the_default_credential() -> None:
    # Nothing is sent: it is only made.
    KustoSaver("https://name.region.kusto.windows.net", "langgraph").close()
