"""Runs the turns of a deep agent that a file does not have yet: `deep_turns.py PATH TURNS`."""

from __future__ import annotations

import sys
from typing import Any

from langchain_core.messages import HumanMessage

from bench.deep_agent import deep_agent, question
from langgraph_checkpoint_wasm import SqliteSaver

from .states import config


def main(path: str, turns: int) -> None:
    """Print each turn when the model is asked, which is in the middle of it."""
    with SqliteSaver(path) as saver:
        agent = deep_agent(saver, heard=lambda turn: print(turn, flush=True))
        state = agent.get_state(config())
        # `next` leaves out tasks that have ended, whose superstep may not have.
        if state.tasks:
            agent.invoke(None, config())
            state = agent.get_state(config())
        messages: list[Any] = state.values.get("messages", [])
        begun = sum(isinstance(message, HumanMessage) for message in messages)
        for turn in range(begun, turns):
            agent.invoke(question(turn), config())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
