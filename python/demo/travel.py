"""A model that stands in for an LLM, and what its agent can do. The last tool stops for a human."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, tool
from langgraph.types import interrupt

NIGHTS = 3
AIRLINES = ["TAP", "Iberia", "Lufthansa", "Air France", "Vueling", "KLM"]
QUARTERS = ["Alfama", "Baixa", "Belem", "Chiado", "Graca", "Estrela"]


@tool
def search_flights(city: str) -> str:
    """Find flights to a city."""
    return json.dumps(
        [
            {
                "name": f"{AIRLINES[index % len(AIRLINES)]} F{100 + index}",
                "to": city,
                "stops": index % 3,
                "price": 118 + (91 + index * 47) % 230,
            }
            for index in range(96)
        ]
    )


@tool
def search_hotels(city: str) -> str:
    """Find hotels in a city."""
    return json.dumps(
        [
            {
                "name": f"Casa {QUARTERS[index % len(QUARTERS)]} {index + 1}",
                "city": city,
                "metres_to_river": 90 + (600 + index * 137) % 1400,
                "per_night": 74 + (52 + index * 31) % 140,
            }
            for index in range(96)
        ]
    )


@tool
def book_trip(flight: str, hotel: str, total: int) -> str:
    """Book a flight and a hotel. This needs a human's approval."""
    decision = interrupt({"question": f"Book {flight} and {hotel} for {total} EUR?"})
    return f"Booked {flight} and {hotel}. Confirmation LIS-{total}, approved by {decision['by']}."


TOOLS: list[BaseTool] = [search_flights, search_hotels, book_trip]


class LocalModel(BaseChatModel):
    """A deterministic chat model, which reads the conversation and decides."""

    @property
    def _llm_type(self) -> str:
        return "local"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        last = messages[-1]
        message = _report(messages, last) if isinstance(last, ToolMessage) else _decide(messages)
        return ChatResult(generations=[ChatGeneration(message=message)])


def _report(messages: Sequence[BaseMessage], last: ToolMessage) -> AIMessage:
    if last.name == "search_flights":
        best = _least(_found(messages, "search_flights"), "price")
        return AIMessage(f"The cheapest is {best['name']}: {best['price']} EUR.")
    if last.name == "search_hotels":
        best = _least(_found(messages, "search_hotels"), "metres_to_river")
        place = f"{best['name']} is {best['metres_to_river']} m from the river"
        return AIMessage(f"{place}, {best['per_night']} EUR a night.")
    return AIMessage(f"Done. {last.text}")


def _decide(messages: Sequence[BaseMessage]) -> AIMessage:
    asked = messages[-1].text.lower()
    if "book" not in asked:
        name = "search_flights" if "flight" in asked else "search_hotels"
        return _call(messages, name, {"city": "Lisbon"})
    flight = _least(_found(messages, "search_flights"), "stops" if "direct" in asked else "price")
    hotel = _least(
        _found(messages, "search_hotels"),
        "per_night" if "cheap hotel" in asked else "metres_to_river",
    )
    total = flight["price"] + NIGHTS * hotel["per_night"]
    trip = {"flight": flight["name"], "hotel": hotel["name"], "total": total}
    return _call(messages, "book_trip", trip)


def _call(messages: Sequence[BaseMessage], name: str, args: dict[str, Any]) -> AIMessage:
    call = {"name": name, "args": args, "id": f"call_{len(messages)}", "type": "tool_call"}
    return AIMessage("", tool_calls=[call])


def _found(messages: Sequence[BaseMessage], name: str) -> list[dict[str, Any]]:
    results = (message.text for message in reversed(messages) if message.name == name)
    found: list[dict[str, Any]] = json.loads(next(results, "[]"))
    return found


def _least(items: list[dict[str, Any]], key: str) -> dict[str, Any]:
    return min(items, key=lambda item: int(item[key]))
