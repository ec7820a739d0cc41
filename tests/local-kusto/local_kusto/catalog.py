"""What a database has besides rows: tables, policies, mappings, functions, views."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from .errors import entity_not_found

#: KQL type to the type that DuckDB stores.
STORED_TYPES = {
    "bool": "BOOLEAN",
    "boolean": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "date": "TIMESTAMP",
    "decimal": "DECIMAL(38,9)",
    "double": "DOUBLE",
    "dynamic": "JSON",
    "guid": "UUID",
    "int": "INTEGER",
    "long": "BIGINT",
    "real": "DOUBLE",
    "string": "VARCHAR",
    "timespan": "INTERVAL",
    "time": "INTERVAL",
}
#: KQL type to its name in `.NET` and in version 1 of the protocol.
DATA_TYPES = {
    "bool": "SByte",
    "datetime": "DateTime",
    "decimal": "SqlDecimal",
    "dynamic": "Object",
    "guid": "Guid",
    "int": "Int32",
    "long": "Int64",
    "real": "Double",
    "string": "String",
    "timespan": "TimeSpan",
}
_CANONICAL = {"boolean": "bool", "date": "datetime", "double": "real", "time": "timespan"}


def canonical_type(name: str) -> str:
    """The name that Kusto reports for a type."""
    return _CANONICAL.get(name, name)


@dataclass
class Table:
    """A table."""

    name: str
    columns: dict[str, str]
    folder: str = ""
    docstring: str = ""
    #: Column to its docstring.
    docstrings: dict[str, str] = field(default_factory=dict)
    policies: dict[str, Any] = field(default_factory=dict)
    #: Column to the name of its encoding profile.
    encodings: dict[str, str] = field(default_factory=dict)
    #: Name of a JSON mapping to its entries.
    mappings: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def schema_text(self) -> str:
        """The columns as Kusto writes them in a command."""
        return ",".join(f"{name}:{kind}" for name, kind in self.columns.items())


@dataclass
class Function:
    """A stored function."""

    name: str
    parameters: str
    body: str
    folder: str = ""
    docstring: str = ""

    def definition(self) -> str:
        """The function in the form that duckdb-kql takes."""
        return f"function {self.name}{self.parameters} {self.body}"


@dataclass
class View:
    """A materialized view."""

    name: str
    source: str
    query: str
    columns: dict[str, str]
    #: The columns that its rows are grouped by.
    keys: list[str] = field(default_factory=list)
    folder: str = ""
    docstring: str = ""


@dataclass
class Catalog:
    """Everything of one database."""

    tables: dict[str, Table] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    policies: dict[str, Any] = field(default_factory=dict)

    def table(self, name: str) -> Table:
        """The table. Fails if it does not exist."""
        if name not in self.tables:
            raise entity_not_found("Table", name)
        return self.tables[name]

    def view(self, name: str) -> View:
        """The view. Fails if it does not exist."""
        if name not in self.views:
            raise entity_not_found("MaterializedView", name)
        return self.views[name]

    def schema(self) -> dict[str, list[str]]:
        """The columns of all tables and views, for the translator."""
        schema = {name: list(table.columns) for name, table in self.tables.items()}
        schema.update({name: list(view.columns) for name, view in self.views.items()})
        return schema

    def definitions(self) -> list[str]:
        """The functions, for the translator."""
        return [function.definition() for function in self.functions.values()]

    def signature(self) -> str:
        """A key: catalogs with equal keys give the same SQL for the same KQL."""
        columns = {name: table.columns for name, table in self.tables.items()}
        views = {name: view.columns for name, view in self.views.items()}
        return json.dumps([columns, views, self.definitions()])

    def to_json(self) -> str:
        """The catalog as JSON, for a file."""
        return json.dumps(asdict(self), indent=1)

    @staticmethod
    def from_json(text: str) -> Catalog:
        """The catalog from the JSON of a file."""
        raw = json.loads(text)
        return Catalog(
            tables={name: Table(**value) for name, value in raw["tables"].items()},
            functions={name: Function(**value) for name, value in raw["functions"].items()},
            views={name: View(**value) for name, value in raw["views"].items()},
            policies=raw["policies"],
        )
