"""`declare query_parameters`, and the values that come with a request."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from duckdb_kql.errors import KqlError
from duckdb_kql.params import coerce, normalize_type

from .errors import KustoError, semantic
from .lexer import Token, decode_literals, encode_literal, tokens

_DECLARE = re.compile(r"\s*declare\s+query_parameters\s*\((?P<list>.*)\)\s*$", re.DOTALL)
_ENTRY = re.compile(r"\s*(?P<name>\w+)\s*:\s*(?P<type>\w+)\s*(?:=\s*(?P<default>.*))?$", re.DOTALL)
_TYPED = re.compile(r"\s*(?P<type>[a-z]+)\s*\((?P<value>.*)\)\s*$", re.DOTALL)


@dataclass(frozen=True)
class Declaration:
    """One declared parameter."""

    name: str
    kind: str
    #: The default as a KQL literal.
    default: str | None

    def value(self, given: dict[str, Any]) -> Any:
        """The value to bind: as given, or else the default."""
        if self.name in given:
            raw = given[self.name]
        elif self.default is not None:
            raw = self.default
        else:
            raise _missing(self.name)
        try:
            return coerce(_read(raw, self.kind), self.kind, self.name)
        except (KqlError, ValueError) as error:
            # The message must not contain the value.
            raise semantic(
                f"the value of query parameter '{self.name}' is no literal of type {self.kind}"
            ) from error


def read_declarations(statement: str) -> list[Declaration] | None:
    """The parameters that a statement declares; None for another statement."""
    match = _DECLARE.match(statement)
    if not match:
        return None
    declarations = []
    for entry in _entries(match["list"]):
        parsed = _ENTRY.match(entry)
        if not parsed:
            raise semantic("a query parameter is declared as name:type")
        try:
            kind = normalize_type(parsed["type"])
        except KqlError as error:
            raise semantic(f"query parameter '{parsed['name']}': {error}") from error
        default = parsed["default"]
        if default is not None and kind == "dynamic":
            raise semantic("a dynamic query parameter cannot have a default")
        declarations.append(Declaration(parsed["name"], kind, default and default.strip()))
    return declarations


def encode(value: Any, kind: str) -> str:
    """A coerced value as a KQL literal, for places where the translator cannot bind a value."""
    if kind == "string":
        return encode_literal(value)
    if kind == "bool":
        return "true" if value else "false"
    if kind in ("int", "long", "real"):
        return str(value)
    return f"{kind}({value})"


def _entries(text: str) -> list[str]:
    """Splits a text at commas outside brackets and strings."""
    entries: list[list[str]] = [[]]
    depth = 0
    token: Token
    for token in tokens(text):
        if token.kind == "other":
            depth += (token.text in "([{") - (token.text in ")]}")
            if token.text == "," and depth == 0:
                entries.append([])
                continue
        if token.kind != "comment":
            entries[-1].append(token.text)
    return [entry for entry in ("".join(pieces) for pieces in entries) if entry.strip()]


def _read(raw: Any, kind: str) -> Any:
    """The Python value of a parameter in JSON: a value, or the text of a KQL literal."""
    if kind == "string":
        if not isinstance(raw, str):
            raise ValueError("a string is expected")
        # A text that is a literal in quotes means the text in the quotes.
        decoded = decode_literals(raw) if raw[:1] in ('"', "'", "@", "h", "H", "`", "~") else None
        return raw if decoded is None else decoded
    if not isinstance(raw, str):
        return json.dumps(raw) if kind == "dynamic" else raw
    inner = _inside(raw, kind)
    if kind == "dynamic":
        return json.dumps(json.loads(inner))
    if kind in ("int", "long"):
        return int(inner, 16) if inner.lower().startswith("0x") else int(inner)
    if kind == "real":
        return float(inner)
    if kind == "bool":
        return {"true": True, "false": False, "1": True, "0": False}[inner.lower()]
    decoded = decode_literals(inner)
    return inner if decoded is None else decoded


def _inside(text: str, kind: str) -> str:
    match = _TYPED.match(text)
    if match:
        try:
            if normalize_type(match["type"]) == kind:
                return match["value"].strip()
        except KqlError:
            pass
    return text.strip()


def _missing(name: str) -> KustoError:
    return KustoError(
        f"Semantic error: query parameter '{name}' has no value",
        code="BadRequest_SemanticError",
        kind="SemanticException",
        inner="SEM0100",
    )
