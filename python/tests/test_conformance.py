"""LangGraph's own conformance suite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate

from langgraph_checkpoint_wasm import SqliteSaver

# What is implemented, and how many tests each part has.
BASE = {"put": 17, "put_writes": 10, "get_tuple": 10, "list": 16, "delete_thread": 5}
EXTENDED = {"delete_for_runs": 7, "copy_thread": 8, "prune": 8}


@pytest.mark.parametrize("place", [":memory:", "file"])
def test_the_whole_suite_passes(place: str, tmp_path: Path) -> None:
    counter = iter(range(100))

    @checkpointer_test(name="SqliteSaver")
    async def savers() -> AsyncIterator[SqliteSaver]:
        path = place if place == ":memory:" else tmp_path / f"{next(counter)}.db"
        async with SqliteSaver(path) as saver:
            yield saver

    report = asyncio.run(validate(savers))
    passed = {name: result.tests_passed for name, result in report.results.items()}
    assert passed == BASE | EXTENDED
    assert report.passed_all()
    assert not any(result.tests_failed for result in report.results.values())
