// A deterministic chat model: it stands in for an LLM, reads the conversation and decides.

import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage } from "@langchain/core/messages";

const NIGHTS = 3;

function least(items, key) {
  return items.reduce((best, item) => (item[key] < best[key] ? item : best));
}

function found(messages, name) {
  const result = messages.findLast((message) => message.name === name);
  return result === undefined ? undefined : JSON.parse(result.content);
}

function call(name, args, messages) {
  return { name, args, id: `call_${messages.length}`, type: "tool_call" };
}

/** The answer to a tool's result. */
function report(messages, last) {
  if (last.name === "search_flights") {
    const flights = found(messages, "search_flights");
    const best = least(flights, "price");
    const name = `${best.airline} ${best.id}`;
    return `${flights.length} flights. The cheapest is ${name}: ${best.price} EUR.`;
  }
  if (last.name === "search_hotels") {
    const best = least(found(messages, "search_hotels"), "metresToRiver");
    return `${best.name} is ${best.metresToRiver} m from the river, ${best.perNight} EUR a night.`;
  }
  return `Done. ${last.content}`;
}

/** The tool that finds what a person asks for. */
function search(messages, text) {
  const city = "Lisbon";
  if (/flight/i.test(text)) return { tool: call("search_flights", { city }, messages) };
  return { tool: call("search_hotels", { city }, messages) };
}

/** The answer to a person, or the tool to use. */
function decide(messages, text) {
  if (!/book/i.test(text)) return search(messages, text);
  const flights = found(messages, "search_flights");
  const hotels = found(messages, "search_hotels");
  if (flights === undefined || hotels === undefined) {
    return { text: "First ask me for flights and for a place to stay." };
  }
  const flight = least(flights, /direct/i.test(text) ? "stops" : "price");
  const hotel = least(hotels, /cheap hotel/i.test(text) ? "perNight" : "metresToRiver");
  const total = flight.price + NIGHTS * hotel.perNight;
  const trip = { flight: `${flight.airline} ${flight.id}`, hotel: hotel.name, total };
  return { tool: call("book_trip", trip, messages) };
}

export class LocalModel extends BaseChatModel {
  constructor() {
    super({});
  }

  _llmType() {
    return "local";
  }

  bindTools() {
    return this;
  }

  async _generate(messages) {
    const last = messages[messages.length - 1];
    const decision =
      last.getType() === "tool" ? { text: report(messages, last) } : decide(messages, last.text);
    const message = new AIMessage({
      content: decision.text ?? "",
      tool_calls: decision.tool === undefined ? [] : [decision.tool],
    });
    return { generations: [{ text: message.text, message }] };
  }
}
