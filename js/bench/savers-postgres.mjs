// The savers on PostgreSQL, each in a schema of its own, and what the server counts.

import { performance } from "node:perf_hooks";

import { PostgresSaver as Stock } from "@langchain/langgraph-checkpoint-postgres";
import { PostgresSaver as Ours } from "langgraph-checkpoint-wasm/postgres";
import pg from "pg";

import { versions } from "./savers.mjs";
import { configOf } from "./supersteps.mjs";

const PACKAGES = [
  "@langchain/langgraph-checkpoint-postgres",
  "@langchain/langgraph-checkpoint",
  "@langchain/langgraph",
  "@langchain/core",
  "pg",
];

/** The savers' names. */
export const NAMES = ["stock", "ours"];
/** The same, and ours with `prepare: true`. */
export const ALL = [...NAMES, "optIn"];

/** How long sessions may take to end. */
const OTHERS_MS = 30_000;

const CLASSES = { stock: Stock, ours: Ours, optIn: Ours };

/** Savers on a server. */
export class PostgresSavers {
  #url;
  #admin;
  #schemas = 0;

  constructor(url) {
    this.#url = url;
    this.#admin = new pg.Pool({ connectionString: url, max: 1 });
  }

  /** The versions of the packages and of the server. */
  async versions() {
    const [{ server_version: server }] = await this.rows("SHOW server_version");
    return { ...versions(PACKAGES), PostgreSQL: server };
  }

  /**
   * A saver on a new schema, with at most this many connections. `fresh` gives another one on the
   * same schema, which the caller ends; `end` ends the saver, and `drop` removes the schema too.
   */
  async openNew(name, connections) {
    this.#schemas += 1;
    const schema = `bench_${process.pid}_${this.#schemas}`;
    const saver = this.#open(name, schema, connections);
    await saver.setup();
    const connected = async (opened) => {
      await opened.getTuple(configOf("none"));
      return opened;
    };
    let hasEnded = false;
    const end = async () => {
      if (!hasEnded) await saver.end();
      hasEnded = true;
    };
    const drop = async () => {
      await end();
      await this.rows(`DROP SCHEMA ${schema} CASCADE`);
    };
    const fresh = () => connected(this.#open(name, schema, connections));
    return { saver: await connected(saver), schema, fresh, end, drop };
  }

  #open(name, schema, max) {
    const Saver = CLASSES[name];
    const options = name === "optIn" ? { schema, prepare: true } : { schema };
    if (max === undefined) return Saver.fromConnString(this.#url, options);
    const pipeline = name !== "stock";
    const pool = new pg.Pool({ connectionString: this.#url, max, pipeline });
    return new Saver(pool, undefined, options);
  }

  async rows(text, values) {
    return (await this.#admin.query(text, values)).rows;
  }

  /** The bytes of a schema's tables, with their indexes. */
  async bytesOf(schema) {
    const [{ bytes }] = await this.rows(
      "SELECT sum(pg_total_relation_size(c.oid)) AS bytes FROM pg_class c " +
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'",
      [schema],
    );
    return Number(bytes);
  }

  /** The bytes that the server's log has had so far. */
  async logBytes() {
    const [{ bytes }] = await this.rows(
      "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes",
    );
    return Number(bytes);
  }

  /** How often the server has waited for the disk with its log. Sessions report at their end. */
  async logSyncs() {
    const others =
      "SELECT count(*)::int AS count FROM pg_stat_activity " +
      "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    const end = performance.now() + OTHERS_MS;
    while ((await this.rows(others))[0].count > 0) {
      if (performance.now() > end) throw new Error("others use the server: the log cannot be read");
    }
    const [{ syncs }] = await this.rows("SELECT wal_sync AS syncs FROM pg_stat_wal");
    return Number(syncs);
  }

  async end() {
    await this.#admin.end();
  }
}
