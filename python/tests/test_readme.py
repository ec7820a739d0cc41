"""The examples of the package's README run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]
README = (PACKAGE / "README.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("at", range(len(EXAMPLES)))
def test_an_example_runs(at: int, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", EXAMPLES[at]],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PACKAGE / "python")},
        capture_output=True,
    )
    assert ran.returncode == 0, ran.stderr.decode()


def test_the_examples_have_strict_types(tmp_path: Path) -> None:
    paths = []
    for at, example in enumerate(EXAMPLES):
        paths.append(tmp_path / f"example_{at}.py")
        paths[-1].write_text(example)
    cache = PACKAGE.parent / "target" / "mypy-of-package"
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, *paths],
        check=False,
        cwd=PACKAGE,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_first_example_prints_what_was_stored(tmp_path: Path) -> None:
    printed = subprocess.check_output(
        [sys.executable, "-c", EXAMPLES[0]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PACKAGE / "python")},
    )
    assert printed == b"['first', 'hello, note 1']\n"
