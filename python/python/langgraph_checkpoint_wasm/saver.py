"""LangGraph's checkpointer on a store of the extension."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from typing_extensions import Self

from ._convert import Converter, check_serde, conditions, config_of
from ._core import Call, Store
from ._running import start
from .errors import InvalidInputError

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.serde.base import SerializerProtocol


CACHE_BYTES = 48 * 1024 * 1024
"""How much memory a saver may use for the values that it stored and read last."""


class Saver(BaseCheckpointSaver[Any]):
    """What the savers of all stores have in common.

    The methods may be called on any thread, and the `a...` methods in any event loop, which they
    never block. A call that returned is committed. Calls that are under way at the same time may
    take effect in any order; a call whose task is cancelled may still take effect, as a whole.
    """

    _store: Store
    # What the errors of calls go through.
    _raising: AbstractContextManager[None] = nullcontext()

    def __init__(
        self,
        *,
        serde: SerializerProtocol | None,
        cache_bytes: int,
        unknown: Mapping[str, object],
    ) -> None:
        """Check what the savers of all stores take. Each opens its store itself."""
        for name in unknown:
            raise InvalidInputError(
                f"there is no option {name}; help({type(self).__name__}) shows all",
                "unknown-option",
            )
        check_serde(serde)
        if isinstance(cache_bytes, bool) or not isinstance(cache_bytes, int) or cache_bytes < 0:
            raise InvalidInputError(
                "the option cache_bytes has to be a number of bytes, not negative", "invalid-option"
            )
        super().__init__(serde=serde)
        self._converter_of_serde = Converter(self.serde, cache_bytes)

    def setup(self) -> Awaitable[None]:
        """Create the tables now; otherwise the first call does.

        In an event loop, await what this returns.
        """
        return self._run(Call.setup())

    def close(self) -> None:
        """Close the store after the calls under way. Later calls are refused."""
        self._store.close()

    async def aclose(self) -> None:
        """Close the store without blocking the event loop."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        """Return this saver, which has to be open."""
        with self._raising:
            self._store.check_open()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the saver."""
        self.close()

    async def __aenter__(self) -> Self:
        """Return this saver, which has to be open."""
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the saver."""
        await self.aclose()

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that the config names, or the latest; `None` if there is none."""
        with self._raising:
            converter = self._converter
            found = self._store.run(Call.get_tuple(config, converter.memory))
            return None if found is None else converter.checkpoint_tuple(found)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that the config names, or the latest; `None` if there is none."""
        with self._raising:
            converter = self._converter
            found = await start(self._store, Call.get_tuple(config, converter.memory))
            return None if found is None else converter.checkpoint_tuple(found)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Return checkpoints, newest first, and read them in pages as they are asked for.

        Nothing stays open between two pages.
        """
        with self._raising:
            wanted, resume = conditions(filter), None
            while True:
                call = Call.list(config, before, wanted, limit, resume)
                tuples, resume = self._store.run(call)
                for found in tuples:
                    yield self._converter.checkpoint_tuple(found)
                if resume is None:
                    return

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Return checkpoints, newest first, and read them in pages as they are asked for.

        Nothing stays open between two pages.
        """
        with self._raising:
            wanted, resume = conditions(filter), None
            while True:
                call = Call.list(config, before, wanted, limit, resume)
                tuples, resume = await start(self._store, call)
                for found in tuples:
                    yield self._converter.checkpoint_tuple(found)
                if resume is None:
                    return

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint. Return its config."""
        with self._raising:
            call = self._converter.put(config, checkpoint, metadata, new_versions)
            return config_of(*self._store.run(call))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint. Return its config."""
        with self._raising:
            call = self._converter.put(config, checkpoint, metadata, new_versions)
            return config_of(*await start(self._store, call))

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store the writes of a task, as pairs of a channel and a value."""
        with self._raising:
            self._store.run(self._converter.put_writes(config, writes, task_id, task_path))

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store the writes of a task, as pairs of a channel and a value."""
        with self._raising:
            call = self._converter.put_writes(config, writes, task_id, task_path)
            await start(self._store, call)

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything of a thread, in all namespaces."""
        with self._raising:
            self._store.run(Call.delete_thread(thread_id, self._converter.memory))

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete everything of a thread, in all namespaces."""
        with self._raising:
            await start(self._store, Call.delete_thread(thread_id, self._converter.memory))

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return the writes to delta channels since their last value."""
        with self._raising:
            converter = self._converter
            call = Call.get_delta_channel_history(config, channels, converter.memory)
            return converter.histories(self._store.run(call))

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return the writes to delta channels since their last value."""
        with self._raising:
            converter = self._converter
            call = Call.get_delta_channel_history(config, channels, converter.memory)
            return converter.histories(await start(self._store, call))

    def get_next_version(self, current: str | float | None, channel: None) -> str | int:
        """Return the version after a channel's current one.

        Versions are text, as of LangGraph's other savers in Python. Where a thread has numbers, as
        JavaScript writes, they stay numbers.
        """
        if isinstance(current, (int, float)):
            return int(current) + 1
        number = 0 if current is None else int(current.split(".")[0])
        return f"{number + 1:032}.{random.random():016}"

    def _run(self, call: Call[None]) -> Awaitable[None]:
        """Run a call, or start it if this is an event loop's thread."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            return asyncio.ensure_future(self._awaited(call))
        with self._raising:
            self._store.run(call)
        return _Done()

    async def _awaited(self, call: Call[None]) -> None:
        with self._raising:
            await start(self._store, call)

    @property
    def _converter(self) -> Converter:
        converter = self._converter_of_serde
        if not converter.is_of(self.serde):
            # `with_allowlist` gave a copy of a saver another serializer, which may read values
            # differently, or a program replaced a method.
            converter = Converter(self.serde, converter.cache_bytes)
            self._converter_of_serde = converter
        return converter


class _Done:
    """An awaitable that is done."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield
