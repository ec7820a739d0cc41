// A model of a saver that stores every changed channel as a whole row: three tables, one row for
// each checkpoint, channel and write, as lines of JSON. It sends nothing.

import { gzipSync } from "node:zlib";

import { JsonPlusSerde } from "langgraph-checkpoint-wasm";

const decoder = new TextDecoder();

export class WholeRows {
  #serde = new JsonPlusSerde();
  #tables = {};

  /** What would be sent while `run` runs. */
  async during(run) {
    this.#tables = {};
    await run();
    const bodies = Object.values(this.#tables).map((lines) => Buffer.from(lines.join("")));
    const sum = (lengths) => lengths.reduce((total, length) => total + length, 0);
    return {
      requests: bodies.length,
      plainBytes: sum(bodies.map(({ length }) => length)),
      sentBytes: sum(bodies.map((body) => gzipSync(body).length)),
    };
  }

  async put(config, checkpoint, metadata, newVersions) {
    const { thread_id, checkpoint_ns, checkpoint_id } = config.configurable;
    const { channel_values, ...head } = checkpoint;
    const place = { thread_id, checkpoint_ns };
    for (const [channel, version] of Object.entries(newVersions)) {
      const value = this.#text(channel_values[channel]);
      this.#add("blobs", { ...place, channel, version, type: "json", value });
    }
    this.#add("checkpoints", {
      ...place,
      checkpoint_id: checkpoint.id,
      parent_checkpoint_id: checkpoint_id ?? "",
      type: "json",
      checkpoint: this.#text(head),
      metadata: this.#text(metadata),
      created_at: checkpoint.ts,
    });
  }

  async putWrites(config, writes, taskId) {
    const { thread_id, checkpoint_ns, checkpoint_id } = config.configurable;
    const place = { thread_id, checkpoint_ns, checkpoint_id, task_id: taskId, task_path: "" };
    for (const [idx, [channel, value]] of writes.entries()) {
      this.#add("writes", { ...place, idx, channel, type: "json", value: this.#text(value) });
    }
  }

  #text(value) {
    const [, bytes] = this.#serde.dumps(value);
    return decoder.decode(bytes);
  }

  #add(table, row) {
    this.#tables[table] ??= [];
    this.#tables[table].push(`${JSON.stringify(row)}\n`);
  }
}
