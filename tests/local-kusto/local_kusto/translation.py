"""KQL to SQL, once for each text: a translation costs far more than its execution."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import duckdb_kql
from duckdb_kql.errors import KqlError, KqlSchemaError, KqlSyntaxError
from duckdb_kql.stored_functions import parse_functions
from duckdb_kql.translate import functions as registry

from .catalog import Catalog
from .errors import KustoError, semantic, syntax, unsupported
from .lexer import Token, decode_literal, encode_literal, names, split_statements, tokens
from .parameters import Declaration, encode, read_declarations

_CACHED_MAX = 4000
_LET = re.compile(r"let\s+(?:(?P<name>\w+)|\[\s*['\"](?P<quoted>[^'\"]+)['\"]\s*\])\s*=")
# The translator has no strcmp. DuckDB compares strings by their bytes, as Kusto does.
registry.SCALAR_FUNCTIONS.setdefault(
    "strcmp",
    registry._f(
        "strcmp",
        "template",
        "(CASE WHEN {0} < {1} THEN -1 WHEN {0} = {1} THEN 0 ELSE 1 END)",
        (2,),
    ),
)


@dataclass(frozen=True)
class Bound:
    """A statement for DuckDB with its values."""

    sql: str
    values: dict[str, Any]


@dataclass(frozen=True)
class _Request:
    """A request's text, taken apart."""

    declarations: list[Declaration]
    lets: list[tuple[str, str]]
    tabular: list[str]
    #: Parameters in places where the translator takes literals alone.
    spliced: frozenset[str]


@dataclass(frozen=True)
class _Compiled:
    sql: str
    #: Placeholder to the name of the parameter.
    slots: dict[str, str]


class _Cache:
    """The most recently used entries, for several threads."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Any) -> Any:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def keep(self, key: Any, value: Any) -> None:
        with self._lock:
            self._entries[key] = value
            while len(self._entries) > _CACHED_MAX:
                self._entries.popitem(last=False)


class Translator:
    """Translates for every database of a server."""

    def __init__(self) -> None:
        self._requests = _Cache()
        self._compiled = _Cache()
        self._functions = _Cache()

    def translate(
        self, text: str, given: dict[str, Any], catalog: Catalog, signature: str
    ) -> list[Bound]:
        """One statement for each tabular statement of the text."""
        request = self._requests.find(text)
        if request is None:
            request = _take_apart(text)
            self._requests.keep(text, request)
        kinds = {declared.name: declared.kind for declared in request.declarations}
        values = {declared.name: declared.value(given) for declared in request.declarations}
        literals = {name: encode(values[name], kinds[name]) for name in request.spliced}
        key = (signature, text, tuple(sorted(literals.items())))
        compiled = self._compiled.find(key)
        if compiled is None:
            functions = self._parsed_functions(catalog, signature)
            compiled = [
                _compile(request, statement, literals, catalog, functions)
                for statement in request.tabular
            ]
            self._compiled.keep(key, compiled)
        return [
            Bound(one.sql, {slot: values[name] for slot, name in one.slots.items()})
            for one in compiled
        ]

    def _parsed_functions(self, catalog: Catalog, signature: str) -> dict[str, Any]:
        parsed = self._functions.find(signature)
        if parsed is None:
            try:
                parsed = (parse_functions(catalog.definitions()) or {}).get(None, {})
            except ValueError as error:
                raise syntax(str(error)) from error
            self._functions.keep(signature, parsed)
        return parsed


def canonical(text: str) -> str:
    """The text with every string in the form that the translator reads, and its own names."""
    pieces = [token for token in tokens(text) if token.kind != "comment"]
    result: list[str] = []
    for place, token in enumerate(pieces):
        if token.kind == "string":
            result.append(encode_literal(decode_literal(token.text)))
        elif token.text == "kind" and _is_column(pieces, place):
            # The translator's grammar keeps this word for itself where Kusto's does not.
            result.append("['kind']")
        else:
            result.append(token.text)
    return "".join(result)


def _is_column(pieces: list[Token], place: int) -> bool:
    """Whether a word is no property, and no option as in `join kind=inner`."""
    after = "".join(piece.text for piece in pieces[place + 1 : place + 4]).lstrip()
    before = "".join(piece.text for piece in pieces[max(0, place - 2) : place]).rstrip()
    is_option = after.startswith("=") and not after.startswith(("==", "=~"))
    return not is_option and not before.endswith(".")


def _take_apart(text: str) -> _Request:
    declarations: list[Declaration] = []
    lets: list[tuple[str, str]] = []
    tabular: list[str] = []
    for statement in split_statements(text):
        declared = read_declarations(statement)
        let = _LET.match(statement)
        if declared is not None:
            declarations.extend(declared)
        elif let:
            lets.append((let["name"] or let["quoted"], canonical(statement)))
        elif not re.match(r"(set|alias|restrict|declare)\b", statement):
            tabular.append(canonical(statement))
    if not tabular:
        raise syntax("the query has no tabular expression statement")
    known = {declared.name for declared in declarations}
    spliced = frozenset().union(*(_literal_places(part, known) for part in tabular))
    spliced = spliced.union(*(_literal_places(part, known) for _, part in lets))
    return _Request(declarations, lets, tabular, spliced)


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


def _compile(
    request: _Request,
    statement: str,
    literals: dict[str, str],
    catalog: Catalog,
    functions: dict[str, Any],
) -> _Compiled:
    lets = _needed(request.lets, statement)
    text = ";\n".join([*lets, statement])
    if literals:
        text = "".join(literals.get(token.text, token.text) for token in tokens(text))
    declared = [one for one in request.declarations if one.name not in literals]
    if declared:
        listed = ", ".join(f"{one.name}:{one.kind}" for one in declared)
        text = f"declare query_parameters({listed});\n{text}"
    try:
        sql = duckdb_kql.to_sql(
            text, schema=catalog.schema(), allow_write=False, functions={None: functions}
        )
    except KqlError as error:
        raise refusal(error) from error
    slots = {one.slot: one.name for one in sql.declarations if one.slot in sql.slots}
    return _Compiled(str(sql), slots)


def refusal(error: KqlError) -> KustoError:
    """What Kusto would say, or that Kusto may well not say it."""
    first = str(error).splitlines()[0][:500]
    if isinstance(error, KqlSyntaxError):
        return syntax(first)
    if isinstance(error, KqlSchemaError):
        return semantic(first)
    return unsupported(first)


def _needed(lets: list[tuple[str, str]], statement: str) -> list[str]:
    """The `let`s that a statement refers to, in order: the others would cost time for nothing."""
    wanted = names(statement)
    needed = []
    for name, text in reversed(lets):
        if name in wanted:
            wanted |= names(text)
            needed.append(text)
    return needed[::-1]
