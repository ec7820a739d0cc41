// What runs in workerd, on a Durable Object's database and on D1. A request's path is
// /<store>/<task>.

import { DurableObject } from "cloudflare:workers";

const DROPS = [
  "DROP VIEW IF EXISTS lg_history",
  ...["format", "threads", "checkpoints", "writes", "chunks", "kit"].map((table) => {
    return `DROP TABLE IF EXISTS lg_${table}`;
  }),
];

const TASKS = {
  /** The import and the first answer, on an empty store. */
  async cold(_, open) {
    const saver = await open();
    const tuple = await saver.getTuple({ configurable: { thread_id: "cold" } });
    return { found: tuple !== undefined };
  },

  async example(_, open) {
    const { runExample } = await import("./graph.mjs");
    return { notes: await runExample(await open()) };
  },

  async kit(name, open) {
    const { runKit } = await import("../kit.mjs");
    return runKit({ name, open });
  },
};

export class Checkpoints extends DurableObject {
  async fetch(request) {
    const { storage } = this.ctx;
    return answer(request, async () => {
      for (const drop of DROPS) storage.sql.exec(drop);
      const { DurableObjectSaver } = await import("../../dist/durable-object.js");
      return new DurableObjectSaver(storage);
    });
  }
}

export default {
  async fetch(request, env) {
    const [, store] = new URL(request.url).pathname.split("/");
    if (store === "durable-object") {
      return env.CHECKPOINTS.get(env.CHECKPOINTS.idFromName("cell")).fetch(request);
    }
    return answer(request, async () => {
      await env.DB.batch(DROPS.map((drop) => env.DB.prepare(drop)));
      const { D1Saver } = await import("../../dist/d1.js");
      return new D1Saver(env.DB);
    });
  },
};

async function answer(request, open) {
  const [, store, task] = new URL(request.url).pathname.split("/");
  if (task === "nothing") return Response.json({});
  return Response.json(await TASKS[task](store, open));
}
