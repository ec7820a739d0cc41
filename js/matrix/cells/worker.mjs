// What runs in workerd: the kit, the first use, on a Durable Object's database and on D1.

import { DurableObject } from "cloudflare:workers";

import { D1Saver } from "../../dist/d1.js";
import { DurableObjectSaver } from "../../dist/durable-object.js";
import { runKit } from "../kit.mjs";

const DROPS = [
  "DROP VIEW IF EXISTS lg_history",
  ...["format", "threads", "checkpoints", "writes", "chunks", "kit"].map((table) => {
    return `DROP TABLE IF EXISTS lg_${table}`;
  }),
];

export class Checkpoints extends DurableObject {
  async fetch(request) {
    const { storage } = this.ctx;
    const open = () => {
      for (const drop of DROPS) storage.sql.exec(drop);
      return new DurableObjectSaver(storage);
    };
    return answer(request, { name: "durable-object", open });
  }
}

export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname.startsWith("/durable-object")) {
      return env.CHECKPOINTS.get(env.CHECKPOINTS.idFromName("kit")).fetch(request);
    }
    const open = async () => {
      await env.DB.batch(DROPS.map((drop) => env.DB.prepare(drop)));
      return new D1Saver(env.DB);
    };
    return answer(request, { name: "d1", open });
  },
};

async function answer(request, subject) {
  if (new URL(request.url).pathname.endsWith("/kit")) return Response.json(await runKit(subject));
  const saver = await subject.open();
  const tuple = await saver.getTuple({ configurable: { thread_id: "cold" } });
  return Response.json({ found: tuple !== undefined });
}
