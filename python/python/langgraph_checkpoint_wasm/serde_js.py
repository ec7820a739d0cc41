"""Reads the JSON that LangGraph.js and this package's JavaScript write.

JSON objects with the key ``lc`` are records of values that JSON lacks: ``lc: 1`` of LangChain's
messages, ``lc: 2`` of JavaScript's values, and of Python's values that JavaScript passes on.
docs/languages.md says what becomes of each.

Everything that is returned can be written by LangGraph's ``JsonPlusSerializer``. A record without
a counterpart in Python stays a dict, which JavaScript reads as its value again.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from importlib import import_module
from typing import Any, Final, Literal

from .serde_channels import of_channel
from .serde_own import Fields, made_again

AllowedTypes = Collection["tuple[str, ...] | type[Any]"] | Literal[True] | None
"""Classes, or their module and name, as in ``allowed_msgpack_modules`` of JsonPlusSerializer."""


class UnreadableValueError(ValueError):
    """Stored bytes are not what JavaScript writes. The message has nothing of the value."""

    code: Final = "unreadable-value"


def loads_json(data: bytes, allowed: AllowedTypes = None, channel: str | None = None) -> Any:
    """Revives a value that JavaScript has stored with the type ``json``.

    Messages, sets, maps, dates, bytes and DeltaSnapshots become Python's own. Of Python's values
    that JavaScript has passed on, those are made again whose class LangGraph's serializer takes
    for safe, or which is in ``allowed``; others stay dicts with their module, name and arguments.
    ``True`` allows no more than ``None``: no module is imported because data names it.

    ``channel`` is the one whose value, or a write to which, is read. LangGraph's own channels hold
    Send and Interrupt, which LangGraph.js stores as plain objects.

    Raises:
        UnreadableValueError: The bytes are not JSON in UTF-8, or nested too deeply.
    """
    return of_channel(channel, _read(data, _double, _refuse, allowed))


def loads_metadata(data: bytes) -> Any:
    """Revives a checkpoint's metadata, which either language may have written as JSON.

    It is as with ``loads_json``, but whole numbers are integers of any size, and there are the
    constants NaN and Infinity, which LangGraph's own saver for SQLite writes.

    Raises:
        UnreadableValueError: The bytes are not JSON in UTF-8, or nested too deeply.
    """
    return _read(data, int, float, None)


def _read(
    data: bytes,
    number: Callable[[str], int | float],
    constant: Callable[[str], object],
    allowed: AllowedTypes,
) -> object:
    try:
        document = json.loads(data.decode(), parse_int=number, parse_constant=constant)
    except RecursionError:
        raise UnreadableValueError("the value is stored nested too deeply to be read") from None
    except ValueError:
        # The errors of json quote what they could not read, which is the user's data.
        what = "is not JSON text in UTF-8; its row is damaged or holds a value of another type"
        raise UnreadableValueError(f"what is stored ({len(data)} bytes) {what}") from None
    return _Reader(_names(allowed)).read(document) if b'"lc"' in data else document


_INT_MIN: Final = -(2**63)
_INT_MAX: Final = 2**64 - 1
"""LangGraph's serializer refuses integers outside of these bounds."""

_DIGITS_MAX: Final = 20

_EXACT_MAX: Final = 2**53
"""JavaScript's numbers are doubles. Beyond this one, their digits are not exact."""


def _integer(text: str) -> int | float:
    """The int that a whole number of 64 bits is; a longer one is a float."""
    number = int(text) if len(text) <= _DIGITS_MAX else None
    return number if number is not None and _INT_MIN <= number <= _INT_MAX else float(text)


def _double(text: str) -> int | float:
    """The int that a whole number is; one that is not exact stays a float."""
    number = _integer(text)
    return number if abs(number) <= _EXACT_MAX else float(text)


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _names(allowed: AllowedTypes) -> frozenset[tuple[str, ...]]:
    if allowed is None or allowed is True:
        return frozenset()
    return frozenset((a.__module__, a.__name__) if isinstance(a, type) else a for a in allowed)


_WRAPPER: Final = "__lc_escaped__"
"""The key under which LangChain wraps a user's data with the key ``lc``, inside of kwargs."""


Put = Callable[[Any, Any], None]
"""Sets the value of a key or index."""

Make = Callable[[], object]


class _Reader:
    """Reads one document without recursion, as JSON may be nested deeper than calls may.

    A *place* is ``"kwargs"`` inside of the kwargs of a message, where LangChain wraps data.
    """

    def __init__(self, allowed: frozenset[tuple[str, ...]]) -> None:
        self._allowed = allowed
        self._waiting: list[tuple[Fields | list[Any], str]] = []
        # In the order in which they are met: a nested record comes after the one around it.
        self._remade: list[tuple[Put, object, Make]] = []

    def read(self, document: object) -> object:
        whole = [document]
        self._waiting.append((whole, "data"))
        while self._waiting:
            container, place = self._waiting.pop()
            for key, value in _pairs(container):
                if isinstance(value, dict):
                    self._meet(container.__setitem__, key, value, place)
                elif isinstance(value, list):
                    self._waiting.append((value, place))
        while self._remade:
            put, key, make = self._remade.pop()
            put(key, make())
        return whole[0]

    def _meet(self, put: Put, key: object, value: Fields, place: str) -> None:
        if place == "kwargs" and value.keys() == {_WRAPPER}:
            self._remade.append((put, key, lambda: value[_WRAPPER]))
            wrapped = value[_WRAPPER]
            # Wrapped data is the user's, even if it looks like a record.
            visited = wrapped if isinstance(wrapped, dict) else value
            self._waiting.append((visited, "data"))
        elif _is_record(value, 2):
            self._meet_record(put, key, value, place)
        elif _is_record(value, 1) and _is_message(value):
            kwargs = _message_kwargs(value["kwargs"])
            self._remade.append((put, key, lambda: _message(value, kwargs)))
            self._waiting.append((kwargs, "kwargs"))
        else:
            self._waiting.append((value, place))

    def _meet_record(self, put: Put, key: object, record: Fields, place: str) -> None:
        kind = record.get("type")
        if kind == "constructor":
            self._remade.append((put, key, lambda: _constructed(record, self._allowed)))
            self._waiting.append((record, place))
        elif kind == "escaped" and len(record) == 3 and _are_entries(record.get("value")):
            self._remade.append((put, key, lambda: dict(record["value"])))
            self._waiting.append((record["value"], "data"))
        else:
            make = _MAKERS.get(kind) if isinstance(kind, str) else None
            if make is not None:
                self._remade.append((put, key, lambda: make(record)))
            self._waiting.append((record, place))


def _pairs(container: Fields | list[Any]) -> Iterable[tuple[object, object]]:
    return container.items() if isinstance(container, dict) else enumerate(container)


def _is_record(value: Fields, kind: int) -> bool:
    lc = value.get("lc")
    # True is 1 to Python.
    return lc == kind and lc is not True


def _are_entries(value: object) -> bool:
    """Whether a value is the list of pairs that a user's data with the key ``lc`` is kept as."""
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in value
    )


# --- LangChain's messages ---

_MESSAGES: Final = frozenset(
    {
        "AIMessage",
        "AIMessageChunk",
        "ChatMessage",
        "ChatMessageChunk",
        "FunctionMessage",
        "FunctionMessageChunk",
        "HumanMessage",
        "HumanMessageChunk",
        "RemoveMessage",
        "SystemMessage",
        "SystemMessageChunk",
        "ToolMessage",
        "ToolMessageChunk",
    }
)

_TOOL_CALL_KEYS: Final = {
    "tool_calls": ("id",),
    "invalid_tool_calls": ("name", "args", "id", "error"),
    "tool_call_chunks": ("name", "args", "id", "index"),
}
"""Keys that may be missing in JavaScript, and have to be there in Python."""

_UNDEFINED: Final = {"lc": 2, "type": "undefined"}


def _is_message(record: Fields) -> bool:
    name = record.get("id")
    return (
        record.get("type") == "constructor"
        and isinstance(record.get("kwargs"), dict)
        and isinstance(name, list)
        and len(name) >= 3
        and name[:2] == ["langchain_core", "messages"]
        and isinstance(name[-1], str)
        and name[-1] in _MESSAGES
    )


def _message_kwargs(kwargs: Fields) -> Fields:
    """The kwargs without those that are undefined, and without the type, as the class says it."""
    return {key: v for key, v in kwargs.items() if key != "type" and v != _UNDEFINED}


def _message(record: Fields, kwargs: Fields) -> object:
    """The message; the record if the class refuses its kwargs."""
    name = record["id"][-1]
    for field, keys in _TOOL_CALL_KEYS.items():
        calls = kwargs.get(field)
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                call.update((key, None) for key in keys if key not in call)
    given = {k: v for k, v in kwargs.items() if name != "RemoveMessage" or k != "content"}
    try:
        return getattr(import_module("langchain_core.messages"), name)(**given)
    except Exception:
        # The classes raise what their validators run into.
        return {**record, "kwargs": kwargs}


# --- JavaScript's values. Each function returns the record if Python has nothing like it. ---


def _undefined(record: Fields) -> object:
    return None


def _delta_snapshot(record: Fields) -> object:
    if "value" not in record:
        return record
    from langgraph.checkpoint.serde.types import _DeltaSnapshot

    return _DeltaSnapshot(record["value"])


def _number(record: Fields) -> object:
    text = record.get("value")
    known = text in ("NaN", "Infinity", "-Infinity", "-0") and len(record) == 3
    return float(text) if known and isinstance(text, str) else record


_BIGINT: Final = re.compile(r"0|-?[1-9][0-9]{0,19}", re.ASCII)


def _bigint(record: Fields) -> object:
    text = record.get("value")
    if len(record) != 3 or not isinstance(text, str) or not _BIGINT.fullmatch(text):
        return record
    number = int(text)
    return number if _INT_MIN <= number <= _INT_MAX else record


_DATE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3})Z", re.ASCII)


def _date(record: Fields) -> object:
    text = record.get("value")
    match = _DATE.fullmatch(text) if len(record) == 3 and isinstance(text, str) else None
    try:
        return datetime.fromisoformat(f"{match[1]}+00:00") if match else record
    except ValueError:
        return record


def _binary(record: Fields) -> object:
    value = record.get("value")
    if len(record) != 3 or not isinstance(value, list) or len(value) != 2:
        return record
    kind, text = value
    if kind != "Uint8Array" or not isinstance(text, str):
        return record
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return record


_MAKERS: Final[dict[str, Callable[[Fields], object]]] = {
    "undefined": _undefined,
    "delta_snapshot": _delta_snapshot,
    "number": _number,
    "bigint": _bigint,
    "date": _date,
    "binary": _binary,
}


def _constructed(record: Fields, allowed: frozenset[tuple[str, ...]]) -> object:
    path, args = record.get("id"), record.get("args")
    if not isinstance(path, list) or not all(isinstance(name, str) for name in path):
        return record
    if not isinstance(args, list):
        return record
    if len(path) > 1:
        return made_again(record, ".".join(path[:-1]), path[-1], allowed)
    listed = args[0] if len(args) == 1 and isinstance(args[0], list) else None
    if listed is None or record.get("method") not in (None, "from"):
        return record
    if path == ["Uint8Array"]:
        is_byte = [type(byte) is int and 0 <= byte <= 255 for byte in listed]
        return bytes(listed) if all(is_byte) else record
    if record.get("method") is not None:
        return record
    if path == ["Set"]:
        return _set(listed, record)
    return _map(listed, record) if path == ["Map"] else record


def _set(listed: list[Any], record: Fields) -> object:
    try:
        items = {_hashable(item) for item in listed}
    except TypeError:
        return record
    # 1 and True are the same to Python.
    return items if len(items) == len(listed) else record


def _map(listed: list[Any], record: Fields) -> object:
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in listed):
        return record
    try:
        fields = {_hashable(key): value for key, value in listed}
    except TypeError:
        return record
    fits = len(fields) == len(listed) and all(_is_key(key) for key in fields)
    return fields if fits else record


def _hashable(value: object) -> object:
    """A list as a tuple and a set as a frozenset. Raises TypeError for what has no hash."""
    if isinstance(value, list):
        return tuple(_hashable(item) for item in value)
    if isinstance(value, set):
        return frozenset(value)
    hash(value)
    return value


def _is_key(key: object) -> bool:
    """Whether LangGraph's serializer writes a dict's key as what it is."""
    if isinstance(key, tuple):
        return all(_is_key(item) for item in key)
    return key is None or type(key) in (str, int, float, bool, bytes)
