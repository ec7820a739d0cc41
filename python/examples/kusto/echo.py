"""A chatbot that says what it hears, and remembers it."""

import asyncio
import os
from typing import Annotated, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.kusto.aio import AsyncKustoSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages


class State(TypedDict):
    """A conversation."""

    messages: Annotated[list[AnyMessage], add_messages]


def respond(state: State) -> State:
    """Answer the last message."""
    return {"messages": [AIMessage(f"Echo: {state['messages'][-1].text}")]}


builder = StateGraph(State).add_node("respond", respond).add_edge(START, "respond")


async def turn(text: str) -> None:
    """Say something, as a request to a server would: all that is kept is in the store."""
    async with AsyncKustoSaver.from_connection_string(
        cluster_uri=os.environ["KUSTO_CLUSTER_URI"],
        database=os.environ.get("KUSTO_DATABASE", "langgraph"),
    ) as checkpointer:
        await checkpointer.setup()
        app = builder.compile(checkpointer=checkpointer)
        thread: RunnableConfig = {"configurable": {"thread_id": "user-1"}}
        result = await app.ainvoke({"messages": [HumanMessage(text)]}, thread)
        print([message.text for message in result["messages"]])


async def main() -> None:
    """Have a conversation of two turns."""
    await turn("Hello!")
    await turn("Do you remember me?")


asyncio.run(main())
