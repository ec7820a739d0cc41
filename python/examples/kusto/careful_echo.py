"""The chatbot of `echo.py` with write-behind, logging, and what to do about errors."""

import asyncio
import logging
import os
import sys
from typing import Annotated, TypedDict

from azure.core.exceptions import AzureError
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.kusto.aio import AsyncKustoSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages

from langgraph_checkpoint_wasm import CheckpointError

log = logging.getLogger("chatbot")


class State(TypedDict):
    """A conversation."""

    messages: Annotated[list[AnyMessage], add_messages]


def respond(state: State) -> State:
    """Answer the last message."""
    return {"messages": [AIMessage(f"Echo: {state['messages'][-1].text}")]}


async def main() -> None:
    """Have a conversation of two turns, and say what went wrong."""
    async with AsyncKustoSaver.from_connection_string(
        cluster_uri=os.environ["KUSTO_CLUSTER_URI"],
        database=os.environ.get("KUSTO_DATABASE", "langgraph"),
        batch_size=100,
        flush_interval=5.0,
        deadline=20.0,
    ) as checkpointer:
        await checkpointer.setup()
        log.info("the table is there")
        builder = StateGraph(State).add_node("respond", respond).add_edge(START, "respond")
        app = builder.compile(checkpointer=checkpointer)
        thread: RunnableConfig = {"configurable": {"thread_id": "user-2"}}
        for text in ("Hello!", "Do you remember me?"):
            result = await app.ainvoke({"messages": [HumanMessage(text)]}, thread)
            # Until this returns, what waits is lost if the process dies.
            await checkpointer.flush()
            log.info("stored %d messages", len(result["messages"]))
            print(result["messages"][-1].text)


logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
try:
    asyncio.run(main())
except CheckpointError as error:
    # Each has a code that stays, and says what is in the store.
    log.error("%s; stored: %s; code: %s", error, error.stored, error.code)
    sys.exit(1)
except AzureError as error:
    # The login, by azure-identity.
    log.error("%s", error)
    sys.exit(2)
