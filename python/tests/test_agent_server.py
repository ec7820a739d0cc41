"""Agent Server on the example's checkpointer: `langgraph dev`, used over HTTP and killed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import pytest
from langgraph_sdk import get_sync_client

from langgraph_checkpoint_wasm import SqliteSaver

pytest.importorskip("langgraph_api", reason="Agent Server needs Python 3.11")

PACKAGE = Path(__file__).parents[1]
EXAMPLE = PACKAGE / "examples" / "agent-server"
STARTED = "Application started up"


class Server:
    """A server in a folder with the example, and one more graph."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = environment
        self.lines: list[str] = []

    def __enter__(self) -> Any:
        """Start it, and return a client."""
        port = free_port()
        dev = ["dev", "--no-browser", "--no-reload", "--port", str(port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "langgraph_cli", *dev],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(PACKAGE / "python"), **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if STARTED in line:
                break
        else:
            raise AssertionError("".join(self.lines))
        # A pipe that is full would stop the server.
        self.reader = threading.Thread(target=self.lines.extend, args=(self.process.stdout,))
        self.reader.start()
        self.client = get_sync_client(url=f"http://127.0.0.1:{port}")
        return self.client

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Kill it, as a loss of power would."""
        self.process.kill()
        self.process.wait()
        self.client.close()
        self.reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        if exc is not None:
            print("".join(self.lines))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example, with a second graph that has a delta channel."""
    folder = tmp_path / "server"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.db*", ".langgraph_api"))
    shutil.copy(Path(__file__).with_name("growing.py"), folder)
    settings = json.loads((folder / "langgraph.json").read_text())
    settings["graphs"]["growing"] = "./growing.py:graph"
    (folder / "langgraph.json").write_text(json.dumps(settings))
    return folder


def begin(client: Any, thread: str, graph: str) -> None:
    """Make the thread known to the server, which keeps its list of threads in memory."""
    client.threads.create(thread_id=thread, graph_id=graph, if_exists="do_nothing")


def texts(state: Any) -> list[str]:
    return [message["content"] for message in state["values"]["messages"]]


@pytest.mark.parametrize("isolated", ["false", "true"], ids=["one loop", "isolated loops"])
def test_a_thread_is_read_and_resumed_after_its_server_was_killed(
    folder: Path, isolated: str
) -> None:
    thread = str(uuid4())
    question = {"messages": [{"role": "human", "content": "order 7"}]}
    asked = ["order 7", "You ask for a refund: order 7"]
    with Server(folder, BG_JOB_ISOLATED_LOOPS=isolated) as client:
        begin(client, thread, "desk")
        client.runs.wait(thread, "desk", input=question)
        before = client.threads.get_state(thread)
        history = client.threads.get_history(thread)
        assert texts(before) == asked
        assert before["next"] == ["decide"]
        assert len(history) == 3

    with Server(folder, BG_JOB_ISOLATED_LOOPS=isolated) as client:
        begin(client, thread, "desk")
        assert client.threads.get_state(thread) == before
        assert client.threads.get_history(thread) == history
        client.runs.wait(thread, "desk", command={"resume": "yes"})
        after = client.threads.get_state(thread)
        assert texts(after) == [*asked, "It is refunded."]
        assert after["next"] == []

        update = {"messages": [{"role": "human", "content": "order 8"}]}
        at = history[0]["checkpoint"]
        client.threads.update_state(thread, update, checkpoint=at, as_node="receive")
        client.runs.wait(thread, "desk", command={"resume": "no"})
        forked = client.threads.get_state(thread)
        assert texts(forked) == [*asked, "order 8", "It is not refunded."]


def test_a_thread_is_copied_pruned_and_deleted(folder: Path) -> None:
    first, second = str(uuid4()), str(uuid4())
    with Server(folder) as client:
        for thread, turns in ((first, 6), (second, 1)):
            begin(client, thread, "growing")
            for count in range(turns):
                client.runs.wait(thread, "growing", input={"xs": [f"in {count}"]})
        state = client.threads.get_state(first)
        expected = [entry for count in range(6) for entry in (f"in {count}", 2 * count + 1)]
        assert state["values"]["xs"] == expected

        copied = client.threads.copy(first)
        copy = copied["thread_id"]
        copied_state = client.threads.get_state(copy)
        assert copied_state["values"] == state["values"]
        history = client.threads.get_history(first, limit=100)
        copied_history = client.threads.get_history(copy, limit=100)
        assert [each["values"] for each in copied_history] == [each["values"] for each in history]

        client.threads.delete(first)
        client.threads.prune([second], strategy="delete")
        gone = client.threads.search(limit=10)
        assert [each["thread_id"] for each in gone] == [copy]
        client.runs.wait(copy, "growing", input={"xs": ["more"]})
    with SqliteSaver(folder / "checkpoints.db", read_only=True) as saver:
        threads = {found.config["configurable"]["thread_id"] for found in saver.list(None)}
        assert threads == {copy}
