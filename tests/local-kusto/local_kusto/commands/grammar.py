"""The parts of the patterns of commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..catalog import STORED_TYPES, canonical_type
from ..database import Database, RowSet
from ..errors import syntax
from ..lexer import decode_literals, tokens

#: A name, plain or in brackets and quotes.
NAME = r"(?:\[\s*(?:'[^']+'|\"[^\"]+\")\s*\]|[A-Za-z_][\w-]*)"
#: `with (...)`, with nothing nested but strings.
WITH = r"(?:\s+with\s*\((?P<with>(?:'[^']*'|\"[^\"]*\"|[^()'\"])*)\))?"
_PROPERTY = re.compile(r"(?P<name>\w+)\s*=\s*(?P<value>'[^']*'|\"[^\"]*\"|[\w.]+)")
_COLUMN = re.compile(rf"\s*(?P<name>{NAME})\s*:\s*(?P<type>\w+)\s*$")


@dataclass(frozen=True)
class Command:
    """One kind of command."""

    pattern: re.Pattern[str]
    #: The lowest role that may run it.
    role: str
    run: Callable[[Database, re.Match[str]], RowSet]


def command(pattern: str, role: str, run: Callable[[Database, re.Match[str]], RowSet]) -> Command:
    """Declares a command. A single blank in its pattern matches any white space."""
    spaced = pattern.replace(" ", r"\s+")
    return Command(re.compile(spaced, re.DOTALL | re.IGNORECASE), role, run)


def name(text: str) -> str:
    """The name without brackets and quotes."""
    text = text.strip()
    return text[1:-1].strip()[1:-1] if text.startswith("[") else text


def properties(match: re.Match[str]) -> dict[str, str]:
    """The properties of `with (...)`."""
    found = {}
    for one in _PROPERTY.finditer(match["with"] or ""):
        decoded = decode_literals(one["value"])
        found[one["name"].lower()] = one["value"] if decoded is None else decoded
    return found


def columns(text: str) -> dict[str, str]:
    """Parses a list of columns."""
    found: dict[str, str] = {}
    for part in text.split(","):
        match = _COLUMN.match(part)
        if not match or match["type"].lower() not in STORED_TYPES:
            raise syntax("a column is written name:type")
        found[name(match["name"])] = canonical_type(match["type"].lower())
    return found


def literal(text: str) -> str:
    """The text of string literals."""
    decoded = decode_literals(text)
    if decoded is None:
        raise syntax("a string literal is expected")
    return decoded


def head_and_rest(text: str, opening: str, closing: str) -> tuple[str, str]:
    """The text in the brackets at the beginning, and the text after them."""
    depth = 0
    inside: list[str] = []
    pieces = tokens(text.lstrip())
    for token in pieces:
        if token.kind == "other" and token.text == opening:
            depth += 1
        elif token.kind == "other" and token.text == closing:
            depth -= 1
        inside.append(token.text)
        if depth == 0:
            return "".join(inside)[1:-1], "".join(rest.text for rest in pieces)
    raise syntax(f"a {closing} is missing")


def table_of(names: list[str], rows: list[tuple[object, ...]]) -> RowSet:
    """Rows of strings."""
    return RowSet([(one, "string") for one in names], rows)
