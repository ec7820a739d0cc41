// Controls: a minimal saver. Each call is one transaction of SQLite through the same driver. The
// careless variant syncs the log itself and trusts a sync that succeeds: it shows what a failed
// sync does to later commits.

import { fdatasyncSync, openSync } from "node:fs";

/** LangGraph's methods on a table of checkpoints and one of writes, in JSON. */
export class PlainSaver {
  #db;
  /** The log, if this saver syncs it. */
  #log;

  constructor(db, synchronous, careless) {
    this.#db = db;
    db.pragma("busy_timeout = 60000");
    db.pragma("journal_mode = WAL");
    db.pragma(`synchronous = ${careless ? "normal" : synchronous}`);
    db.exec(`
      CREATE TABLE IF NOT EXISTS checkpoints (
        thread TEXT, id TEXT, body TEXT, PRIMARY KEY (thread, id)
      );
      CREATE TABLE IF NOT EXISTS writes (
        thread TEXT, id TEXT, task TEXT, idx INTEGER, body TEXT,
        PRIMARY KEY (thread, id, task, idx)
      );
    `);
    if (careless) this.#log = openSync(`${db.name}-wal`, "r+");
  }

  async put({ configurable }, checkpoint, metadata) {
    const { thread_id, checkpoint_id } = configurable;
    const body = JSON.stringify({ checkpoint, metadata, parent: checkpoint_id });
    const text = "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)";
    this.#db.prepare(text).run(thread_id, checkpoint.id, body);
    this.#sync();
  }

  async putWrites({ configurable }, writes, task) {
    const { thread_id, checkpoint_id } = configurable;
    const special = ["__error__", "__scheduled__", "__interrupt__", "__resume__"];
    this.#db.transaction(() => {
      writes.forEach(([channel, value], position) => {
        const at = special.indexOf(channel);
        const rule = at === -1 ? "IGNORE" : "REPLACE";
        const text = `INSERT OR ${rule} INTO writes VALUES (?, ?, ?, ?, ?)`;
        const body = JSON.stringify([task, channel, value]);
        const idx = at === -1 ? position : -1 - at;
        this.#db.prepare(text).run(thread_id, checkpoint_id, task, idx, body);
      });
    })();
    this.#sync();
  }

  async deleteThread(thread) {
    this.#db.transaction(() => {
      this.#db.prepare("DELETE FROM checkpoints WHERE thread = ?").run(thread);
      this.#db.prepare("DELETE FROM writes WHERE thread = ?").run(thread);
    })();
    this.#sync();
  }

  async getTuple({ configurable: { thread_id, checkpoint_id } }) {
    return this.#read(thread_id).find(
      ({ checkpoint }) => checkpoint_id === undefined || checkpoint.id === checkpoint_id,
    );
  }

  async *list({ configurable: { thread_id } }) {
    yield* this.#read(thread_id);
  }

  close() {
    this.#db.close();
  }

  #sync() {
    if (this.#log !== undefined) fdatasyncSync(this.#log);
  }

  /** The tuples of a thread, newest first. */
  #read(thread) {
    return this.#db.transaction(() => {
      const rows = this.#db
        .prepare("SELECT id, body FROM checkpoints WHERE thread = ? ORDER BY id DESC")
        .all(thread);
      const writes = this.#db
        .prepare("SELECT id, body FROM writes WHERE thread = ? ORDER BY task, idx")
        .all(thread);
      return rows.map(({ id, body }) => {
        const { checkpoint, metadata, parent } = JSON.parse(body);
        const own = writes.filter((write) => write.id === id);
        return {
          checkpoint,
          metadata,
          ...(parent === undefined
            ? {}
            : { parentConfig: { configurable: { checkpoint_id: parent } } }),
          pendingWrites: own.map((write) => JSON.parse(write.body)),
        };
      });
    })();
  }
}
