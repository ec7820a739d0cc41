"""How a query runs: shared parts of its statements are computed once, translations are cached.

A translation takes far longer than an execution, so a text is translated when it first comes.
`let`s with `materialize(...)`, and those that are used more than once, become temporary tables for
the time of a request; scalars that take a query of their own become values; other `let`s are
written out where they are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from duckdb_kql.stored_functions import StoredFunction

from .cache import Cache
from .catalog import Catalog
from .emptiness import is_empty
from .lexer import names
from .parameters import encode
from .translation import (
    Compiled,
    Let,
    Request,
    Surroundings,
    compile_statement,
    parsed_functions,
    take_apart,
)


@dataclass
class Step:
    """One statement for DuckDB, and how its rows are used."""

    #: `scalar`: bound under the name. `table`: stored under the name. `result`: returned.
    kind: str
    name: str
    text: str
    #: The `let`s before it that are neither scalars nor tables.
    lets: list[Let]
    compiled: Compiled | None = None
    #: DuckDB's parsed statement; it runs on any database.
    parsed: Any = None
    #: Known after the first run: the type of a scalar; the columns of a table with DuckDB's types,
    #: or of a result with Kusto's.
    type: str = ""
    columns: list[tuple[str, str]] | None = None


class Plan:
    """The steps of a request. Each is translated when it first runs, in order."""

    def __init__(self, request: Request, literals: dict[str, str], catalog: Catalog) -> None:
        self._text = "\n".join([*(let.text for let in request.lets), *request.tabular])
        self.steps: list[Step] = []
        inline: list[Let] = []
        for let in request.lets:
            if let.is_computed:
                text = f"print value = {let.value}"
                self.steps.append(Step("scalar", let.name, text, list(inline)))
            elif let.inside_materialize is not None:
                self.steps.append(Step("table", let.name, let.inside_materialize, list(inline)))
            elif let.is_tabular and _uses(request, let.name) > 1:
                self.steps.append(Step("table", let.name, let.value, list(inline)))
            else:
                inline.append(let)
        self.steps += [Step("result", "", text, inline) for text in request.tabular]
        self._kinds = {one.name: one.kind for one in request.declarations}
        self._literals = literals
        self._schema = catalog.schema()
        self._functions = catalog.definitions()

    def mentions(self, view: str) -> bool:
        """Whether the request, or a stored function, may read a view."""
        return view in self._text or any(view in body for body in self._functions)

    def statement(self, step: Step) -> Compiled:
        """A step in SQL. The steps before it must have run."""
        if step.compiled is None:
            before = self.steps[: self.steps.index(step)]
            scalars = {one.name: one.type for one in before if one.kind == "scalar"}
            tables = {
                one.name: [name for name, _ in one.columns or []]
                for one in before
                if one.kind == "table"
            }
            declared = {**self._kinds, **scalars}
            around = Surroundings(
                {name: kind for name, kind in declared.items() if name not in self._literals},
                self._literals,
                step.lets,
                {**self._schema, **tables},
                _functions(tuple(self._functions)),
            )
            step.compiled = compile_statement(step.text, around)
        return step.compiled

    def gives_nothing(self, step: Step, empty: set[str]) -> bool:
        """Whether a step that has run before has no rows now, because those tables are empty."""
        if step.kind == "scalar" or step.columns is None or not empty:
            return False
        return is_empty(step.text, empty, {let.name: let.value for let in step.lets})


def _uses(request: Request, name: str) -> int:
    """How many statements mention a name."""
    texts = [*(let.value for let in request.lets), *request.tabular]
    return sum(name in names(text) for text in texts)


class Planner:
    """The plans of every database of a server."""

    def __init__(self) -> None:
        self._requests = Cache()
        self._plans = Cache()

    def plan(
        self, text: str, given: dict[str, Any], catalog: Catalog, signature: str
    ) -> tuple[Plan, dict[str, Any]]:
        """The plan of a request, and its parameters' values."""
        request = self._requests.find(text)
        if request is None:
            request = take_apart(text)
            self._requests.keep(text, request)
        values = {one.name: one.value(given) for one in request.declarations}
        literals = {
            one.name: encode(values[one.name], one.kind)
            for one in request.declarations
            if one.name in request.spliced
        }
        key = (signature, text, tuple(sorted(literals.items())))
        plan = self._plans.find(key)
        if plan is None:
            plan = Plan(request, literals, catalog)
            self._plans.keep(key, plan)
        return plan, values


_parsed = Cache()


def _functions(definitions: tuple[str, ...]) -> dict[str, StoredFunction]:
    parsed: dict[str, StoredFunction] | None = _parsed.find(definitions)
    if parsed is None:
        parsed = parsed_functions(list(definitions))
        _parsed.keep(definitions, parsed)
    return parsed
