"""Values of every kind that a graph in Python keeps, by name."""

import re
from collections import deque
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy
from agent_types import Color, Pair, Person, Point
from langchain_core.documents import Document
from langchain_core.load import dumpd
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    FunctionMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    SystemMessageChunk,
    ToolMessage,
    ToolMessageChunk,
)
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Command, Interrupt, Overwrite, Send, TimeoutPolicy

CALL = {"name": "search", "args": {"q": "x", "n": 1, "deep": [{"a": None}]}, "id": "c1"}
BAD_CALL = {"name": "bad", "args": "{", "id": "c2", "error": "Malformed args."}
CHUNK: Any = {"name": "search", "args": '{"q":"x"}', "id": "c1", "index": 0}
USAGE: Any = {
    "input_tokens": 1,
    "output_tokens": 2,
    "total_tokens": 3,
    "input_token_details": {"cache_read": 1},
    "output_token_details": {"reasoning": 1},
}
BLOCKS: list[str | dict[str, Any]] = [
    "first",
    {"type": "text", "text": "look", "annotations": [{"start": 1}]},
    {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    {"type": "reasoning", "reasoning": "because", "extras": {"signature": "s"}},
]
SHARED: dict[str, Any] = {
    "id": "m1",
    "name": "ann",
    "additional_kwargs": {"camelCase": {"snake_case": [1]}, "lc_source": "x"},
    "response_metadata": {"model_name": "m", "logprobs": None},
}
CALLED: dict[str, Any] = {"tool_calls": [CALL], "invalid_tool_calls": [BAD_CALL]}

NUMBERS: dict[str, Any] = {
    "integers": [0, 127, 128, -1, -33, 2**31, -(2**31) - 1, 2**53 - 1, -(2**53) + 1],
    "integers of 64 bits": [2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1],
    "floats": [1.5, -0.25, 5e-324, 1e300, 0.1],
    "floats that are no numbers": [float("nan"), float("inf"), float("-inf"), -0.0],
    "whole floats": [1.0, -3.0, 1e15],
    "a Decimal": Decimal("1.10"),
}

TEXTS: dict[str, Any] = {
    "None": None,
    "booleans": [True, False, None],
    "texts": ["", "plain", "\ufeffwith a mark", "nul \0", "\u00e9\u4e2d\U0001f600", "x" * 300],
    "bytes": b"\0\xff bytes",
    "a bytearray": bytearray(b"\1\2"),
    "nested bytes": {"raw": b"\0\xff", "mutable": bytearray(b"\1")},
    "an exception": {"error": ValueError("wrong")},
}

COLLECTIONS: dict[str, Any] = {
    "a list": [1, [2, []], {"a": {}}],
    "a tuple": (1, (2, "b")),
    "a dict": {"a": 1, "b": {"c": [None]}, "": ""},
    "a dict of integers": {1: "a", 2: {3: b"x"}},
    "a dict of any keys": {"a": 1, 1: 2, None: 3, 2.5: 4, b"k": 5, (1, ("b", 2)): 6},
    "keys that JavaScript has": {"__proto__": {"a": 1}, "constructor": 2, "toJSON": 3, "then": 4},
    "a set": {1, 2, 3},
    "an empty set": set(),
    "a set of tuples and frozensets": {(1, (2, 3)), frozenset({1})},
    "a frozenset": frozenset({1, 2}),
    "a deque": deque([1, {"a": b"x"}]),
    "user data like a message": {"stored": dumpd(AIMessage("x")), "lc": 1},
    "user data like JavaScript's records": [
        {"lc": 2, "type": "undefined"},
        {"lc": 2, "type": "escaped", "value": [["lc", 2]]},
        {"lc": 2, "type": "later"},
        {"lc": 3},
    ],
    "user data like a record of Python's": {
        "lc": 2,
        "type": "constructor",
        "id": ["uuid", "UUID"],
        "method": None,
        "args": ["0" * 32],
        "kwargs": {},
    },
}

TIMES: dict[str, Any] = {
    "a datetime in UTC": datetime(2026, 11, 29, 12, 30, 15, 123456, timezone.utc),
    "a datetime with milliseconds": datetime(2026, 1, 2, 3, 4, 5, 678000, timezone.utc),
    "a datetime with an offset": datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=-5.5))),
    "a datetime without an offset": datetime(2026, 7, 8, 9, 10, 11, 12),
    "the first and last datetime": [datetime.min, datetime.max],
    "a date": date(2026, 2, 28),
    "a time": time(1, 2, 3, 4, timezone.utc),
    "a timedelta": timedelta(days=-1, microseconds=5),
    "a timezone": timezone(timedelta(hours=2), "here"),
    "a ZoneInfo": ZoneInfo("UTC"),
}

OTHERS: dict[str, Any] = {
    "a UUID": UUID(int=7),
    "a path": Path("/a/b c"),
    "an expression": re.compile("a+", re.IGNORECASE),
    "an address": ip_address("10.0.0.1"),
    "an array of numpy": numpy.array([[1.5, 2.0], [3.0, 4.0]], order="F"),
    "an enum": Color.RED,
    "a dataclass": Point(1, {"at": datetime(2026, 1, 1), "who": Person(name="ann", tags={"x"})}),
    "a named tuple": Pair(1, UUID(int=1)),
    "a model": Person(name="bob", tags={"y"}),
    "a Document": Document(page_content="text", metadata={"page": 1}, id="d1"),
    "a Command": Command(update={"a": {1}}, goto="next", resume={"yes": True}),
}

LANGGRAPH: dict[str, Any] = {
    "a DeltaSnapshot": _DeltaSnapshot({"messages": [HumanMessage("hi", id="h"), {1}], "n": 1}),
    "a Send": Send("node", {"xs": [1], "m": HumanMessage("hi", id="h")}),
    "a Send with a timeout": Send("node", 1, timeout=TimeoutPolicy(run_timeout=1.5)),
    "an Interrupt": [Interrupt(value={"ask": "sure?"}, id="i1")],
    "an Overwrite": Overwrite([1]),
}

MESSAGES: dict[str, Any] = {
    "a HumanMessage": HumanMessage("hi"),
    "a HumanMessage of blocks": HumanMessage(BLOCKS, **SHARED),
    "a SystemMessage": SystemMessage("be brief", **SHARED),
    "an AIMessage": AIMessage("yes"),
    "an AIMessage with everything": AIMessage(BLOCKS, usage_metadata=USAGE, **CALLED, **SHARED),
    "a ToolMessage": ToolMessage("found", tool_call_id="c1"),
    "a ToolMessage with everything": ToolMessage(
        BLOCKS,
        tool_call_id="c1",
        status="error",
        artifact={"rows": [(1, None)], "seen": {1}, "at": datetime(2026, 1, 1), "id": UUID(int=9)},
        **SHARED,
    ),
    "a FunctionMessage": FunctionMessage(content="out", **SHARED),
    "a ChatMessage": ChatMessage(content="hm", role="critic", **SHARED),
    "a RemoveMessage": RemoveMessage(id="gone"),
    "a HumanMessageChunk": HumanMessageChunk(content="h", **SHARED),
    "a SystemMessageChunk": SystemMessageChunk(content="s", **SHARED),
    "an AIMessageChunk": AIMessageChunk(
        content="par", tool_call_chunks=[CHUNK], usage_metadata=USAGE, **SHARED
    ),
    "the last AIMessageChunk": AIMessageChunk(content="", chunk_position="last"),
    "a ToolMessageChunk": ToolMessageChunk(content="part", tool_call_id="c9", status="error"),
    "a ChatMessageChunk": ChatMessageChunk(content="hm", role="critic", **SHARED),
    "a FunctionMessageChunk": FunctionMessageChunk(content="out", **SHARED),
    "messages with user data like records": HumanMessage(
        "x", additional_kwargs={"lc": 1, "set": {"lc": 2, "type": "undefined"}, "own": {"lc": 5}}
    ),
    "a message of the user's type": BaseMessage("x", type="own"),
    "a message with fields of its own": AIMessage("x", **{"extra_field": {"a": 1}}),
}

VALUES: dict[str, Any] = {
    **NUMBERS,
    **TEXTS,
    **COLLECTIONS,
    **TIMES,
    **OTHERS,
    **LANGGRAPH,
    **MESSAGES,
}
