"""The part of KQL's lexical grammar that splitting, binding and escaping need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<comment>//[^\n]*)
  | (?P<string>
        [hH]?(?:
            @"(?:""|[^"\r\n])*"
          | @'(?:''|[^'\r\n])*'
          | ```.*?```
          | ~~~.*?~~~
          | "(?:\\.|[^"\\\r\n])*"
          | '(?:\\.|[^'\\\r\n])*'
        )
    )
  | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
  | (?P<number>[0-9][A-Za-z0-9_.]*)
  | (?P<space>\s+)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPE = re.compile(
    r"\\(?:u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|x(?P<x>[0-9a-fA-F]{2})|(?P<one>.))",
    re.DOTALL,
)
_SINGLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "0": "\0",
}
_ESCAPED = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
)


@dataclass(frozen=True)
class Token:
    """A token. All tokens joined are the text."""

    kind: str
    text: str


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, including comments and white space."""
    for match in _TOKEN.finditer(text):
        yield Token(match.lastgroup or "other", match.group())


def split_statements(text: str) -> list[str]:
    """The statements of a request, split at semicolons outside brackets, without comments."""
    statements: list[str] = []
    pieces: list[str] = []
    depth = 0
    for token in tokens(text):
        if token.kind == "comment":
            continue
        if token.kind == "other":
            depth += (token.text in "([{") - (token.text in ")]}")
            if token.text == ";" and depth == 0:
                statements.append("".join(pieces).strip())
                pieces = []
                continue
        pieces.append(token.text)
    statements.append("".join(pieces).strip())
    return [statement for statement in statements if statement]


def split_script(text: str) -> list[str]:
    """The commands of a script, which blank lines separate, without the comments above them."""
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip():
            blocks[-1].append(line)
        else:
            blocks.append([])
    commands = ("\n".join(block) for block in blocks)
    return [command for command in map(without_leading_comments, commands) if command]


def without_leading_comments(text: str) -> str:
    """The text from its first word on."""
    text = text.strip()
    while text.startswith("//"):
        text = text.partition("\n")[2].strip()
    return text


def names(text: str) -> set[str]:
    """Every name that the text mentions outside strings and comments."""
    return {token.text for token in tokens(text) if token.kind == "name"}


def decode_literal(literal: str) -> str:
    """The value of a string literal."""
    text = literal[1:] if literal[0] in "hH" else literal
    if text.startswith(("```", "~~~")):
        return text[3:-3]
    if text.startswith("@"):
        quote = text[1]
        return text[2:-1].replace(quote * 2, quote)
    return _join_surrogates(_ESCAPE.sub(_unescape, text[1:-1]))


def decode_literals(text: str) -> str | None:
    """The value of a text of only string literals, joined; None for any other text."""
    decoded: list[str] = []
    for token in tokens(text.strip()):
        if token.kind == "string":
            decoded.append(decode_literal(token.text))
        elif token.kind != "space":
            return None
    return "".join(decoded) if decoded else None


def encode_literal(value: str) -> str:
    """A literal for the value, with only the escapes that duckdb-kql decodes."""
    return '"' + value.translate(_ESCAPED) + '"'


def _unescape(match: re.Match[str]) -> str:
    code = match["u"] or match["U"] or match["x"]
    if code:
        return chr(int(code, 16))
    return _SINGLE.get(match["one"], match["one"])


def _join_surrogates(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
