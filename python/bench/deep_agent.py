"""A deep agent whose model is a script. It keeps messages and files in delta channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepagents import create_deep_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.base import BaseCheckpointSaver

FILES_EVERY = 4
"""One turn of this many changes a file."""
EDITS = 10
"""How many turns change one file."""


class Script(BaseChatModel):
    """Answers the turn that a human message names, with the same each time."""

    heard: Callable[[int], None] | None = None
    """Is told of each turn before the answer."""

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        """Return the script: it knows the tools."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **options: Any,
    ) -> ChatResult:
        last = messages[-1]
        if isinstance(last, HumanMessage):
            turn = int(last.text)
            if self.heard is not None:
                self.heard(turn)
            answer = _answer(turn)
        else:
            answer = AIMessage(f"{last.text} That is all.", id=f"end-{len(messages)}")
        return ChatResult(generations=[ChatGeneration(message=answer)])


def _answer(turn: int) -> AIMessage:
    id = f"answer-{turn}"
    if turn % FILES_EVERY > 0:
        return AIMessage(f"In turn {turn} there is nothing to write down. " * 5, id=id)
    number = turn // FILES_EVERY
    path, line = f"/notes/{number // EDITS}.md", f"turn {turn} ended well\n" * 5
    if number % EDITS == 0:
        name, args = "write_file", {"file_path": path, "content": f"{line}(to be continued)"}
    else:
        name = "edit_file"
        args = {
            "file_path": path,
            "old_string": "(to be continued)",
            "new_string": f"{line}(to be continued)",
        }
    call = {"name": name, "args": args, "id": f"call-{turn}", "type": "tool_call"}
    return AIMessage("", tool_calls=[call], id=id)


def deep_agent(saver: BaseCheckpointSaver[Any], heard: Callable[[int], None] | None = None) -> Any:
    """Return the agent."""
    return create_deep_agent(model=Script(heard=heard), checkpointer=saver)


def question(turn: int) -> dict[str, Any]:
    """Return the input of a turn."""
    return {"messages": [HumanMessage(str(turn), id=f"question-{turn}")]}
