// The savers that can follow a plan, and the calls of a plan in LangGraph's interface.

import Database from "better-sqlite3";
import { PostgresSaver } from "langgraph-checkpoint-wasm/postgres";
import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";

import { PlainSaver } from "./plain.mjs";
import { summaryOf } from "./summary.mjs";

/** Opens a file of SQLite or a schema of PostgreSQL, with the saver that the options choose. */
export function openSaver(database, options) {
  const { plain, careless, synchronous = "full", cacheBytes, logPages, schema } = options;
  if (schema !== undefined) {
    return PostgresSaver.fromConnString(database, { schema, cacheBytes, deadlineMs: 60_000 });
  }
  const db = new Database(database, { timeout: 0 });
  // Copies the log into the file often, as a failing disk does the most harm then.
  if (logPages !== undefined) db.pragma(`wal_autocheckpoint = ${logPages}`);
  if (plain) return new PlainSaver(db, synchronous, careless);
  return new SqliteSaver(db, undefined, { synchronous, cacheBytes, busyDeadlineMs: 60_000 });
}

/** Closes a saver. */
export async function closeSaver(saver) {
  await (saver?.end === undefined ? saver?.close() : saver.end());
}

/** Makes a call of a plan, and returns what it read, if it reads. */
export async function perform(saver, call) {
  const { thread, id } = call;
  switch (call.op) {
    case "put": {
      await saver.put(config(thread, call.parent), toCheckpoint(call), ...rest(call));
      return undefined;
    }
    case "writes": {
      const writes = call.writes.map(([channel, text]) => [channel, JSON.parse(text)]);
      await saver.putWrites(config(thread, id), writes, call.task);
      return undefined;
    }
    case "delete":
      await saver.deleteThread(thread);
      return undefined;
    case "get": {
      const tuple = await saver.getTuple(config(thread, id));
      return tuple === undefined ? "nothing" : summaryOf(tuple);
    }
    case "list": {
      const found = [];
      for await (const tuple of saver.list(config(thread))) found.push(summaryOf(tuple));
      return found.join("\n");
    }
    default:
      throw new RangeError(`no call ${call.op}`);
  }
}

function config(thread, id) {
  const configurable = { thread_id: thread, checkpoint_ns: "" };
  return { configurable: id === undefined ? configurable : { ...configurable, checkpoint_id: id } };
}

function toCheckpoint({ id, values, versions }) {
  const parsed = Object.entries(values).map(([channel, text]) => [channel, parse(text)]);
  return {
    v: 4,
    id,
    ts: "2027-01-01T00:00:00.000Z",
    channel_values: Object.fromEntries(parsed),
    channel_versions: { ...versions },
    versions_seen: {},
  };
}

function rest({ metadata, versions, changed }) {
  return [
    JSON.parse(metadata),
    Object.fromEntries(changed.map((channel) => [channel, versions[channel]])),
  ];
}

/**
 * The elements of lists by their texts, so that an element that stays in a list stays the same
 * object.
 */
const elements = new Map();

function parse(text) {
  const value = JSON.parse(text);
  if (!Array.isArray(value)) return value;
  return value.map((element) => {
    const key = JSON.stringify(element);
    if (!elements.has(key)) elements.set(key, element);
    return elements.get(key);
  });
}
