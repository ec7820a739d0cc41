"""Puts a checkpoint, gets it, finds it, and deletes its thread."""

import asyncio
import os

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint
from langgraph.checkpoint.kusto.aio import AsyncKustoSaver


async def main() -> None:
    """Use the methods that LangGraph calls for a graph."""
    async with AsyncKustoSaver.from_connection_string(
        cluster_uri=os.environ["KUSTO_CLUSTER_URI"],
        database=os.environ.get("KUSTO_DATABASE", "langgraph"),
        batch_size=100,
        flush_interval=30.0,
    ) as checkpointer:
        await checkpointer.setup()

        thread: RunnableConfig = {"configurable": {"thread_id": "conversation-1"}}
        checkpoint: Checkpoint = {
            "v": 1,
            "id": "checkpoint-001",
            "ts": "2026-11-29T12:00:00+00:00",
            "channel_values": {"messages": ["Hello", "Hi there"]},
            "channel_versions": {"messages": 1},
            "versions_seen": {"messages": {1}},  # type: ignore[dict-item]
            "updated_channels": None,
        }
        stored = await checkpointer.aput(
            config=thread,
            checkpoint=checkpoint,
            metadata={"source": "input", "step": 1},
            new_versions={"messages": 1},
        )
        print("stored", stored["configurable"]["checkpoint_id"])
        # With a batch size, rows wait to be sent together. This sends them.
        await checkpointer.flush()

        found = await checkpointer.aget_tuple(thread)
        assert found is not None
        print("found", found.checkpoint["channel_values"]["messages"])
        async for each in checkpointer.alist(None, filter={"source": "input"}):
            print("listed", each.config["configurable"]["thread_id"])

        await checkpointer.adelete_thread("conversation-1")
        print("after deleting:", await checkpointer.aget_tuple(thread))


asyncio.run(main())
