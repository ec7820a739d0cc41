"""Values come back as LangGraph's own savers give them."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import decimal
import enum
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Command, Interrupt, Send
from pydantic import BaseModel

from langgraph_checkpoint_wasm import SqliteSaver, errors

from .states import checkpoint, config, put


class Model(BaseModel):
    """A model of the user's."""

    name: str
    more: dict[str, Any] = {}


@dataclasses.dataclass
class Data:
    """A dataclass of the user's."""

    name: str


class Color(enum.Enum):
    """An enum of the user's."""

    RED = "red"


VALUES: dict[str, Any] = {
    "None": None,
    "booleans": [True, False],
    "numbers": [0, -1, 2**63 - 1, -(2**63), 0.5, -0.0, float("inf"), 1e300],
    "text": ["", "\0", "\U0001f600", "x" * 100_000],
    "bytes": b"\xff\x00",
    "bytearray": bytearray(b"\x00\xff"),
    "nested bytes": {"inner": b"\xff\x00"},
    "dict": {"a": {"b": [1, {"c": None}]}, "": "", "__proto__": 1},
    "dict with other keys": {1: "one", 2.5: "two", None: "three"},
    "tuple": (1, (2, 3)),
    "set": {1, 2},
    "frozenset": frozenset({1}),
    "empty": [[], {}, "", b""],
    "datetime": datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc),
    "date": [datetime.date(2026, 1, 2), datetime.time(3, 4), datetime.timedelta(days=1)],
    "uuid": uuid.UUID(int=5),
    "decimal": decimal.Decimal("1.50"),
    "path": Path("a") / "b",
    "messages": [
        HumanMessage("hi", id="1"),
        AIMessage("", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c"}], id="2"),
        ToolMessage("done", tool_call_id="c", artifact={"raw": b"\x00"}, id="3"),
        SystemMessage([{"type": "text", "text": "blocks"}], additional_kwargs={"k": [1]}),
        AIMessageChunk(content="part", id="4"),
        RemoveMessage(id="1"),
    ],
    "document": Document("text", metadata={"source": "a"}),
    "send": Send("node", {"x": 1}),
    "command": Command(update={"x": 1}, goto="node"),
    "interrupt": Interrupt({"ask": 1}, id="i"),
    "snapshot": _DeltaSnapshot([1, 2]),
    "model": Model(name="a", more={"x": [1]}),
    "dataclass": Data("a"),
    "enum": Color.RED,
    "long list": [{"index": index, "text": "x" * 100} for index in range(2_000)],
    "cousins": [[1, 2], [1, 2], {"a": [1, 2]}],
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_from_the_saver_in_memory(name: str) -> None:
    value = VALUES[name]
    memory = InMemorySaver()
    with SqliteSaver(":memory:") as saver:
        for each in (memory, saver):
            of_it = put(each, x=value)
            each.put_writes(of_it, [("x", value), ("y", [value])], "task")
        expected, found = memory.get_tuple(config()), saver.get_tuple(config())
        assert expected is not None
        assert found is not None
        _assert_same(found.checkpoint["channel_values"], expected.checkpoint["channel_values"])
        _assert_same(found.pending_writes, expected.pending_writes)
        asynchronous = asyncio.run(saver.aget_tuple(config()))
        assert asynchronous is not None
        _assert_same(asynchronous.checkpoint, found.checkpoint)


def _assert_same(found: Any, expected: Any) -> None:
    assert repr(found) == repr(expected)
    assert type(found) is type(expected)
    assert found == expected


class Custom:
    """A serializer of the user's, with a tag of its own."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        return "repr", repr(obj).encode()

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        assert data[0] == "repr"
        return eval(data[1])


def test_a_serializer_of_the_users_own_gives_and_gets_its_own_bytes() -> None:
    with SqliteSaver(":memory:", serde=Custom()) as saver:
        of_it = put(saver, x={"a": (1, 2)})
        saver.put_writes(of_it, [("x", {3})], "task")
        found = saver.get_tuple(of_it)
        assert found is not None
        assert found.checkpoint["channel_values"] == {"x": {"a": (1, 2)}}
        assert found.pending_writes == [("task", "x", {3})]


@pytest.mark.parametrize("given", ["text", ("kind", "text"), ("kind",), (5, b""), None])
def test_a_serializer_that_gives_something_else_is_refused(given: Any) -> None:
    class Wrong(Custom):
        def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
            result: tuple[str, bytes] = given
            return result

    with SqliteSaver(":memory:", serde=Wrong()) as saver:
        with pytest.raises(errors.InvalidInputError) as refused:
            put(saver, x=1)
        assert refused.value.code == "invalid-serializer"
        assert list(saver.list(None)) == []


def test_encrypted_values_are_not_in_the_file_and_need_their_key(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    secret = "the secret of the whole agent"
    encrypting = EncryptedSerializer.from_pycryptodome_aes(key=b"k" * 16)
    with SqliteSaver(path, serde=encrypting) as saver:
        of_it = put(saver, x=[secret])
        saver.put_writes(of_it, [("x", secret)], "task")
        found = saver.get_tuple(config())
        assert found is not None
        assert found.checkpoint["channel_values"] == {"x": [secret]}
        assert found.pending_writes == [("task", "x", secret)]
    assert secret.encode() not in path.read_bytes()
    for serde in (EncryptedSerializer.from_pycryptodome_aes(key=b"o" * 16), JsonPlusSerializer()):
        with SqliteSaver(path, serde=serde) as saver, pytest.raises(errors.CheckpointError) as no:
            saver.get_tuple(config())
        assert no.value.code == "unreadable-value"
        assert secret not in str(no.value)


def test_an_allowlist_gives_a_saver_on_the_same_store_that_reads_more() -> None:
    strict = JsonPlusSerializer(allowed_msgpack_modules=())
    with SqliteSaver(":memory:", serde=strict) as saver:
        put(saver, x=Model(name="a"))
        blocked = saver.get(config())
        assert blocked is not None
        assert not isinstance(blocked["channel_values"]["x"], Model)
        allowing = saver.with_allowlist([(Model.__module__, "Model")])
        assert isinstance(allowing, SqliteSaver)
        allowed = allowing.get(config())
        assert allowed is not None
        assert allowed["channel_values"] == {"x": Model(name="a")}
        again = saver.get(config())
        assert again is not None
        assert not isinstance(again["channel_values"]["x"], Model)


STRICT = """
import sys
from langgraph_checkpoint_wasm import SqliteSaver
from tests.states import config
from tests.test_values import Model
with SqliteSaver(sys.argv[1]) as saver:
    found = saver.get(config())["channel_values"]["x"]
    assert not isinstance(found, Model), found
"""


def test_strict_mode_returns_no_class_that_is_not_allowed(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    with SqliteSaver(path) as saver:
        put(saver, x=Model(name="a"))
        found = saver.get(config())
        assert found is not None
        assert isinstance(found["channel_values"]["x"], Model)
    subprocess.run(
        [sys.executable, "-c", STRICT, str(path)],
        check=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"},
    )


def test_every_object_that_is_read_is_new() -> None:
    with SqliteSaver(":memory:") as saver:
        put(saver, x=[{"a": [1]}])
        first, second = saver.get(config()), saver.get(config())
        assert first is not None
        assert second is not None
        first["channel_values"]["x"][0]["a"].append(2)
        assert second["channel_values"] == {"x": [{"a": [1]}]}
        third = saver.get(config())
        assert third is not None
        assert third["channel_values"] == {"x": [{"a": [1]}]}


def test_a_state_that_grows_is_stored_once(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    messages: list[Any] = []
    with SqliteSaver(path) as saver:
        for number in range(200):
            messages.append(HumanMessage(f"message {number} " + "x" * 500, id=str(number)))
            given = checkpoint(f"id-{number:05}", messages=messages)
            given["channel_versions"] = {"messages": number + 1}
            saver.put(config(), given, {}, given["channel_versions"])
    whole = len(JsonPlusSerializer().dumps_typed(messages)[1])
    # Stored whole each time, it would be a hundred times the last state.
    assert path.stat().st_size < 20 * whole
