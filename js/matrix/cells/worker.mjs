// The tasks of a worker in workerd, on a Durable Object's database and on D1. The path of a request
// is /<store>/<task>.

import { DurableObject } from "cloudflare:workers";

const DROPS = [
  ...["history", "checkpoints", "writes"].map((view) => `DROP VIEW IF EXISTS lg_${view}`),
  ...["format", "threads", "deleted", "records", "chunks", "kit"].map((table) => {
    return `DROP TABLE IF EXISTS lg_${table}`;
  }),
];

const TASKS = {
  /** Imports the saver and gets the first answer, on an empty store. */
  async cold(_, open) {
    const saver = await open();
    const tuple = await saver.getTuple({ configurable: { thread_id: "cold" } });
    return { found: tuple !== undefined };
  },

  async example(_, open) {
    const { runExample } = await import("./graph.mjs");
    return { notes: await runExample(await open()) };
  },

  async agent(_, open) {
    const { runAgent } = await import("./graph.mjs");
    return { notes: await runAgent(await open()) };
  },

  /**
   * Values over the platform's limits are refused. A large value that fits once it is split is not.
   */
  async limits(_, open) {
    const saver = await open();
    const config = { configurable: { thread_id: "limits", checkpoint_ns: "" } };
    const bytes = new Uint8Array(5_000_000).map((_, at) => (at * 2_654_435_761) >>> 13);
    const put = (step, metadata) => {
      const checkpoint = {
        v: 4,
        id: `1f000000-0000-6000-8000-00000000000${step}`,
        ts: "2027-01-01T00:00:00.000Z",
        channel_values: { bytes },
        channel_versions: { bytes: 1 },
        versions_seen: {},
      };
      return saver.put(config, checkpoint, metadata, { bytes: 1 }).then(() => "stored", codeOf);
    };
    const large = await put(1, { source: "loop", step: 1, parents: {} });
    const huge = await put(2, { source: "loop", step: 2, parents: {}, note: "x".repeat(3e6) });
    const filter = Object.fromEntries(Array.from({ length: 60 }, (_, key) => [`key${key}`, key]));
    const asked = await saver
      .list(config, { filter })
      .next()
      .then(() => "listed", codeOf);
    const { checkpoint } = await saver.getTuple(config);
    const found = checkpoint.channel_values.bytes;
    const whole = found.length === bytes.length && found.every((byte, at) => byte === bytes[at]);
    return { large, huge, asked, whole, latest: checkpoint.id.at(-1) };
  },

  /**
   * What the platform counts for a superstep of a growing chat: two messages, which are written by
   * a task beside a trigger. And how many requests one more invocation of the example makes.
   */
  async cost(_, open) {
    const { checkpointOf, messageOf } = await import("../../bench/data.mjs");
    const { configOf, put } = await import("../../bench/supersteps.mjs");
    const counted = { requests: 0, written: 0, read: 0 };
    const saver = await open(counted);
    const messages = [];
    await put(saver, "cost", 0, messages);
    const [steps, before] = [50, { ...counted }];
    for (let step = 1; step <= steps; step += 1) {
      const written = [0, 1].map((index) => messageOf(7, messages.length + index));
      messages.push(...written);
      const writes = [
        ["messages", written],
        ["branch:to:model", null],
      ];
      await Promise.all([
        saver.putWrites(configOf("cost", step - 1), writes, `task-${step}`),
        put(saver, "cost", step, [...messages]),
      ]);
    }
    const [requests, written, read] = ["requests", "written", "read"].map((name) => {
      return (counted[name] - before[name]) / steps;
    });
    const { checkpoint } = await saver.getTuple(configOf("cost"));
    const whole = checkpoint.id === checkpointOf(steps, []).id;
    return { whole, requests, written, read, invocation: await invocation(saver, counted) };
  },

  async kit(name, open) {
    const { runKit } = await import("../kit.mjs");
    return runKit({ name, open });
  },
};

export class Checkpoints extends DurableObject {
  async fetch(request) {
    const { storage } = this.ctx;
    return answer(request, async (counted) => {
      for (const drop of DROPS) storage.sql.exec(drop);
      const { DurableObjectSaver } = await import("../../dist/entries/durable-object.js");
      if (counted !== undefined) return new DurableObjectSaver(countingStorage(storage, counted));
      // The example also runs without transactions, as nothing fails in it.
      return new DurableObjectSaver(request.url.endsWith("/example") ? storage.sql : storage);
    });
  }
}

export default {
  async fetch(request, env) {
    const [, store] = new URL(request.url).pathname.split("/");
    if (store === "durable-object") {
      return env.CHECKPOINTS.get(env.CHECKPOINTS.idFromName("cell")).fetch(request);
    }
    return answer(request, async (counted) => {
      await env.DB.batch(DROPS.map((drop) => env.DB.prepare(drop)));
      const { D1Saver } = await import("../../dist/entries/d1.js");
      return new D1Saver(counted === undefined ? env.DB : countingDatabase(env.DB, counted));
    });
  },
};

/** The requests of the example's second invocation on a saver that counts them. */
async function invocation(saver, counted) {
  const { invokeExample, runExample } = await import("./graph.mjs");
  await runExample(saver);
  const before = counted.requests;
  await invokeExample(saver);
  return counted.requests - before;
}

/** A D1 database that adds its requests, and the rows that they wrote and read, to a count. */
function countingDatabase(db, counted) {
  return {
    prepare: (query) => db.prepare(query),
    async batch(statements) {
      counted.requests += 1;
      const results = await db.batch(statements);
      for (const { meta } of results) {
        counted.written += meta.rows_written;
        counted.read += meta.rows_read;
      }
      return results;
    },
  };
}

/** A Durable Object's storage that adds its transactions, and the rows they used, to a count. */
function countingStorage(storage, counted) {
  const exec = (query, ...bindings) => {
    const cursor = storage.sql.exec(query, ...bindings);
    const rows = [...cursor.raw()];
    counted.written += cursor.rowsWritten;
    counted.read += cursor.rowsRead;
    return { raw: () => rows };
  };
  return {
    sql: { exec },
    transactionSync(run) {
      counted.requests += 1;
      return storage.transactionSync(run);
    },
  };
}

function codeOf(thrown) {
  return thrown.code ?? String(thrown);
}

async function answer(request, open) {
  const [, store, task] = new URL(request.url).pathname.split("/");
  if (task === "nothing") return Response.json({});
  return Response.json(await TASKS[task](store, open));
}
