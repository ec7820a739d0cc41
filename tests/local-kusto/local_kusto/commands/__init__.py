"""Management commands: found by their first words, checked against the caller's roles, run."""

from __future__ import annotations

import re
import uuid

from ..database import Database, RowSet
from ..errors import forbidden, syntax
from ..lexer import split_script, without_leading_comments
from . import entities, policies, rows, show
from .grammar import Command

_COMMANDS: list[Command] = [
    *entities.COMMANDS,
    *policies.COMMANDS,
    *rows.COMMANDS,
    *show.COMMANDS,
]
_SCRIPT = re.compile(r"\.execute\s+(?:database\s+)?script\b[^<]*<\|(?P<script>.*)$", re.DOTALL)
#: Each role and the roles that it includes.
_HELD_BY = {
    "admin": {"admin", "table-admin", "user", "viewer", "ingestor"},
    "table-admin": {"table-admin", "user", "viewer", "ingestor"},
    "user": {"user", "viewer"},
    "viewer": {"viewer"},
    "ingestor": {"ingestor"},
}
ROLES = frozenset(_HELD_BY)


def held(roles: frozenset[str]) -> set[str]:
    """The given roles and those that they include."""
    return set().union(*(_HELD_BY[role] for role in roles)) if roles else set()


def execute(database: Database, text: str, roles: frozenset[str]) -> RowSet:
    """Runs a command, or the commands of a script, which blank lines separate."""
    text = without_leading_comments(text)
    script = _SCRIPT.match(text)
    if script:
        if "admin" not in held(roles):
            raise forbidden("the caller", "execute a script")
        return _run_script(database, split_script(script["script"]), roles)
    commands = split_script(text)
    if len(commands) > 1 and all(command.startswith(".") for command in commands):
        return _run_script(database, commands, roles)
    return _run(database, text, roles)


def _run_script(database: Database, commands: list[str], roles: frozenset[str]) -> RowSet:
    columns = ["OperationId", "CommandType", "CommandText", "Result", "Reason"]
    done: list[tuple[str, ...]] = []
    for command in commands:
        _run(database, command, roles)
        kind = command.split("(")[0][1:40].strip()
        done.append((str(uuid.uuid4()), kind, command, "Completed", ""))
    return RowSet([(name, "string") for name in columns], list(done))


def _run(database: Database, text: str, roles: frozenset[str]) -> RowSet:
    for command in _COMMANDS:
        match = command.pattern.match(text)
        if match:
            if command.role not in held(roles):
                raise forbidden("the caller", f"run this command: it needs {command.role}")
            return command.run(database, match)
    raise syntax("this is no command that the local server knows: " + " ".join(text.split()[:4]))
