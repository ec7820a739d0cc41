"""One database: its rows in DuckDB, its catalog, one request at a time."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from .cache import Cache
from .catalog import STORED_TYPES, Catalog, Table, View
from .errors import KustoError, semantic, syntax
from .faults import INGESTIONS, Fault
from .plan import Plan, Planner, Step
from .translation import Compiled
from .values import column_type

#: More rows than this go to DuckDB as JSON.
_FEW_ROWS = 10
#: What was parsed of them.
_insertions = Cache()
_READ_AS_TEXT = frozenset({"INTERVAL", "JSON", "UUID"})
_CATALOG_ERRORS = (duckdb.BinderException, duckdb.CatalogException)


@dataclass
class RowSet:
    """The result of a tabular statement."""

    #: Names and KQL types.
    columns: list[tuple[str, str]]
    rows: list[tuple[Any, ...]]


@dataclass
class Held:
    """Rows that were acknowledged and are not visible yet."""

    table: str
    rows: list[list[Any]]
    #: They become visible after this many queries.
    queries: int
    #: They become visible at this moment of the monotonic clock at the latest.
    until: float


class Database:
    """A database. Callers must hold `lock`."""

    def __init__(
        self, name: str, root: duckdb.DuckDBPyConnection, planner: Planner, folder: Path | None
    ) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.catalog = Catalog()
        self.held: list[Held] = []
        self._fault: Fault | None = None
        self._planner = planner
        self._catalog_file = folder / f"{name}.json" if folder else None
        self._cursor = root.cursor()
        path = str(folder / f"{name}.duckdb") if folder else ":memory:"
        self._cursor.execute(f"ATTACH {_quoted_text(path)} AS {quoted(name)}")
        self._cursor.execute(f"USE {quoted(name)}")
        if self._catalog_file and self._catalog_file.exists():
            self.catalog = Catalog.from_json(self._catalog_file.read_text("utf-8"))
        self._signature = self.catalog.signature()
        #: The statements that created the entities of the catalog.
        self._made: list[str] = []
        #: View to the statement that creates it; and those not created yet.
        self._creations: dict[str, str] = {}
        self._unmade: set[str] = set()

    def become(self, template: Database) -> None:
        """Creates everything that another database has, except rows. Views are created when first
        used, because DuckDB is slow to create them."""
        for statement in template._made:
            self.make(statement)
        self._creations = dict(template._creations)
        self._unmade = set(self._creations)
        self.catalog = Catalog.from_json(template.catalog.to_json())
        self.changed()

    def make(self, statement: str) -> None:
        """Runs a statement that creates or drops something."""
        self._cursor.execute(statement)
        self._made.append(statement)

    def close(self) -> None:
        """Closes the database; rows in a file stay there."""
        self.release(everything=True)
        self._cursor.execute("USE memory")
        self._cursor.execute(f"DETACH {quoted(self.name)}")
        self._cursor.close()

    def query(self, text: str, parameters: dict[str, Any]) -> list[RowSet]:
        """The results of a query's tabular statements."""
        plan, values = self._planner.plan(text, parameters, self.catalog, self._signature)
        return self._run(plan, values)

    def query_alone(self, table: Table, text: str) -> RowSet:
        """The result of a query of one table, which need not be in the catalog."""
        catalog = Catalog(tables={table.name: table})
        plan, values = self._planner.plan(text, {}, catalog, catalog.signature())
        return self._run(plan, values)[0]

    def translated(self, text: str, catalog: Catalog | None = None) -> str:
        """The SQL of a query of one statement, without parameters and computed values."""
        catalog = catalog or self.catalog
        plan, _ = self._planner.plan(text, {}, catalog, catalog.signature())
        if len(plan.steps) != 1:
            raise syntax("one tabular statement is expected here")
        return plan.statement(plan.steps[0]).sql

    def _run(self, plan: Plan, values: dict[str, Any]) -> list[RowSet]:
        """Runs the steps of a plan. Intermediate tables disappear with its transaction."""
        stores = any(step.kind == "table" for step in plan.steps)
        results: list[RowSet] = []
        self._make_views(plan)
        if stores:
            self._cursor.execute("BEGIN")
        empty: set[str] = set()
        try:
            for step in plan.steps:
                nothing = plan.gives_nothing(step, empty)
                if step.kind == "table":
                    if self._store(plan, step, values, nothing) == 0:
                        empty.add(step.name)
                elif nothing:
                    results.append(RowSet(step.columns or [], []))
                else:
                    rows = self._rows(plan, step, values)
                    step.columns = rows.columns
                    if step.kind == "result":
                        results.append(rows)
                    else:
                        step.type = step.type or rows.columns[0][1]
                        values[step.name] = rows.rows[0][0]
        except _CATALOG_ERRORS as error:
            raise semantic(_first_line(error)) from error
        except duckdb.Error as error:
            raise KustoError(_first_line(error), kind="QueryExecutionException") from error
        finally:
            if stores:
                self._cursor.execute("ROLLBACK")
        return results

    def _make_views(self, plan: Plan) -> None:
        for name in [name for name in self._unmade if plan.mentions(name)]:
            self.sql(self._creations[name])
            self._unmade.discard(name)

    def _rows(self, plan: Plan, step: Step, values: dict[str, Any]) -> RowSet:
        compiled = plan.statement(step)
        self._run_parsed(step, compiled.sql, _bound(compiled, values))
        columns = [(part[0], column_type(str(part[1]))) for part in self._cursor.description]
        return RowSet(columns, self._cursor.fetchall())

    def _run_parsed(self, step: Step, sql: str, values: dict[str, Any]) -> None:
        """Parses a statement only once: that takes longer than running it on a few rows."""
        if step.parsed is None:
            [step.parsed] = self._cursor.extract_statements(sql)
        self._cursor.execute(step.parsed, values)

    def _store(self, plan: Plan, step: Step, values: dict[str, Any], nothing: bool) -> int:
        """Creates the table of a step. Returns how many rows it has."""
        if nothing:
            columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in step.columns or [])
            self.sql(f"CREATE TEMP TABLE {quoted(step.name)} ({columns})")
            return 0
        compiled = plan.statement(step)
        made = f"CREATE TEMP TABLE {quoted(step.name)} AS {compiled.sql}"
        self._run_parsed(step, made, _bound(compiled, values))
        count: int = self._cursor.fetchall()[0][0]
        if step.columns is None:
            described = self.sql(f"DESCRIBE {quoted(step.name)}")
            step.columns = [(row[0], row[1]) for row in described]
        return count

    def sql(self, text: str, values: Any = None) -> list[tuple[Any, ...]]:
        """Runs this server's own SQL."""
        self._cursor.execute(text, values)
        return self._cursor.fetchall()

    def changed(self) -> None:
        """Must be called after each change of the catalog."""
        self._signature = self.catalog.signature()
        if self._catalog_file:
            self._catalog_file.write_text(self.catalog.to_json(), "utf-8")

    def insert(self, table: str, rows: list[list[Any]]) -> None:
        """Adds rows."""
        if len(rows) > _FEW_ROWS and not any(_has_null_character(row) for row in rows):
            self._insert_many(table, rows)
        elif rows:
            one = f"({','.join('?' * len(rows[0]))})"
            insertion = f"INSERT INTO {quoted(table)} VALUES {','.join([one] * len(rows))}"
            parsed = _insertions.find(insertion)
            if parsed is None:
                [parsed] = self._cursor.extract_statements(insertion)
                _insertions.keep(insertion, parsed)
            self._cursor.execute(parsed, [value for row in rows for value in row])

    def _insert_many(self, table: str, rows: list[list[Any]]) -> None:
        """Adds rows as one JSON text: binding single values takes a millisecond for two rows."""
        described = self.sql(f"SELECT column_type FROM (DESCRIBE {quoted(table)})")
        stored = [row[0] for row in described]
        read = ["VARCHAR" if kind in _READ_AS_TEXT else kind for kind in stored]
        form = [{f"c{place}": kind for place, kind in enumerate(read)}]
        records = [{f"c{place}": value for place, value in enumerate(row)} for row in rows]
        columns = ", ".join(f"CAST(r.c{place} AS {kind})" for place, kind in enumerate(stored))
        self._cursor.execute(
            f"INSERT INTO {quoted(table)} SELECT {columns} "
            "FROM (SELECT unnest(from_json(CAST(? AS JSON), ?)) AS r)",
            [json.dumps(records, default=str), json.dumps(form)],
        )

    @contextmanager
    def meeting(self, fault: Fault | None) -> Iterator[None]:
        """Runs one request at a time, with a fault or none."""
        with self.lock:
            self._fault = fault
            try:
                yield
            finally:
                self._fault = None

    def ingest(self, table: str, rows: list[list[Any]]) -> None:
        """Adds rows of a request, as its fault says."""
        fault = self._fault
        if not fault or fault.kind not in INGESTIONS:
            self.insert(table, rows)
        elif fault.kind == "duplicated":
            self.insert(table, rows)
            self.insert(table, rows)
        else:
            at_once = fault.rows if fault.kind == "torn" else 0
            until = math.inf if fault.ms is None else time.monotonic() + fault.ms / 1000
            queries = 1 << 62 if fault.queries is None else fault.queries
            self.insert(table, rows[:at_once])
            self.held.append(Held(table, rows[at_once:], queries, until))

    def release(self, everything: bool = False) -> None:
        """Called before each query: shows the rows whose time has come."""
        if not self.held:
            return
        now = time.monotonic()
        due = [held for held in self.held if everything or held.queries <= 0 or held.until <= now]
        self.held = [held for held in self.held if held not in due]
        for held in self.held:
            held.queries -= 1
        for held in due:
            if held.table in self.catalog.tables:
                self.insert(held.table, held.rows)

    def create_table(self, table: Table) -> None:
        """Adds a table, or the columns that an existing one lacks."""
        existing = self.catalog.tables.get(table.name)
        if existing is None:
            columns = ", ".join(_column(name, kind) for name, kind in table.columns.items())
            self.make(f"CREATE TABLE {quoted(table.name)} ({columns})")
            self.catalog.tables[table.name] = table
        else:
            for name, kind in table.columns.items():
                if name not in existing.columns:
                    self.make(f"ALTER TABLE {quoted(table.name)} ADD COLUMN {_column(name, kind)}")
                    existing.columns[name] = kind
            existing.folder = table.folder or existing.folder
            existing.docstring = table.docstring or existing.docstring
            for view in list(self.catalog.views.values()):
                if view.source == table.name:
                    self.create_view(view)
        self.changed()

    def create_view(self, view: View) -> None:
        """A view over the rows of its source and those it keeps of deleted ones."""
        source = self.catalog.table(view.source)
        kept = quoted(kept_rows(view.name))
        columns = ", ".join(_column(name, kind) for name, kind in source.columns.items())
        self.make(f"CREATE TABLE IF NOT EXISTS {kept} ({columns})")
        given = {row[0] for row in self.sql(f"SELECT column_name FROM (DESCRIBE {kept})")}
        for name, kind in source.columns.items():
            if name not in given:
                self.make(f"ALTER TABLE {kept} ADD COLUMN {_column(name, kind)}")
        translated = self.translated(view.query, Catalog(tables={source.name: source}))
        both = f"FROM (SELECT * FROM {quoted(source.name)} UNION ALL SELECT * FROM {kept})"
        sql = translated.replace(f"FROM {quoted(source.name)}", both)
        creation = f"CREATE OR REPLACE VIEW {quoted(view.name)} AS {sql}"
        self.sql(creation)
        described = self.sql(f"SELECT column_name, column_type FROM (DESCRIBE {quoted(view.name)})")
        view.columns = {name: column_type(kind) for name, kind in described}
        self.catalog.views[view.name] = view
        self._creations[view.name] = creation
        self.changed()

    def keep_for_views(self, table: str, rows: list[int]) -> None:
        """Called before rows of a table are deleted: its views still count them, as in Kusto."""
        for view in self.catalog.views.values():
            if view.source == table:
                kept = quoted(kept_rows(view.name))
                self.sql(f"INSERT INTO {kept} SELECT * FROM {quoted(table)} {AMONG}", [rows])


#: The condition that a row's number is one of the bound ones.
AMONG = "WHERE rowid IN (SELECT unnest(CAST(? AS BIGINT[])))"


def _bound(compiled: Compiled, values: dict[str, Any]) -> dict[str, Any]:
    return {slot: values[name] for slot, name in compiled.slots.items()}


def _has_null_character(row: list[Any]) -> bool:
    return any(isinstance(value, str) and "\0" in value for value in row)


def kept_rows(view: str) -> str:
    """The table of the rows that a view keeps of deleted ones."""
    return f"{view}$kept"


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _quoted_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _column(name: str, kind: str) -> str:
    return f"{quoted(name)} {STORED_TYPES[kind]}"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:500]
