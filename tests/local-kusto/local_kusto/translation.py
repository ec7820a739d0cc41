"""KQL to SQL: parses requests and translates statements."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass

import duckdb_kql
from duckdb_kql.errors import KqlError, KqlSchemaError, KqlSyntaxError
from duckdb_kql.stored_functions import ResolvedFunctions, StoredFunction, parse_functions

from .cache import Cache
from .errors import KustoError, semantic, syntax, unsupported
from .functions import register
from .lexer import Token, decode_literal, encode_literal, names, split_statements, tokens
from .parameters import Declaration, read_declarations

_MATERIALIZE = re.compile(r"materialize\s*\((?P<inside>.*)\)$", re.DOTALL)
_LET = re.compile(r"let\s+(?:(?P<name>\w+)|\[\s*['\"](?P<quoted>[^'\"]+)['\"]\s*\])\s*=")

_compiled = Cache()

register()


@dataclass(frozen=True)
class Let:
    """A `let` statement."""

    name: str
    #: The whole statement.
    text: str
    #: The right side.
    value: str

    @property
    def inside_materialize(self) -> str | None:
        """The argument of `materialize(...)`; None if the right side is anything else."""
        match = _MATERIALIZE.match(self.value)
        return match["inside"] if match else None

    @property
    def is_computed(self) -> bool:
        """Whether it is a scalar that needs its own query."""
        return "toscalar" in names(self.value) and not self.is_tabular

    @property
    def is_tabular(self) -> bool:
        """Whether it is a query of rows, by its operators."""
        return _has_pipe(self.value)


@dataclass(frozen=True)
class Request:
    """A parsed request."""

    declarations: list[Declaration]
    lets: list[Let]
    tabular: list[str]
    #: Parameters in places where the translator accepts only literals.
    spliced: frozenset[str]


@dataclass(frozen=True)
class Compiled:
    """A statement for DuckDB."""

    sql: str
    #: Placeholder to the name of the parameter.
    slots: dict[str, str]


@dataclass(frozen=True)
class Surroundings:
    """Names that a statement may refer to."""

    #: Names and types of values to bind.
    declared: dict[str, str]
    #: Names and literals of values to write out.
    literals: dict[str, str]
    lets: list[Let]
    schema: dict[str, list[str]]
    functions: dict[str, StoredFunction]


def canonical(text: str) -> str:
    """The text with strings and names in the form that the translator reads."""
    pieces = [token for token in tokens(text) if token.kind != "comment"]
    result: list[str] = []
    place = 0
    while place < len(pieces):
        token = pieces[place]
        if token.kind == "string":
            result.append(encode_literal(decode_literal(token.text)))
        elif token.text == "kind" and _is_column(pieces, place):
            # This word is reserved in the translator's grammar, and not in Kusto's.
            result.append("['kind']")
        elif token.text == "materialized_view":
            # In Kusto the materialized part may lag; here a view is always complete.
            call = list(itertools.takewhile(lambda piece: piece.text != ")", pieces[place:]))
            name = next((piece for piece in call if piece.kind == "string"), None)
            if name is None:
                raise syntax("materialized_view takes the name of a view")
            result.append(decode_literal(name.text))
            place += len(call)
        else:
            result.append(token.text)
        place += 1
    return "".join(result)


def _is_column(pieces: list[Token], place: int) -> bool:
    """Whether a word is neither a property nor an option as in `join kind=inner`."""
    after = "".join(piece.text for piece in pieces[place + 1 : place + 4]).lstrip()
    before = "".join(piece.text for piece in pieces[max(0, place - 2) : place]).rstrip()
    is_option = after.startswith("=") and not after.startswith(("==", "=~"))
    return not is_option and not before.endswith(".")


def take_apart(text: str) -> Request:
    """The statements of a request, each in the form that the translator reads."""
    declarations: list[Declaration] = []
    lets: list[Let] = []
    tabular: list[str] = []
    for statement in split_statements(text):
        declared = read_declarations(statement)
        let = _LET.match(statement)
        if declared is not None:
            declarations.extend(declared)
        elif let:
            whole, value = canonical(statement), canonical(statement[let.end() :]).strip()
            lets.append(Let(let["name"] or let["quoted"], whole, value))
        elif not re.match(r"(set|alias|restrict|declare)\b", statement):
            tabular.append(canonical(statement))
    if not tabular:
        raise syntax("the query has no tabular expression statement")
    known = {declared.name for declared in declarations}
    texts = [*tabular, *(let.text for let in lets)]
    spliced = frozenset().union(*(_literal_places(part, known) for part in texts))
    return Request(declarations, lets, tabular, spliced)


def _literal_places(text: str, known: set[str]) -> set[str]:
    """Parameters after `take`, `limit` and `top`, and those that name a property."""
    found: set[str] = set()
    before: list[str] = ["", ""]
    for token in tokens(text):
        if token.kind == "space":
            continue
        if token.text in known:
            after_operator = before[1] in ("take", "limit", "top", "sample")
            # `metadata[p]`, and not the list `[p]`.
            names_property = before[1] == "[" and re.match(r"[\w)\]]", before[0][-1:] or " ")
            if after_operator or names_property:
                found.add(token.text)
        before = [before[1], token.text]
    return found


def compile_statement(statement: str, around: Surroundings) -> Compiled:
    """A statement in SQL. Cached, because different requests have most statements in common."""
    text = ";\n".join([*_needed(around.lets, statement), statement])
    text = _among_tables(text, around.schema)
    if around.literals:
        text = "".join(around.literals.get(token.text, token.text) for token in tokens(text))
    used = names(text)
    declared = [f"{name}:{kind}" for name, kind in around.declared.items() if name in used]
    if declared:
        text = f"declare query_parameters({', '.join(declared)});\n{text}"
    # A function reads what its body names, so all tables may matter.
    calls = any(name in used for name in around.functions)
    schema = {
        name: list(columns)
        for name, columns in around.schema.items()
        if calls or name in used or f'"{name}"' in text or f"'{name}'" in text
    }
    bodies = tuple(function.command for function in around.functions.values()) if calls else ()
    key = (text, json.dumps(schema), bodies)
    compiled: Compiled | None = _compiled.find(key)
    if compiled is None:
        compiled = _translate(text, schema, around.functions if calls else {})
        _compiled.keep(key, compiled)
    return compiled


#: `in` and a name in brackets.
_AMONG = re.compile(r"(?<![\w.])(?P<negated>!?)in\s*\(\s*(?P<table>\w+)\s*\)")


def _among_tables(text: str, schema: dict[str, list[str]]) -> str:
    """The text with queries instead of tables used as values: the translator needs queries."""

    def rewritten(match: re.Match[str]) -> str:
        table = match["table"]
        return f"{match['negated']}in (({table} | where true))" if table in schema else match[0]

    runs: list[list[str]] = [[]]
    for token in tokens(text):
        if token.kind == "string":
            runs += [[token.text], []]
        else:
            runs[-1].append(token.text)
    joined = ["".join(run) for run in runs]
    # Every other run is a string.
    return "".join(
        run if place % 2 else _AMONG.sub(rewritten, run) for place, run in enumerate(joined)
    )


def _translate(
    text: str, schema: dict[str, list[str]], functions: dict[str, StoredFunction]
) -> Compiled:
    registry: ResolvedFunctions | None = {None: functions} if functions else None
    try:
        sql = duckdb_kql.to_sql(text, schema=schema, allow_write=False, functions=registry)
    except KqlError as error:
        raise refusal(error) from error
    slots = {one.slot: one.name for one in sql.declarations if one.slot in sql.slots}
    return Compiled(str(sql), slots)


def parsed_functions(definitions: list[str]) -> dict[str, StoredFunction]:
    """Stored functions as the translator takes them."""
    try:
        return (parse_functions(definitions) or {}).get(None, {})
    except ValueError as error:
        raise syntax(str(error)) from error


def refusal(error: KqlError) -> KustoError:
    """The error that Kusto would give, or one that says that Kusto may accept this."""
    first = str(error).splitlines()[0][:500]
    if isinstance(error, KqlSyntaxError):
        return syntax(first)
    if isinstance(error, KqlSchemaError):
        return semantic(first)
    return unsupported(first)


def _needed(lets: list[Let], statement: str) -> list[str]:
    """The `let`s that a statement refers to, in order. The others would only cost time."""
    wanted = names(statement)
    needed = []
    for let in reversed(lets):
        if let.name in wanted:
            wanted |= names(let.value)
            needed.append(let.text)
    return needed[::-1]


def _has_pipe(text: str) -> bool:
    """Whether query operators follow something, outside all brackets."""
    depth = 0
    for token in tokens(text):
        if token.kind == "other":
            depth += (token.text in "([{") - (token.text in ")]}")
            if token.text == "|" and depth == 0:
                return True
    return False
