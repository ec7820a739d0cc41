"""The calls about whole threads: prune, copy, expire, and what is stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from ._convert import conditions
from ._core import Call
from ._difference import Difference, difference
from ._running import start
from ._ttl import Sweeper, Ttl
from .errors import InvalidInputError
from .saver import Saver

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig


class Progress(NamedTuple):
    """What a call removed or copied; in a dry run, what it would."""

    threads: int
    checkpoints: int
    writes: int
    chunks: int
    bytes: int


class ThreadInfo(NamedTuple):
    """What is known of a thread without reading its state."""

    thread_id: str
    checkpoint_id: str
    """The newest checkpoint."""
    ts: str
    """When it was put, as ISO 8601."""
    metadata: Any
    namespaces: int
    checkpoints: int
    writes: int
    """The number of pending writes."""


class Stats(NamedTuple):
    """What is stored, of one thread or of all, without what the store adds."""

    threads: int
    checkpoints: int
    writes: int
    record_bytes: int
    """The bytes of envelopes and metadata; on Kusto, of records as the table holds them."""
    chunks: int
    chunk_bytes: int


class Problem(NamedTuple):
    """Something that is damaged."""

    thread_id: str
    """The thread; empty if the file of the store is damaged."""
    code: str
    """The code of the error that reading it gives."""
    message: str


class LifecycleSaver(Saver):
    """A saver whose threads can be pruned, copied and listed.

    Other calls run meanwhile: none holds a lock for longer than a batch takes.
    """

    _sweeper: Sweeper | None = None

    def prune(  # type: ignore[override]
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        keep_last: int | None = None,
        newer_than: datetime | None = None,
        dry_run: bool = False,
    ) -> Progress:
        """Remove the older checkpoints of threads, with the values that nothing else needs.

        Kept checkpoints read as before: what their delta channels, their old sends and their
        pending writes need stays. The strategy `"keep_latest"` keeps the newest checkpoint of each
        namespace, or the `keep_last` newest, or those from `newer_than` on; `"delete"` (or
        `"delete_all"`) keeps nothing. A thread that does not exist is no error.
        """
        keep = _keep(strategy, keep_last, newer_than)
        return self._work(("threads", _ids(thread_ids)), keep, None, dry_run)

    async def aprune(  # type: ignore[override]
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        keep_last: int | None = None,
        newer_than: datetime | None = None,
        dry_run: bool = False,
    ) -> Progress:
        """Remove the older checkpoints of threads, as `prune` does."""
        keep = _keep(strategy, keep_last, newer_than)
        return await self._awork(("threads", _ids(thread_ids)), keep, None, dry_run)

    def delete_for_runs(  # type: ignore[override]
        self, run_ids: Sequence[str], *, dry_run: bool = False
    ) -> Progress:
        """Remove the checkpoints of these runs, in all threads.

        A checkpoint's run is the `run_id` of its metadata, into which LangGraph puts the config's.

        A checkpoint that a delta channel of another run is made of stays.
        """
        return self._work(("runs", _ids(run_ids)), ("latest", None), None, dry_run)

    async def adelete_for_runs(  # type: ignore[override]
        self, run_ids: Sequence[str], *, dry_run: bool = False
    ) -> Progress:
        """Remove the checkpoints of these runs, as `delete_for_runs` does."""
        return await self._awork(("runs", _ids(run_ids)), ("latest", None), None, dry_run)

    def expire(
        self,
        idle_for: timedelta,
        *,
        strategy: str = "keep_latest",
        keep_last: int | None = None,
        newer_than: datetime | None = None,
        limit: int | None = None,
        dry_run: bool = False,
    ) -> Progress:
        """Prune at most `limit` threads to which nobody has put a checkpoint for this long."""
        keep = _keep(strategy, keep_last, newer_than)
        return self._work(("idle", _idle(idle_for)), keep, limit, dry_run)

    async def aexpire(
        self,
        idle_for: timedelta,
        *,
        strategy: str = "keep_latest",
        keep_last: int | None = None,
        newer_than: datetime | None = None,
        limit: int | None = None,
        dry_run: bool = False,
    ) -> Progress:
        """Prune idle threads, as `expire` does."""
        keep = _keep(strategy, keep_last, newer_than)
        return await self._awork(("idle", _idle(idle_for)), keep, limit, dry_run)

    def copy_thread(  # type: ignore[override]
        self, source_thread_id: str, target_thread_id: str, *, latest_only: bool = False
    ) -> Progress:
        """Copy a thread: all its namespaces, checkpoints and pending writes, with their ids.

        The copy shares nothing with its source. A target that exists is refused. With
        `latest_only` the copy has only what a prune would keep.
        """
        call = Call.copy_thread(source_thread_id, target_thread_id, latest_only)
        return Progress(*self._do(call)[:-1])

    async def acopy_thread(  # type: ignore[override]
        self, source_thread_id: str, target_thread_id: str, *, latest_only: bool = False
    ) -> Progress:
        """Copy a thread, as `copy_thread` does."""
        call = Call.copy_thread(source_thread_id, target_thread_id, latest_only)
        return Progress(*(await self._ado(call))[:-1])

    def threads(
        self,
        *,
        idle_since: datetime | None = None,
        id_prefix: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        page_size: int = 100,
    ) -> Iterator[ThreadInfo]:
        """Return threads, the one with the newest checkpoint first, without reading a state.

        They are read in pages as they are asked for. `idle_since` selects threads whose newest
        checkpoint was put before that time, `metadata` those whose newest checkpoint has these
        values.
        """
        idle = None if idle_since is None else _iso("idle_since", idle_since)
        wanted = conditions(None if metadata is None else dict(metadata))
        resume: bytes | None = None
        while True:
            call = Call.threads(page_size, idle, id_prefix, wanted, resume)
            found, resume = self._do(call)
            for thread_id, checkpoint_id, ts, payload, *counts in found:
                read = self._converter.metadata(payload)
                yield ThreadInfo(thread_id, checkpoint_id, ts, read, *counts)
            if resume is None:
                return

    def stats(self, thread_id: str | None = None) -> Stats:
        """Count what is stored of a thread, or of all threads."""
        return Stats(*self._do(Call.stats(thread_id)))

    async def astats(self, thread_id: str | None = None) -> Stats:
        """Count what is stored of a thread, or of all threads."""
        return Stats(*await self._ado(Call.stats(thread_id)))

    def verify(self, thread_id: str | None = None) -> list[Problem]:
        """Read everything of a thread, or of all threads. Return what is damaged.

        If all threads are read, SQLite checks its file, too.
        """
        problems: list[Problem] = []
        resume: bytes | None = None
        while True:
            *_, found, resume = self._do(Call.verify(thread_id, resume))
            problems.extend(Problem(*problem) for problem in found)
            if resume is None:
                return problems

    def diff(
        self, config: RunnableConfig, *, before: str | None = None, values: bool = False
    ) -> Difference | None:
        """Return what differs between a checkpoint and an earlier one; `None` if one is missing.

        The config names the checkpoint, and `before` the earlier one of the same namespace, by
        default the parent. Hashes are compared, so what both have is not read. `values` also reads
        the values that differ.
        """
        found = self._do(Call.diff(config, before, values))
        return None if found is None else difference(found, self._converter.load)

    async def adiff(
        self, config: RunnableConfig, *, before: str | None = None, values: bool = False
    ) -> Difference | None:
        """Return what differs between a checkpoint and an earlier one, as `diff` does."""
        found = await self._ado(Call.diff(config, before, values))
        return None if found is None else difference(found, self._converter.load)

    def vacuum(self, *, pages: int | None = None) -> int:
        """Give free pages of a SQLite file back to its file system. Return the bytes.

        At most `pages` pages, mostly of 4 KB, in steps of about 1 MB between which other calls run.
        The file becomes shorter when SQLite next moves its log into it. A file that was made
        without `auto_vacuum = INCREMENTAL` is refused with the code `no-incremental-vacuum`.
        """
        resume: bytes | None = None
        while True:
            *done, resume = self._do(Call.vacuum(pages, resume))
            if resume is None:
                return Progress(*done).bytes

    async def avacuum(self, *, pages: int | None = None) -> int:
        """Give free pages of a SQLite file back, as `vacuum` does."""
        resume: bytes | None = None
        while True:
            *done, resume = await self._ado(Call.vacuum(pages, resume))
            if resume is None:
                return Progress(*done).bytes

    def close(self) -> None:
        """Close the store after the calls under way. Later calls are refused."""
        if self._sweeper is not None:
            self._sweeper.stop()
        super().close()

    def _start_sweeping(self, ttl: Ttl | None) -> None:
        self._sweeper = None if ttl is None else Sweeper(self, ttl)

    def _sweep(
        self,
        ttl: Ttl,
        is_stopped: Callable[[], bool] = lambda: False,
        now: Callable[[], float] = time.time,
    ) -> Progress:
        """Prune the threads that are idle at `now()`, unless another process has the lease."""
        pruned = ("idle", _iso("now", datetime.fromtimestamp(now() - ttl.idle_for, timezone.utc)))
        keep = _keep(ttl.strategy, None, None)
        resume: bytes | None = None
        while True:
            lease = (now() * 1000, ttl.interval * 1000)
            call = Call.prune(pruned, keep, ttl.limit, False, lease, resume)
            *done, resume = self._do(call)
            if resume is None or is_stopped():
                return Progress(*done)

    def _do(self, call: Call[Any]) -> Any:
        with self._raising:
            return self._store.run(call)

    async def _ado(self, call: Call[Any]) -> Any:
        with self._raising:
            return await start(self._store, call)

    def _work(
        self,
        pruned: tuple[str, list[str] | str],
        keep: tuple[str, int | str | None],
        limit: int | None,
        dry_run: bool,
    ) -> Progress:
        resume: bytes | None = None
        while True:
            call = Call.prune(pruned, keep, limit, dry_run, None, resume)
            *done, resume = self._do(call)
            if resume is None:
                return Progress(*done)

    async def _awork(
        self,
        pruned: tuple[str, list[str] | str],
        keep: tuple[str, int | str | None],
        limit: int | None,
        dry_run: bool,
    ) -> Progress:
        resume: bytes | None = None
        while True:
            call = Call.prune(pruned, keep, limit, dry_run, None, resume)
            *done, resume = await self._ado(call)
            if resume is None:
                return Progress(*done)


def _keep(
    strategy: str, keep_last: int | None, newer_than: datetime | None
) -> tuple[str, int | str | None]:
    """Return the rule, as the extension takes it."""
    if strategy in ("delete", "delete_all"):
        if keep_last is not None or newer_than is not None:
            raise _invalid("keep_last and newer_than are for the strategy keep_latest")
        return "nothing", None
    if strategy != "keep_latest":
        raise _invalid('strategy is not "keep_latest" or "delete"')
    if keep_last is not None and newer_than is not None:
        raise _invalid("keep_last and newer_than exclude each other")
    if newer_than is not None:
        return "newer-than", _iso("newer_than", newer_than)
    return ("latest", None) if keep_last is None else ("last", keep_last)


def _ids(given: Sequence[str]) -> list[str]:
    """Return a list of ids. A text alone would be taken for a list of its characters."""
    if isinstance(given, (str, bytes)):
        raise _invalid("the ids are a text; pass a list of ids")
    return list(given)


def _idle(idle_for: timedelta) -> str:
    if not isinstance(idle_for, timedelta) or idle_for < timedelta(0):
        raise _invalid("idle_for is not a timedelta of at least 0")
    return _iso("idle_for", datetime.now(timezone.utc) - idle_for)


def _iso(name: str, time: datetime) -> str:
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise _invalid(f"{name} is not a datetime with a time zone")
    return time.astimezone(timezone.utc).isoformat(timespec="microseconds")


def _invalid(what: str) -> InvalidInputError:
    return InvalidInputError(what, "invalid-argument")
