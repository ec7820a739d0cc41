// Whatever an application does, a saver with a cache stores and gives the same as one without.

import { MemorySaver, type SerializerProtocol } from "@langchain/langgraph-checkpoint";
import fc from "fast-check";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { config } from "../support/checkpoints.js";
import { expectSame, expectSameRows, freshOn, quietSerde } from "../support/twins.js";
import { type Event, event, World } from "../support/worlds.js";

const cacheBytes = fc.constantFrom(0, 2_000, 20_000, undefined);
/**
 * LangGraph's reader sets a prototype for the key `__proto__`, and no two reads give the same one.
 */
function stock(): SerializerProtocol {
  const { serde } = new MemorySaver();
  return {
    dumpsTyped: (value) => serde.dumpsTyped(value),
    loadsTyped: (type, data) => {
      const text = typeof data === "string" ? data : new TextDecoder().decode(data);
      return serde.loadsTyped(type, type === "json" ? text.replaceAll("__proto__", "proto") : data);
    },
  };
}

/** Runs the same events in two worlds, and compares everything. */
async function compare(
  [events, others]: readonly [readonly Event[], readonly Event[]],
  cacheBytes: number | undefined,
  toSerde: () => SerializerProtocol,
): Promise<void> {
  const open = (bytes: number | undefined) => {
    return SqliteSaver.fromConnString(":memory:", { serde: toSerde(), cacheBytes: bytes });
  };
  const world = new World(open(cacheBytes), (saver) => freshOn(saver));
  const forgetful = new World(open(0), (saver) => freshOn(saver));
  try {
    // Creates the tables, as some worlds store nothing.
    for (const { saver } of [world, forgetful]) await saver.getTuple(config("t0"));
    for (const [index, one] of events.entries()) {
      const outcome = await world.outcomeOf(one);
      const expected = await forgetful.outcomeOf(others[index] ?? one);
      expectSame(outcome, expected, `the outcomes of event ${index}, ${one.kind},`);
      if (one.kind === "put") expectSameRows(world.saver, forgetful.saver);
    }
    expectSameRows(world.saver, forgetful.saver);
    const fresh = freshOn(world.saver);
    for (const { thread, namespace } of world.places) {
      const at = config(thread, undefined, namespace);
      const expected = await forgetful.saver.getTuple(at);
      expectSame(await world.saver.getTuple(at), expected, "the values remembered");
      expectSame(await fresh.getTuple(at), expected, "the values stored");
    }
  } finally {
    world.saver.close();
    forgetful.saver.close();
  }
}

// Each world needs objects of its own, since it changes them.
const events = fc.clone(fc.array(event, { minLength: 8, maxLength: 30, size: "max" }), 2);

test.each([
  ["its own serializer", quietSerde, 150],
  ["the one of LangGraph", stock, 40],
] as const)("memory_shows_in_nothing_with_%s", async (_, toSerde, numRuns) => {
  await fc.assert(
    fc.asyncProperty(events, cacheBytes, (pair, bytes) => compare(pair, bytes, toSerde)),
    { numRuns, endOnFailure: true },
  );
});
