"""Running calls for asyncio."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, TypeVar

from ._core import EventLoop

if TYPE_CHECKING:
    from ._core import Call, Store

T = TypeVar("T")

_event_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, EventLoop] = (
    weakref.WeakKeyDictionary()
)


def start(store: Store, call: Call[T]) -> asyncio.Future[T]:
    """Start a call without blocking the running event loop."""
    python_loop = asyncio.get_running_loop()
    event_loop = _event_loops.get(python_loop)
    if event_loop is None:
        event_loop = _event_loops.setdefault(python_loop, EventLoop())
    future: asyncio.Future[T] = python_loop.create_future()
    store.start(call, event_loop, future)
    return future
