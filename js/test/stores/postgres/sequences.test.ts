// Whatever an application does, PostgreSQL stores and gives the same as SQLite.

import fc from "fast-check";

import type { PostgresSaver } from "../../../src/entries/postgres.js";
import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { digestOf } from "../../../src/testing/rows.js";
import { config } from "../../support/checkpoints.js";
import { expectSame, freshOn, quietSerde } from "../../support/twins.js";
import { type Event, event, World } from "../../support/worlds.js";
import { newSchema } from "./support/target.js";

// Each world needs objects of its own, since it changes them.
const events = fc.clone(fc.array(event, { minLength: 8, maxLength: 30, size: "max" }), 2);

async function compare([events, others]: readonly [readonly Event[], readonly Event[]]) {
  const schema = newSchema();
  const sqlite = SqliteSaver.fromConnString(":memory:", { serde: quietSerde() });
  const postgres = schema.open({ serde: quietSerde() });
  const fresh = schema.open({ serde: quietSerde(), cacheBytes: 0 });
  const [expected, world] = [
    new World(sqlite, (saver) => freshOn(saver)),
    new World<PostgresSaver>(postgres, () => fresh),
  ] as const;
  // Creates the tables, as some worlds store nothing.
  for (const { saver } of [world, expected]) await saver.getTuple(config("t0"));
  for (const [index, one] of events.entries()) {
    const outcome = await world.outcomeOf(one);
    const other = await expected.outcomeOf(others[index] ?? one);
    expectSame(outcome, other, `the outcomes of event ${index}, ${one.kind},`);
  }
  for (const { thread, namespace } of world.places) {
    const at = config(thread, undefined, namespace);
    expectSame(await fresh.getTuple(at), await sqlite.getTuple(at), "the values stored");
  }
  expect(await schema.digest()).toBe(await digestOf(sqlite.adapter));
  sqlite.close();
  await Promise.all([postgres.end(), fresh.end()]);
}

test("the_same_events_leave_the_same_bytes", async () => {
  await fc.assert(fc.asyncProperty(events, compare), { numRuns: 40, endOnFailure: true });
});
