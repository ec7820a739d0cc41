"""The programs in `examples/kusto` run, on the same cluster as the tests of Kusto."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .test_kusto import CLUSTER, database, pytestmark, tell

__all__ = ["database", "pytestmark"]

PACKAGE = Path(__file__).parents[1]


def run(program: str, database: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(PACKAGE / "python"),
        "KUSTO_CLUSTER_URI": CLUSTER,
        "KUSTO_DATABASE": database,
    }
    command = [sys.executable, str(PACKAGE / "examples" / "kusto" / program)]
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("program", "lines"),
    [
        (
            "checkpoint.py",
            [
                "stored checkpoint-001",
                "found ['Hello', 'Hi there']",
                "listed conversation-1",
                "after deleting: None",
            ],
        ),
        (
            "echo.py",
            [
                "['Hello!', 'Echo: Hello!']",
                "['Hello!', 'Echo: Hello!', 'Do you remember me?', 'Echo: Do you remember me?']",
            ],
        ),
        ("careful_echo.py", ["Echo: Hello!", "Echo: Do you remember me?"]),
    ],
)
def test_a_program_runs(program: str, lines: list[str], database: str) -> None:
    ran = run(program, database)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == lines


def test_the_careful_program_says_what_went_wrong(database: str) -> None:
    tell("settings", database=database, roles=["viewer"])
    ran = run("careful_echo.py", database)
    assert ran.returncode == 1, ran.stderr
    assert "ERROR chatbot: " in ran.stderr
    assert "code: store-forbidden" in ran.stderr
    assert "stored: nothing" in ran.stderr
    assert "Traceback" not in ran.stderr
