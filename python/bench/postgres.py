"""The package's PostgreSQL saver beside LangGraph's own, each in a schema of one server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver as StockSaver
from psycopg import sql
from psycopg.conninfo import make_conninfo

from langgraph_checkpoint_wasm import PostgresSaver

from . import data
from .savers import NAMES, Saver
from .workloads import Row, Times, medians, on_new_threads, timed

SCHEMAS = {"stock": "lg_bench_stock", "ours": "lg_bench_ours"}
ROUNDS = {"3.8 KB": 200, "35 KB": 100, "235 KB": 40}
SUPERSTEP = {"3.8 KB": 1.3, "35 KB": 2.5, "235 KB": 5.0}
WHOLE = {"3.8 KB": 1.5, "35 KB": 1.3, "235 KB": 1.2}
COLD = {"235 KB": 4.0}
WARM = {"235 KB": 20.0}
COLD_ROUNDS_MAX = 30


def postgres(url: str, _folder: Path, quick: bool) -> Iterator[Row]:
    """Yield rows for states of several sizes, on the server of a superuser's connection string."""
    for size, whole in ROUNDS.items():
        rounds = whole // (8 if quick else 1) + 1
        with _schemas(url):
            found = _states(url, data.SIZES[size], rounds)
            for name in NAMES:
                times = [_cold(name, url) for _ in range(min(rounds, COLD_ROUNDS_MAX))]
                found[name]["cold"] = times
        middle = medians(found)
        for what, key, targets in (
            ("PostgreSQL: superstep", "append", SUPERSTEP),
            ("PostgreSQL: `get_tuple`, same process", "warm", WARM),
            ("PostgreSQL: first `get_tuple` of a saver", "cold", COLD),
            ("PostgreSQL: `put` of a whole new state", "whole", WHOLE),
        ):
            yield Row(what, size, "ms", middle[key], targets.get(size))


def _states(url: str, length: int, rounds: int) -> Times:
    with ExitStack() as stack:
        savers = {name: stack.enter_context(_open(name, url)) for name in NAMES}
        return on_new_threads(savers, length, rounds)


def _cold(name: str, url: str) -> float:
    with _open(name, url) as saver:
        # The first call connects.
        saver.get_tuple(data.config("thread-1"))
        return timed(lambda: saver.get_tuple(data.config("thread-0")))


@contextmanager
def _open(name: str, url: str) -> Iterator[Saver]:
    """Open a saver as its documents do, on the schema of its name."""
    if name == "ours":
        with PostgresSaver.from_conn_string(url, schema=SCHEMAS[name]) as ours:
            ours.setup()
            yield ours
    else:
        # It has no option for a schema.
        place = make_conninfo(url, options=f"-csearch_path={SCHEMAS[name]}")
        with StockSaver.from_conn_string(place) as stock:
            stock.setup()
            yield stock


@contextmanager
def _schemas(url: str) -> Iterator[None]:
    """Make the schemas of both savers, and drop them at the end."""
    schemas = [sql.Identifier(schema) for schema in SCHEMAS.values()]
    with psycopg.connect(url, autocommit=True) as admin:
        try:
            for schema in schemas:
                admin.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))
                admin.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
            yield
        finally:
            for schema in schemas:
                admin.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))
