"""Functions of KQL that duckdb-kql lacks, or translates into SQL that is slow to plan."""

from __future__ import annotations

from duckdb_kql import ir, translate
from duckdb_kql.translate import functions as registry

#: Name, SQL, number of arguments.
_SCALARS = [
    # DuckDB compares strings by their bytes, as Kusto does.
    ("strcmp", "(CASE WHEN {0} < {1} THEN -1 WHEN {0} = {1} THEN 0 ELSE 1 END)", 2),
    # A null in JSON is null, too.
    ("isnull", "({null})", 1),
    ("isnotnull", "(NOT ({null}))", 1),
    # An empty string in JSON is empty, too.
    ("isempty", "(NOT {not_empty})", 1),
    ("isnotempty", "({not_empty})", 1),
    # The bytes of its UTF-8, which DuckDB calls a length of its own.
    ("string_size", "strlen({0})", 1),
]
_NOT_EMPTY = (
    "coalesce(CAST({0} AS VARCHAR), '') <> '' "
    "AND (typeof({0}) <> 'JSON' OR CAST({0} AS VARCHAR) <> '\"\"')"
)
_NULL = "{0} IS NULL OR (typeof({0}) = 'JSON' AND CAST({0} AS VARCHAR) = 'null')"
_AGGREGATES = [
    ("maxif", "max({0}) FILTER (WHERE {1})", 2),
    ("minif", "min({0}) FILTER (WHERE {1})", 2),
]


_static_path = translate._static_path


def _path(steps: tuple[ir.PathStep, ...]) -> str | None:
    """The path to a member of a dynamic value. A path of names is a JSON pointer, because some
    names have a special meaning in the paths that the translator writes."""
    names = [step.name for step in steps if step.name is not None]
    if len(names) < len(steps):
        return _static_path(steps)
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def register() -> None:
    """Adds them to the translator's registry."""
    translate._static_path = _path
    for name, sql, count in _SCALARS:
        template = sql.replace("{not_empty}", _NOT_EMPTY).replace("{null}", _NULL)
        registry.SCALAR_FUNCTIONS[name] = registry.FunctionSpec(
            name, "template", template, (count,)
        )
        # Each takes any type as it is.
        translate._STRING_ARG_POSITIONS.pop(name, None)
    for name, sql, count in _AGGREGATES:
        registry.AGGREGATE_FUNCTIONS[name] = registry.AggregateSpec(name, sql, (count,))
