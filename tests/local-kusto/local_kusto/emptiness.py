"""Whether a query has no rows because the tables it reads are empty: then it is not run.

Most requests of the checkpointer ask for several levels of chunks, and find none from some level
on. Planning a statement costs DuckDB more than running it, so what is empty is told beforehand.
"""

from __future__ import annotations

import re

from .lexer import tokens

#: Operators that give no rows if they get none. `summarize` without `by` and `count` do.
_ROWWISE = frozenset(
    {
        "distinct",
        "extend",
        "join",
        "limit",
        "lookup",
        "mv",
        "order",
        "project",
        "sort",
        "take",
        "top",
        "where",
    }
)
_JOIN = re.compile(r"join\s+kind\s*=\s*(?:inner|leftsemi)\s+(?:\(\s*)?(?P<right>\w+)\s*\)?\s+on\b")
#: A column that must be among the values of another query, without an alternative.
_AMONG = re.compile(r"\w+\s+in\s*\(\s*(?P<names>\w+)\s*\)")
_OR = re.compile(r"\bor\b")
_UNION = re.compile(r"union\s+(?P<names>\w+(?:\s*,\s*\w+)*)$")


def is_empty(text: str, empty: set[str], lets: dict[str, str]) -> bool:
    """Whether the query has no rows if the tables named in `empty` have none."""
    source, *operators = _parts(text)
    known = _source_is_empty(source, empty, lets)
    for operator in operators:
        words = re.findall(r"\w+", operator[:40])
        rowwise = bool(words) and (words[0] in _ROWWISE or _groups(words[0], operator))
        if any(_source_is_empty(name, empty, lets) for name in _needed(operator)):
            known = True
        elif not rowwise:
            known = False
    return known


def _needed(operator: str) -> list[str]:
    """The queries that must contain every row that an operator passes."""
    joined = _JOIN.match(operator)
    if joined:
        return [joined["right"]]
    bare = "".join('""' if one.kind == "string" else one.text for one in tokens(operator))
    if not bare.startswith("where") or _OR.search(bare):
        return []
    return [match["names"] for match in _AMONG.finditer(bare)]


def _source_is_empty(source: str, empty: set[str], lets: dict[str, str]) -> bool:
    union = _UNION.match(source)
    if union:
        parts = [name.strip() for name in union["names"].split(",")]
        return all(_source_is_empty(name, empty, lets) for name in parts)
    return source in empty or (source in lets and is_empty(lets[source], empty, lets))


def _groups(operator: str, text: str) -> bool:
    return operator == "summarize" and re.search(r"\bby\b", text) is not None


def _parts(text: str) -> list[str]:
    """Splits a text at pipes outside brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens(text):
        if token.kind == "other":
            depth += (token.text in "([{") - (token.text in ")]}")
            if token.text == "|" and depth == 0:
                parts.append([])
                continue
        parts[-1].append(token.text)
    return ["".join(part).strip() for part in parts]
