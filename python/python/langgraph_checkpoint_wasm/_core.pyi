from asyncio import Future
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic, Literal, TypeVar, final

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import DeltaChannelHistory

from ._types import Differences, Found, Page, Payload, Threads, Verified, Work

_T = TypeVar("_T")

__all__ = [
    "ENGINE",
    "Call",
    "EventLoop",
    "FoundHistories",
    "Memory",
    "Revival",
    "Store",
    "end",
    "kusto_cluster",
    "open_kusto",
    "open_postgres",
    "open_sqlite",
]

ENGINE: Final[Literal["component", "native"]]

@final
class Call(Generic[_T]):
    @staticmethod
    def setup() -> Call[None]: ...
    @staticmethod
    def flush() -> Call[None]: ...
    @staticmethod
    def get_tuple(config: RunnableConfig | None, memory: Memory) -> Call[Found | None]: ...
    @staticmethod
    def list(
        config: RunnableConfig | None,
        before: RunnableConfig | None,
        conditions: Iterable[tuple[str, str]],
        limit: float | None,
        resume: bytes | None,
    ) -> Call[Page]: ...
    @staticmethod
    def put(
        config: RunnableConfig,
        id: str,
        v: float,
        ts: str,
        channel_versions: Mapping[str, str | int | float],
        channel_values: dict[str, Any],
        rest: dict[str, Any],
        metadata: Payload,
        new_versions: Iterable[str],
        memory: Memory,
        dump: Callable[[str, object], Payload],
    ) -> Call[tuple[str, str, str]]: ...
    @staticmethod
    def put_writes(
        config: RunnableConfig,
        writes: Iterable[tuple[str, Any]],
        task_id: str,
        task_path: str,
        memory: Memory,
        dump: Callable[[str, object], Payload],
    ) -> Call[None]: ...
    @staticmethod
    def delete_thread(thread_id: str, memory: Memory) -> Call[None]: ...
    @staticmethod
    def prune(
        pruned: tuple[str, Iterable[str]],
        keep: tuple[str, int | str | None],
        limit: float | None,
        dry_run: bool,
        lease: tuple[float, float] | None,
        resume: bytes | None,
    ) -> Call[Work]: ...
    @staticmethod
    def copy_thread(source: str, target: str, latest_only: bool) -> Call[Work]: ...
    @staticmethod
    def threads(
        limit: float | None,
        idle_since: str | None,
        id_prefix: str | None,
        conditions: Iterable[tuple[str, str]],
        resume: bytes | None,
    ) -> Call[Threads]: ...
    @staticmethod
    def stats(thread_id: str | None) -> Call[tuple[int, int, int, int, int, int]]: ...
    @staticmethod
    def verify(thread_id: str | None, resume: bytes | None) -> Call[Verified]: ...
    @staticmethod
    def diff(
        config: RunnableConfig, before: str | None, values: bool
    ) -> Call[Differences | None]: ...
    @staticmethod
    def vacuum(pages: float | None, resume: bytes | None) -> Call[Work]: ...
    @staticmethod
    def get_delta_channel_history(
        config: RunnableConfig | None, channels: Iterable[str], memory: Memory
    ) -> Call[FoundHistories]: ...

@final
class EventLoop:
    def __new__(cls) -> EventLoop: ...
    def deliver(self) -> None: ...

@final
class FoundHistories:
    def by_channel(
        self,
        load: Callable[[str, Payload], Any],
        dump: Callable[[str, object], Payload],
    ) -> dict[str, DeltaChannelHistory]: ...

@final
class Memory:
    def __new__(cls, bytes_max: int, tracks: bool, splits: bool) -> Memory: ...

@final
class Revival:
    def values(
        self,
        load: Callable[[str, Payload], Any],
        dump: Callable[[str, object], Payload],
    ) -> dict[str, Any]: ...

@final
class Store:
    def run(self, call: Call[_T]) -> _T: ...
    def start(self, call: Call[_T], event_loop: EventLoop, future: Future[_T]) -> None: ...
    def check_open(self) -> None: ...
    def close(self) -> None: ...

def end() -> None: ...
def kusto_cluster(options: dict[str, Any]) -> tuple[str, bool]: ...
def open_kusto(
    options: dict[str, Any],
    token: Callable[[bool], tuple[str, float | None]] | None,
) -> Store: ...
def open_postgres(options: dict[str, Any]) -> Store: ...
def open_sqlite(path: str, options: dict[str, Any]) -> Store: ...
