"""Running calls: on this thread, or for asyncio."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Protocol, TypeVar

from ._core import EventLoop

if TYPE_CHECKING:
    from ._core import Call

T = TypeVar("T")

_event_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, EventLoop] = (
    weakref.WeakKeyDictionary()
)


class Store(Protocol):
    """What a saver needs of a store of the extension."""

    def run(self, call: Call[T]) -> T:
        """Run a call on this thread."""

    def start(self, call: Call[T], event_loop: EventLoop, future: asyncio.Future[T]) -> None:
        """Run a call on another thread."""

    def close(self) -> None:
        """Close the store after the calls under way."""


def start(store: Store, call: Call[T]) -> asyncio.Future[T]:
    """Start a call without blocking the running event loop."""
    python_loop = asyncio.get_running_loop()
    event_loop = _event_loops.get(python_loop)
    if event_loop is None:
        event_loop = _event_loops.setdefault(python_loop, EventLoop())
    future: asyncio.Future[T] = python_loop.create_future()
    store.start(call, event_loop, future)
    return future
