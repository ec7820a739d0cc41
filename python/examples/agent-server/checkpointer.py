"""The checkpointer that `langgraph.json` names."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from langgraph_checkpoint_wasm import SqliteSaver


@asynccontextmanager
async def checkpointer() -> AsyncIterator[SqliteSaver]:
    """Give the server a saver until it ends."""
    async with SqliteSaver(os.environ.get("CHECKPOINTS", "checkpoints.db")) as saver:
        yield saver
