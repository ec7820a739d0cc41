"""A desk that refunds orders and asks a person first. It needs no model and no key."""

from typing import Annotated, TypedDict

from langchain_core.messages import AIMessage, AnyMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import interrupt


class State(TypedDict):
    """A conversation about orders."""

    messages: Annotated[list[AnyMessage], add_messages]


def receive(state: State) -> State:
    """Say what was asked for."""
    return {"messages": [AIMessage(f"You ask for a refund: {state['messages'][-1].text}")]}


def decide(state: State) -> State:
    """Wait for a person's answer."""
    approved = interrupt({"question": "Refund it?", "about": state["messages"][-2].text}) == "yes"
    return {"messages": [AIMessage("It is refunded." if approved else "It is not refunded.")]}


graph = (
    StateGraph(State)
    .add_node("receive", receive)
    .add_node("decide", decide)
    .add_edge(START, "receive")
    .add_edge("receive", "decide")
    .compile()
)
