"""What the server has: databases, created when first named, and the settings of tests."""

from __future__ import annotations

import collections
import threading
from copy import deepcopy
from pathlib import Path
from typing import Any

import duckdb

from .commands import execute
from .database import Database
from .errors import entity_not_found
from .faults import Plan
from .plan import Planner
from .settings import Settings

#: The key for every database that has no setting or faults of its own.
EVERY = "*"
_LOG_ENTRIES_MAX = 20_000
#: Not a name that a request may use.
_TEMPLATE = "template of databases"
_ADMIN = frozenset({"admin"})


class Cluster:
    """All databases of one server."""

    def __init__(self, folder: Path | None, provision: str | None) -> None:
        self._root = duckdb.connect(":memory:", config={"threads": 2})
        self._root.execute("SET TimeZone='UTC'")
        self._planner = Planner()
        self._folder = folder
        self._provision = provision
        self._lock = threading.Lock()
        self._template: Database | None = None
        self._databases: dict[str, Database] = {}
        self._settings: dict[str, Settings] = {EVERY: Settings()}
        self._plans: dict[str, Plan] = {}
        self.log = RequestLog()

    def database(self, name: str) -> Database:
        """The database. Creates it if it does not exist."""
        found = self._databases.get(name)
        if found is not None:
            return found
        if self.settings(name).absent:
            raise entity_not_found("Database", name)
        return self.create(name, provisioned=True)

    def create(self, name: str, provisioned: bool) -> Database:
        """Makes a database, with or without the tables of `--provision`."""
        with self._lock:
            if name in self._databases:
                return self._databases[name]
            database = Database(name, self._root, self._planner, self._folder)
            if provisioned and self._provision and not database.catalog.tables:
                try:
                    self._prepare(database, self._provision)
                except BaseException:
                    database.close()
                    raise
            self._databases[name] = database
            return database

    def _prepare(self, database: Database, provision: str) -> None:
        """Runs the commands on the first database, and copies the result for the others."""
        if self._template:
            database.become(self._template)
            return
        execute(database, provision, _ADMIN)
        if not self._folder:
            self._template = Database(_TEMPLATE, self._root, self._planner, None)
            self._template.become(database)

    def drop(self, name: str) -> None:
        """Drops a database."""
        with self._lock:
            database = self._databases.pop(name, None)
            self._settings.pop(name, None) if name != EVERY else None
            self._plans.pop(name, None)
        if database:
            with database.lock:
                database.close()

    def close(self) -> None:
        """Closes all databases."""
        for name in list(self._databases):
            self.drop(name)

    def settings(self, name: str) -> Settings:
        """The settings of a database."""
        return self._settings.get(name) or self._settings[EVERY]

    def set(self, name: str, raw: dict[str, Any]) -> Settings:
        """Changes the settings of a database."""
        with self._lock:
            settings = deepcopy(self.settings(name))
            settings.update(raw)
            self._settings[name] = settings
            return settings

    def plan(self, name: str) -> Plan | None:
        """The faults of a database."""
        return self._plans.get(name) or self._plans.get(EVERY)

    def set_plan(self, name: str, raw: dict[str, Any] | None) -> None:
        """Sets or removes the faults of a database."""
        plan = Plan(raw) if raw is not None else None
        with self._lock:
            if plan:
                self._plans[name] = plan
            else:
                self._plans.pop(name, None)


class RequestLog:
    """A log of requests; the oldest are dropped when there are very many."""

    def __init__(self) -> None:
        self._entries: collections.deque[dict[str, Any]] = collections.deque(
            maxlen=_LOG_ENTRIES_MAX
        )
        self._lock = threading.Lock()
        self._count = 0

    def add(self, entry: dict[str, Any]) -> None:
        """Numbers an entry and stores it."""
        with self._lock:
            self._count += 1
            self._entries.append({"number": self._count, **entry})

    def entries(self, database: str | None, after: int) -> list[dict[str, Any]]:
        """The entries of a database, or all entries, after a number."""
        with self._lock:
            return [
                entry
                for entry in self._entries
                if entry["number"] > after and database in (None, entry["database"])
            ]

    def clear(self, database: str | None) -> None:
        """Removes the entries of a database, or all entries."""
        with self._lock:
            kept = [one for one in self._entries if database not in (None, one["database"])]
            self._entries.clear()
            self._entries.extend(kept)
