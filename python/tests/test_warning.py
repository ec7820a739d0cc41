"""A saver says that a database has threads of LangGraph's own saver, which it does not read."""

from __future__ import annotations

import asyncio
import sqlite3
import warnings
from pathlib import Path

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver as StockSaver

from langgraph_checkpoint_wasm import SqliteSaver

from .states import config, put


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    """A file of LangGraph's saver with one thread."""
    path = tmp_path / "stock.db"
    connection = sqlite3.connect(path)
    put(StockSaver(connection), value=1)
    connection.close()
    return path


def test_a_saver_on_a_stock_file_warns_once_and_names_the_command(stock: Path) -> None:
    with SqliteSaver(stock) as saver:
        with pytest.warns(UserWarning, match="langgraph-checkpoint-wasm import") as found:
            assert saver.get_tuple(config()) is None
            assert saver.get_tuple(config()) is None
        assert len(found) == 1
        put(saver, thread_id="own", value=1)
    with warnings.catch_warnings(), SqliteSaver(stock) as saver:
        warnings.simplefilter("error")
        assert saver.get_tuple(config()) is None


def test_an_async_call_warns_too(stock: Path) -> None:
    async def run() -> None:
        async with SqliteSaver(stock) as saver:
            assert await saver.aget_tuple(config()) is None

    with pytest.warns(UserWarning, match="langgraph-checkpoint-wasm import"):
        asyncio.run(run())
