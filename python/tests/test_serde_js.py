"""What JavaScript writes, read by Python.

The files in tests/languages have real bytes of both languages.
"""

import base64
import json
import math
import sys
from datetime import datetime, timezone
from pathlib import Path
from random import Random
from typing import Any

import numpy
import pytest
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Interrupt, Overwrite, Send, TimeoutPolicy

from langgraph_checkpoint_wasm.serde_js import UnreadableValueError, loads_json, loads_metadata

LANGUAGES = Path(__file__).parents[2] / "tests" / "languages"
sys.path.insert(0, str(LANGUAGES))

from agent_types import ALL, Color, Person  # noqa: E402
from python_values import VALUES  # noqa: E402

ALLOWED = frozenset((cls.__module__, cls.__name__) for cls in ALL)
SERDE = JsonPlusSerializer(allowed_msgpack_modules=ALLOWED)

Values = dict[str, tuple[str, str]]

AGAIN: Values = json.loads((LANGUAGES / "javascript.json").read_text())["again"]
FROM_JAVASCRIPT: Values = json.loads((LANGUAGES / "javascript.json").read_text())["values"]
FROM_PYTHON: Values = json.loads((LANGUAGES / "python.json").read_text())
THROUGH_PYTHON: Values = json.loads((LANGUAGES / "through-python.json").read_text())

CHANGED: dict[str, Any] = {
    "whole floats": [1, -3, 10**15],
    "a bytearray": b"\1\2",
    "a frozenset": {1, 2},
    # The serializer itself gives a list.
    "a set of tuples and frozensets": {(1, (2, 3)), frozenset({1})},
    "an Interrupt": [{"value": {"ask": "sure?"}, "id": "i1"}],
    "an Overwrite": {"__overwrite__": [1]},
    "a Send with a timeout": {
        "node": "node",
        "args": 1,
        "timeout": {"refreshOn": "auto", "runTimeout": 1500},
    },
    "a Send": {"node": "node", "args": {"xs": [1], "m": HumanMessage("hi", id="h")}},
}
"""What Python's values are once JavaScript has written them, if that is something else."""


def read(kind: str, text: str) -> object:
    if kind == "json":
        return loads_json(text.encode(), ALLOWED)
    return SERDE.loads_typed((kind, base64.b64decode(text)))


def same(one: object, other: object) -> bool:
    """Whether values and all that they contain are equal and of the same type."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return same(list(one), list(other)) and same(list(one.values()), list(other.values()))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, BaseMessage) and isinstance(other, BaseMessage):
        return same(one.model_dump(), other.model_dump())
    if isinstance(one, numpy.ndarray) and isinstance(other, numpy.ndarray):
        return bool(one.dtype == other.dtype) and bool((one == other).all())
    if isinstance(one, float) and isinstance(other, float):
        signs = math.copysign(1, one) == math.copysign(1, other)
        return signs and (one == other or (math.isnan(one) and math.isnan(other)))
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one.isoformat() == other.isoformat()
    return one == other


@pytest.mark.parametrize("name", FROM_PYTHON)
def test_what_the_files_have_of_python_is_what_python_writes(name: str) -> None:
    assert same(read(*FROM_PYTHON[name]), SERDE.loads_typed(SERDE.dumps_typed(VALUES[name])))


@pytest.mark.parametrize("name", FROM_PYTHON)
def test_a_value_of_pythons_comes_back_from_javascript(name: str) -> None:
    kind, text = AGAIN[name]
    assert kind in ("json", "bytes")
    expected = CHANGED.get(name, read(*FROM_PYTHON[name]))
    assert same(read(kind, text), expected)


@pytest.mark.parametrize("name", FROM_JAVASCRIPT)
def test_every_value_of_javascripts_can_be_written(name: str) -> None:
    value = read(*FROM_JAVASCRIPT[name])
    assert same(SERDE.loads_typed(SERDE.dumps_typed(value)), read(*THROUGH_PYTHON[name]))


def test_the_files_have_every_value_and_no_other() -> None:
    assert VALUES.keys() == FROM_PYTHON.keys() == AGAIN.keys()
    assert FROM_JAVASCRIPT.keys() == THROUGH_PYTHON.keys()


def record(*path: str, args: list[Any] | None = None, **more: object) -> bytes:
    fields = {"id": path, "method": None, "args": args or [], "kwargs": {}, **more}
    return json.dumps({"lc": 2, "type": "constructor", **fields}).encode()


def test_a_class_that_is_not_allowed_stays_a_record() -> None:
    data = record("agent_types", "Color", args=["red"])
    assert loads_json(data) == json.loads(data)
    assert loads_json(data, True) == json.loads(data)
    assert loads_json(data, [Color]) is Color.RED
    assert loads_json(data, [("agent_types", "Color")]) is Color.RED


@pytest.mark.parametrize(
    "data",
    [
        record("os", "system", args=["exit 1"]),
        record("builtins", "eval", args=["1"]),
        record("builtins", "set", args=[[1]]),
        record("datetime", "datetime", args=["2026-01-01"], method="fromordinal"),
        record("uuid", "UUID", args=["0" * 32], method="from"),
        record("pathlib", "Path", args=[]).replace(b"[]", b'{"a": 1}'),
        record("langgraph", "types", "Nothing"),
        record("Function", args=["return 1"]),
        record("uuid", "UUID", args=["too short"]),
        b'{"lc": 1, "type": "constructor", "id": ["langchain_core", "messages", "os"]}',
        b'{"lc": 1, "type": "constructor", "id": ["os", "messages", "AIMessage"], "kwargs": {}}',
        b'{"lc": 1, "type": "constructor", "id": ["langchain_core", "messages", {}], "kwargs": {}}',
        b'{"lc": true, "type": "constructor", "id": ["langchain_core", "messages", "AIMessage"],'
        b' "kwargs": {"content": "x"}}',
        b'{"lc": 1, "type": "secret", "id": ["HOME"]}',
        b'{"lc": 2, "type": "date", "value": "2026-02-30T00:00:00.000Z"}',
        b'{"lc": 2, "type": "bigint", "value": "1_0"}',
        b'{"lc": 2, "type": "binary", "value": ["Uint8Array", "?"]}',
        b'{"lc": 2, "type": "binary", "value": ["Float64Array", "AAAAAAAA8D8="]}',
        b'{"lc": 2, "type": ["date"], "value": null}',
    ],
)
def test_other_records_are_dicts_and_nothing_is_called(data: bytes) -> None:
    assert loads_json(data, [("langgraph.types", "Nothing")]) == json.loads(data)


def test_a_message_that_its_class_refuses_stays_a_record() -> None:
    path = ["langchain_core", "messages", "ToolMessage"]
    fields = {"lc": 1, "type": "constructor", "id": path, "kwargs": {"content": 5}}
    assert loads_json(json.dumps(fields).encode()) == fields


def test_a_model_that_refuses_what_it_was_given_keeps_it() -> None:
    data = record("agent_types", "Person", kwargs={"name": 5, "tags": None})
    person = loads_json(data, [Person])
    assert isinstance(person, Person)
    assert person.__dict__ == {"name": 5, "tags": None}


def test_wrapped_and_escaped_data_is_the_users() -> None:
    inside = {"lc": 2, "type": "undefined"}
    kwargs = {"content": "x", "additional_kwargs": {"own": {"__lc_escaped__": inside}}}
    path = ["langchain_core", "messages", "HumanMessage"]
    message = {"lc": 1, "type": "constructor", "id": path, "kwargs": kwargs}
    escaped = {"lc": 2, "type": "escaped", "value": [["lc", 2], ["none", inside]]}
    read_message, read_escaped = loads_json(json.dumps([message, escaped]).encode())
    assert read_message.additional_kwargs == {"own": inside}
    assert read_escaped == {"lc": 2, "none": None}


def test_undefined_kwargs_of_a_message_are_left_out() -> None:
    undefined = {"lc": 2, "type": "undefined"}
    kwargs = {"content": "x", "tool_call_id": "c", "status": undefined, "id": undefined}
    path = ["langchain_core", "messages", "tool", "ToolMessage"]
    data = json.dumps({"lc": 1, "type": "constructor", "id": path, "kwargs": kwargs}).encode()
    assert loads_json(data) == ToolMessage("x", tool_call_id="c")


def test_calls_without_the_keys_that_python_needs_get_them() -> None:
    kwargs = {"content": "", "tool_calls": [{"name": "f", "args": {}}]}
    path = ["langchain_core", "messages", "AIMessage"]
    data = json.dumps({"lc": 1, "type": "constructor", "id": path, "kwargs": kwargs}).encode()
    assert loads_json(data).tool_calls == [
        {"name": "f", "args": {}, "id": None, "type": "tool_call"}
    ]


KEYS = ["lc", "type", "id", "kwargs", "args", "method", "value", "__lc_escaped__", "content", "x"]
PARTS: list[Any] = [
    *(1, 2, 2.0, True, None, "", "constructor", "undefined", "delta_snapshot", "number", "bigint"),
    *("date", "binary", "escaped", "NaN", "12", "from", ["Set"], ["Map"], ["Uint8Array"], [[1]]),
    *(["datetime", "datetime"], ["numpy", "ndarray"], ["uuid", "UUID"], ["re", "compile"]),
    *([[["lc", 2]]], [[[1, 2]]], ["langchain_core", "messages", "AIMessage"], {}, [], [{}]),
    *(["langchain_core", "messages", {}], ["Uint8Array", "AQI="], ["langgraph", "types", "Send"]),
]


def any_value(random: Random, depth: int) -> object:
    kind = random.random()
    if depth == 0 or kind < 0.3:
        return random.choice(PARTS)
    inside = [any_value(random, depth - 1) for _ in range(random.randrange(4))]
    if kind < 0.5:
        return inside
    fields = dict(zip(random.sample(KEYS, len(inside)), inside, strict=True))
    if kind < 0.9:
        fields |= {"lc": random.choice([1, 2]), "type": random.choice(PARTS[5:16])}
        fields |= {key: random.choice(PARTS) for key in random.sample(KEYS[2:7], 2)}
    return fields


@pytest.mark.parametrize("seed", range(20))
def test_whatever_looks_like_a_record_is_read_and_can_be_written(seed: int) -> None:
    random = Random(seed)
    for _ in range(300):
        data = json.dumps(any_value(random, 4)).encode()
        for channel in (None, "__interrupt__", "__pregel_tasks"):
            SERDE.dumps_typed(loads_json(data, ALLOWED, channel))


def test_whole_numbers_are_ints_as_long_as_they_are_exact() -> None:
    values = loads_json(b"[1, 9007199254740992, 9007199254740994, 1e2, -0, 123456789012345678901]")
    assert [type(value) for value in values] == [int, int, float, float, int, float]


def test_metadata_keeps_the_integers_of_python() -> None:
    metadata = {"step": 1, "user_id": 2**60 + 1, "parents": {}, "score": 0.5, "big": 10**30}
    assert loads_metadata(json.dumps(metadata).encode()) == metadata
    assert loads_metadata(b'{"at":{"lc":2,"type":"undefined"}}') == {"at": None}


def test_a_date_is_aware() -> None:
    data = b'{"lc": 2, "type": "date", "value": "2026-01-02T03:04:05.678Z"}'
    assert loads_json(data) == datetime(2026, 1, 2, 3, 4, 5, 678000, timezone.utc)


def test_langgraphs_channels_hold_its_classes() -> None:
    sends = b'[{"node":"n","args":1},{"node":"n","args":2,"timeout":{"runTimeout":1500}},{"a":1}]'
    timed = Send("n", 2, timeout=TimeoutPolicy(run_timeout=1.5))
    assert loads_json(sends, channel="__pregel_tasks") == [Send("n", 1), timed, {"a": 1}]
    assert loads_json(b'{"node":"n","args":1}', channel="__pregel_tasks") == Send("n", 1)
    policy = b'{"idleTimeout":10,"refreshOn":"heartbeat"}'
    data = b'{"node":"n","args":1,"timeout":%b}' % policy
    timeout = TimeoutPolicy(idle_timeout=0.01, refresh_on="heartbeat")
    assert loads_json(data, channel="__pregel_tasks") == Send("n", 1, timeout=timeout)
    asked = b'[{"id":"i","value":{"ask":1}}]'
    assert loads_json(asked, channel="__interrupt__") == [Interrupt({"ask": 1}, "i")]
    assert loads_json(asked, channel="mine") == json.loads(asked)


def test_langgraphs_own_classes_are_made_again_from_records() -> None:
    send = record("langgraph.types", "Send", args=["n", 1])
    assert loads_json(send.replace(b'"langgraph.types"', b'"langgraph", "types"')) == Send("n", 1)
    interrupt = record("langgraph", "types", "Interrupt", kwargs={"value": 1, "id": "i"})
    assert loads_json(interrupt) == Interrupt(1, "i")
    assert loads_json(record("langgraph", "types", "Overwrite", args=[1])) == Overwrite(1)


@pytest.mark.parametrize("data", [b"", b'{"lc": 2', b'"\xff"', b"[NaN]", b"hunter2"])
def test_bytes_that_are_not_json_are_refused_without_a_word_of_them(data: bytes) -> None:
    with pytest.raises(UnreadableValueError) as refused:
        loads_json(data)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_value_nested_too_deeply_is_refused() -> None:
    with pytest.raises(UnreadableValueError, match="deep"):
        loads_json(b"[" * 100_000 + b"]" * 100_000)


def test_records_may_be_nested_more_deeply_than_calls() -> None:
    depth = 300
    data = b'{"lc": 2, "type": "delta_snapshot", "value": ' * depth + b"1" + b"}" * depth
    value = loads_json(data)
    for _ in range(depth):
        value = value.value
    assert value == 1
