"""Python's values that JavaScript has passed on, as records of modules, names and arguments."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from inspect import isclass
from typing import Any, Final

Fields = dict[str, Any]

_PATHS: Final = ("Path", "PosixPath", "WindowsPath")

_SAFE: Final = frozenset(
    (module, name)
    for module, names in {
        "collections": ("deque",),
        "datetime": ("date", "time", "timedelta", "timezone"),
        "decimal": ("Decimal",),
        "ipaddress": (
            "IPv4Address",
            "IPv4Interface",
            "IPv4Network",
            "IPv6Address",
            "IPv6Interface",
            "IPv6Network",
        ),
        "langchain_core.documents.base": ("Document",),
        "langchain_core.messages.base": ("BaseMessage", "BaseMessageChunk"),
        "langgraph.store.base": ("GetOp", "Item"),
        "langgraph.types": (
            "Command",
            "Interrupt",
            "Overwrite",
            "PregelTask",
            "Send",
            "StateSnapshot",
            "TimeoutPolicy",
        ),
        "pathlib": _PATHS,
        "pathlib._local": _PATHS,
        "re": ("compile",),
        "uuid": ("UUID",),
        "zoneinfo": ("ZoneInfo",),
    }.items()
    for name in names
)
"""What LangGraph's serializer takes for safe, except for what JavaScript has itself."""


def made_again(
    record: Fields, module: str, name: str, allowed: frozenset[tuple[str, ...]]
) -> object:
    """The value that a record describes by a class or function and its arguments.

    Gives the record if it is none, or if neither JsonPlusSerializer nor ``allowed`` names the
    class.
    """
    method, args = record.get("method"), record["args"]
    kwargs = record.get("kwargs")
    if not isinstance(kwargs, dict):
        return record
    if (module, name, method) == ("datetime", "datetime", "fromisoformat"):
        return _datetime(args, record)
    if method is not None:
        return record
    if (module, name) == ("numpy", "ndarray"):
        return _array(kwargs, record)
    if (module, name) not in _SAFE and (module, name) not in allowed:
        return record
    return _called(module, name, args, kwargs, record)


def _datetime(args: list[Any], record: Fields) -> object:
    try:
        return datetime.fromisoformat(*args)
    except (TypeError, ValueError):
        return record


def _called(module: str, name: str, args: list[Any], kwargs: Fields, record: Fields) -> object:
    """What an allowed class makes; the record if it is not there or refuses its arguments."""
    try:
        called = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        return record
    if name == "Send" and module == "langgraph.types" and len(args) == 3:
        args, kwargs = args[:2], {"timeout": args[2]}
    try:
        return called(*args, **kwargs)
    except Exception:
        # The class is the user's, and may raise anything. A pydantic model keeps what it has been
        # given even so, as LangGraph's serializer lets it.
        unchecked = getattr(called, "model_construct", None) if isclass(called) else None
        return record if unchecked is None or args else unchecked(**kwargs)


def _array(kwargs: Fields, record: Fields) -> object:
    """A numpy array; the record if there is no numpy, or the arguments make no array."""
    try:
        numpy = import_module("numpy")
        flat = numpy.frombuffer(kwargs["buffer"], dtype=numpy.dtype(kwargs["dtype"]))
        return flat.reshape(kwargs["shape"], order=kwargs["order"])
    except Exception:
        # numpy has an error of its own for each kind of argument that it does not take.
        return record
