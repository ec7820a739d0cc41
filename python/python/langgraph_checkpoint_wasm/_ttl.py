"""The option `ttl`: idle threads that expire by themselves."""

from __future__ import annotations

import atexit
import logging
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from .errors import CheckpointError, InvalidInputError

if TYPE_CHECKING:
    from ._lifecycle import LifecycleSaver

_FIRST_SECONDS = 60.0
"""How long after its start a sweeper sweeps first, unless its interval is shorter."""

_MINUTES_MAX = 35_000
"""The longest interval, which is about as long as in JavaScript."""

_logger = logging.getLogger("langgraph_checkpoint_wasm")


class _Required(TypedDict):
    default_ttl: float
    """Minutes since the newest checkpoint of a thread, after which it expires."""


class TTLConfig(_Required, total=False):
    """Which idle threads expire by themselves, in the words of LangGraph's platform."""

    strategy: Literal["delete", "keep_latest"]
    """What happens then. `"delete"` by default."""
    sweep_interval_minutes: float
    """Minutes between two sweeps of a store, which all its processes have to agree on: 5."""
    sweep_limit: int
    """How many threads one sweep may prune: 1,000 by default."""


class Ttl(NamedTuple):
    """The option, checked, with its defaults. Times are in seconds."""

    idle_for: float
    strategy: str
    interval: float
    limit: int

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Ttl:
        """Check the option. Errors name what is wrong."""
        if not isinstance(given, Mapping):
            raise _refused("ttl", "a dict with default_ttl, or None")
        for name in given:
            if name not in TTLConfig.__required_keys__ | TTLConfig.__optional_keys__:
                message = f"there is no option ttl[{name!r}]; help(TTLConfig) shows all"
                raise InvalidInputError(message, "unknown-option")
        strategy = given.get("strategy", "delete")
        if strategy not in ("delete", "keep_latest"):
            raise _refused("ttl['strategy']", '"delete" or "keep_latest"')
        limit = given.get("sweep_limit", 1000)
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise _refused("ttl['sweep_limit']", "a number of threads, from 1")
        return cls(
            60 * _minutes("default_ttl", given.get("default_ttl"), 0.01, 1e9),
            strategy,
            60 * _minutes("sweep_interval_minutes", given.get("sweep_interval_minutes", 5), 0.01),
            limit,
        )


class Sweeper:
    """A thread that sweeps again and again, until it is stopped or its saver is gone.

    It keeps neither its saver nor the process alive.
    """

    def __init__(self, saver: LifecycleSaver, ttl: Ttl, *, first: float = _FIRST_SECONDS) -> None:
        """Start it. The first sweep is after so many seconds."""
        self._stopped = threading.Event()
        arguments = (weakref.ref(saver), ttl, min(first, ttl.interval), self._stopped)
        self._thread = threading.Thread(
            target=_sweeps, args=arguments, name="langgraph_checkpoint_wasm sweeper", daemon=True
        )
        self._thread.start()
        # A thread that is in the extension when the interpreter ends cannot come back.
        atexit.register(_stop, weakref.ref(self))

    def stop(self) -> None:
        """Stop: a sweep under way ends before its next thread. Waits for that."""
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join()


def _sweeps(
    saver: weakref.ref[LifecycleSaver], ttl: Ttl, wait: float, stopped: threading.Event
) -> None:
    has_failed = False
    while not stopped.wait(wait):
        wait = ttl.interval
        has_failed = _once(saver(), ttl, stopped.is_set, has_failed)
        if saver() is None:
            return


def _once(
    saver: LifecycleSaver | None, ttl: Ttl, is_stopped: Callable[[], bool], has_failed: bool
) -> bool:
    """Make a sweep, and return whether it failed. What goes on failing is said once."""
    if saver is None:
        return has_failed
    try:
        saver._sweep(ttl, is_stopped)
    except Exception as error:
        if not has_failed and not is_stopped():
            # Only errors of ours are known to have no secret in their text.
            why = (
                f"{error.code}: {error}"
                if isinstance(error, CheckpointError)
                else type(error).__name__
            )
            _logger.warning("a sweep of idle threads failed: %s", why)
        return True
    return False


def _stop(sweeper: weakref.ref[Sweeper]) -> None:
    if (found := sweeper()) is not None:
        found.stop()


def _minutes(name: str, value: object, least: float, most: float = _MINUTES_MAX) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:  # type: ignore[operator]
        raise _refused(f"ttl['{name}']", f"a number of minutes, from {least} to {most:.0f}")
    return float(value)  # type: ignore[arg-type]


def _refused(name: str, what: str) -> InvalidInputError:
    return InvalidInputError(f"the option {name} has to be {what}", "invalid-option")
