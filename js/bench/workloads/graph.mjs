// End to end: how much of an agent's time its checkpointer takes.

import { strictEqual } from "node:assert/strict";
import { performance } from "node:perf_hooks";

import {
  Annotation,
  DeltaChannel,
  END,
  MessagesAnnotation,
  messagesDeltaReducer,
  START,
  StateGraph,
} from "@langchain/langgraph";

import { messageOf } from "../data.mjs";
import { inTurns, median, pluck } from "../sampling.mjs";
import { close, open } from "../savers.mjs";

const SEED = 11;
const NODES = ["plan", "act", "answer"];
const METHODS = ["getTuple", "put", "putWrites", "getDeltaChannelHistory"];
const STATES = {
  "messages channel": () => MessagesAnnotation,
  DeltaChannel: () => Annotation.Root({ messages: () => new DeltaChannel(messagesDeltaReducer) }),
};

export async function run(settings) {
  const rows = [];
  for (const kind of Object.keys(STATES)) rows.push(...(await measure(kind, settings)));
  return rows;
}

async function measure(kind, { pathOf, synchronous, quick }) {
  const rounds = quick ? 1 : 3;
  const invocations = 100;
  const names = ["none", "ours", "optIn", ...(quick ? [] : ["stock", "memory"])];
  const once = (name, count) => async (_, round) => {
    const path = pathOf(`graph-${kind.at(0)}-${name}-${count}-${round}`);
    const saver = name === "none" ? undefined : await open(name, path, synchronous);
    const measured = await converse(kind, saver, count);
    if (saver !== undefined) close(saver, path);
    return measured;
  };
  for (const name of names) await once(name, 10)(name, -1);
  const found = await inTurns(names, { rounds }, (name, round) => {
    return once(name, invocations)(name, round);
  });
  const size = `${invocations} invocations, ${kind}`;
  const rows = rowsOf(found, size, [{ of: "ours", atMost: 0.4 }]);
  if (!quick) return rows;
  // In a quick run the stock savers have a shorter conversation, as theirs slow down with its
  // length.
  const few = 20;
  const short = await inTurns(["none", "stock", "memory"], { rounds }, (name, round) => {
    return once(name, few)(name, round);
  });
  return [...rows, ...rowsOf(short, `${few} invocations, ${kind}`, []).slice(0, 1)];
}

function rowsOf(found, size, targets) {
  const { none, ...savers } = pluck(found, "total");
  const without = median(none);
  const shares = Object.fromEntries(
    Object.entries(savers).map(([name, totals]) => [name, totals.map((all) => 1 - without / all)]),
  );
  const row = (what, unit, values, limits = []) => {
    return { workload: "graph", what: `graph: ${what}`, size, unit, values, targets: limits };
  };
  const { none: _, ...inside } = pluck(found, "inside");
  return [
    row("share of the checkpointer", "percent", shares, targets),
    row("all invocations", "ms", { none, ...savers }),
    row("with a call of the saver under way", "ms", inside),
  ];
}

/** Runs a conversation of this many invocations, each with one message in and three out. */
async function converse(kind, saver, invocations) {
  const watch = watched(saver);
  const graph = graphOf(STATES[kind](), saver);
  const config = { configurable: { thread_id: "talk" }, durability: "async" };
  let messages = [];
  const began = performance.now();
  for (let count = 0; count < invocations; count += 1) {
    const input = messageOf(SEED, 4 * count);
    // Without a checkpointer the caller carries the messages along.
    const state = await graph.invoke(
      { messages: saver === undefined ? [...messages, input] : [input] },
      config,
    );
    messages = state.messages;
  }
  const total = performance.now() - began;
  strictEqual(messages.length, 4 * invocations);
  strictEqual(messages.at(-1).content, messageOf(SEED, 4 * invocations - 1).content);
  return { total, inside: watch.time };
}

function graphOf(state, checkpointer) {
  const builder = new StateGraph(state);
  let from = START;
  for (const node of NODES) {
    builder.addNode(node, ({ messages }) => ({ messages: [messageOf(SEED, messages.length)] }));
    builder.addEdge(from, node);
    from = node;
  }
  return builder.addEdge(from, END).compile({ checkpointer });
}

/** Measures the time during which at least one call of the saver is under way. */
function watched(saver) {
  const watch = { time: 0, calls: 0, since: 0 };
  for (const method of saver === undefined ? [] : METHODS) {
    const call = saver[method];
    saver[method] = async (...values) => {
      if (watch.calls === 0) watch.since = performance.now();
      watch.calls += 1;
      try {
        return await call.apply(saver, values);
      } finally {
        watch.calls -= 1;
        if (watch.calls === 0) watch.time += performance.now() - watch.since;
      }
    };
  }
  return watch;
}
