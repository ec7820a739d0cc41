"""`python -m bench [--quick] [--postgres URL]`: measures; without `--quick` writes the table."""

from __future__ import annotations

import argparse
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

from .deep import deep
from .graphs import graphs
from .postgres import postgres
from .workloads import Row, full, growth, opening, states, tasks

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
BEGIN = "<!-- made by cargo xtask bench --python -->\n"
END = "<!-- end -->\n"
PACKAGES = (
    "langgraph",
    "deepagents",
    "langgraph-checkpoint",
    "langgraph-checkpoint-sqlite",
    "langgraph-checkpoint-postgres",
    "langchain-core",
)

Workload = Callable[[Path, bool], Iterator[Row]]


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--postgres", metavar="URL", help="of a superuser; left out without it")
    options = parser.parse_args()
    quick: bool = options.quick
    workloads: list[Workload] = [states, full, growth, tasks, graphs, deep, opening]
    if options.postgres is not None:
        workloads.append(partial(postgres, options.postgres))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for workload in workloads:
            for row in workload(Path(folder), quick):
                rows.append(row)
                print(_cells(row), flush=True)
    if not quick:
        _publish(rows)


def _publish(rows: Sequence[Row]) -> None:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    machine = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    head = ["what", "size", "stock", "ours", "target", "measured", ""]
    table = [head, ["---", "---", "---:", "---:", "---", "---:", "---"], *map(_cells, rows)]
    lines = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest[rest.index(END) :]
    DOCUMENT.write_text(f"{before}{BEGIN}{versions}; {machine}.\n\n{lines}\n{after}")


def _cells(row: Row) -> list[str]:
    ratio = row.ratio
    targets, measured = [], []
    if row.at_least is not None and ratio is not None:
        targets.append(f"at least {row.at_least:.3g}x")
        measured.append(f"{ratio:.3g}x")
    if row.at_most is not None:
        targets.append(f"at most {_shown(row.at_most, row.unit)}")
        measured.append(_shown(row.ours, row.unit))
    if not targets and ratio is not None:
        measured.append(f"{ratio:.3g}x")
    verdict = ("met" if row.is_met else "**missed**") if targets else ""
    stock = "" if row.stock is None else _shown(row.stock, row.unit)
    ours = _shown(row.ours, row.unit)
    return [row.what, row.size, stock, ours, ", ".join(targets), ", ".join(measured), verdict]


def _shown(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{number}{unit}" if unit == "/s" else f"{number} {unit}"


main()
