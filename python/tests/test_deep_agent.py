"""A deep agent, which keeps its messages and files in delta channels, killed and resumed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_checkpoint_wasm import SqliteSaver

from .states import config

pytest.importorskip("deepagents", reason="deepagents needs Python 3.11")

TURNS = 500
# Turns that are killed. The first and the third change a file.
KILLED = [100, 251, 380]


def test_500_turns_that_are_killed_and_resumed_are_the_same_as_in_memory(tmp_path: Path) -> None:
    from bench.deep_agent import deep_agent, question

    path = tmp_path / "checkpoints.db"
    memory = InMemorySaver()
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(run_and_kill, path)
        agent = deep_agent(memory)
        for turn in range(TURNS):
            agent.invoke(question(turn), config())
        killed.result()

    with SqliteSaver(path) as saver:
        expected_ids, ids = ids_of_steps(memory), ids_of_steps(saver)
        assert list(ids) == list(expected_ids)
        steps = sorted(ids)
        other = deep_agent(saver)
        for step in [*steps[::250], *steps[-8:]]:
            found = other.get_state(config(checkpoint_id=ids[step]))
            wanted = agent.get_state(config(checkpoint_id=expected_ids[step]))
            assert snapshot(found) == snapshot(wanted), f"step {step}"
        state = other.get_state(config())
        assert snapshot(state) == snapshot(agent.get_state(config()))
        assert len(state.values["files"]) == 13
        history = [snapshot(each) for each in other.get_state_history(config(), limit=10)]
        assert history == [snapshot(each) for each in agent.get_state_history(config(), limit=10)]


def run_and_kill(path: Path) -> None:
    """Run all turns in processes of their own, of which some are killed."""
    for killed in [*KILLED, None]:
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.deep_turns", str(path), str(TURNS)],
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                if int(line) == killed:
                    process.kill()
        ended = process.wait()
        assert (ended == 0) == (killed is None), f"killed in turn {killed}, ended with {ended}"


def ids_of_steps(saver: Any) -> dict[int, str]:
    """The checkpoint of each step."""
    return {
        found.metadata["step"]: found.config["configurable"]["checkpoint_id"]
        for found in saver.list(config())
    }


def snapshot(state: Any) -> Any:
    """A state without what differs from run to run: ids of tool messages, and times."""
    messages = [
        (message.type, message.content, message.tool_call_id, message.status)
        if isinstance(message, ToolMessage)
        else message
        for message in state.values.get("messages", [])
    ]
    files = {
        path: {name: value for name, value in file.items() if not name.endswith("_at")}
        for path, file in state.values.get("files", {}).items()
    }
    return messages, files, state.next, state.metadata["step"], state.metadata["source"]
