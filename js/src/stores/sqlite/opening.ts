// Opening databases: locations and options.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { InvalidInputError } from "../../errors.js";
import {
  BUSY_DEADLINE_MS,
  checkOptions,
  checkSerde,
  SQLITE,
  type SqliteOptions,
  type Synchronous,
} from "../../options.js";
import { builtinModule } from "../../platform/runtime.js";
import type { QueueOptions } from "./commit-queue.js";
import type { Connection } from "./connection.js";

/** The part of `URL` that every runtime's types have. */
export interface FileUrl {
  readonly href: string;
  readonly protocol: string;
}

/** The path of a file, `":memory:"`, or a `file:` URL as text or as a `URL`. */
export type Location = string | FileUrl;

/** The class of a saver on an open database. */
export type SaverClass<Database, Saver> = new (
  db: Database,
  serde?: SerializerProtocol,
  options?: SqliteOptions,
) => Saver;

const chosen = new WeakMap<object, Synchronous>();

/**
 * Checks the options, opens a database, and makes a saver on it. The chosen `synchronous` is
 * remembered by database, in case the constructor of a subclass does not pass the options on.
 */
export function onOpened<Database extends { close(): unknown }, Saver>(
  Class: SaverClass<Database, Saver>,
  open: (path: string) => Database,
  location: Location,
  options: SqliteOptions,
): Saver {
  checkOptions(options, SQLITE);
  const db = open(toPath(location));
  const { serde, synchronous = "full" } = options;
  chosen.set(db, synchronous);
  try {
    return new Class(db, serde, { ...options, synchronous });
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * The options of the commit queue. `synchronous` comes from the options, else from `onOpened`.
 * Throws `InvalidInputError`.
 */
export function queueOptions(db: unknown, serde: unknown, options: SqliteOptions): QueueOptions {
  if (typeof db !== "object" || db === null) throw notOpen();
  checkSerde(serde);
  checkOptions(options, SQLITE);
  const { busyDeadlineMs = BUSY_DEADLINE_MS, synchronous = chosen.get(db) } = options;
  return { busyDeadlineMs, synchronous };
}

/** Refuses a connection that is not open, or whose database is not one of the driver's. */
export function checkOpen(connection: Connection): void {
  // Another driver's database may have a method `open`.
  if (connection.open !== true) throw notOpen();
}

function notOpen(): InvalidInputError {
  const message = "pass an open database, or let fromConnString open one by its path";
  return new InvalidInputError("invalid-database", message);
}

/** The path of a location. Throws `invalid-location` if it names no file. */
export function toPath(location: Location): string {
  const text = textOf(location);
  if (/^file:/i.test(text)) return ofFileUrl(text);
  if (/^(sqlite\d?:|[a-z][a-z\d+.-]+:\/\/)/i.test(text)) {
    throw refused(
      "is a URL of another kind than file:, and programs differ in which file that means; write " +
        "the path of the file",
    );
  }
  if (text.includes("\0")) throw refused("has a character that no path has");
  return text;
}

function textOf(location: unknown): string {
  if (typeof location === "string") {
    if (location.trim() === "") throw refused(`is empty; ${FOR_MEMORY}`);
    return location;
  }
  if (Object.prototype.toString.call(location) === "[object URL]") return String(location);
  throw refused(`is ${location === null ? "null" : typeof location}; ${FOR_MEMORY}`);
}

/** Reads `file:` URLs as SQLite does: relative paths and `file::memory:` are allowed. */
function ofFileUrl(text: string): string {
  if (/[?#]/.test(text)) {
    throw refused(
      "is a file: URL with parameters, which are not read; open the database with them, and pass " +
        "it to the constructor",
    );
  }
  try {
    const rest = text.slice("file:".length);
    if (rest.startsWith("//")) {
      const url = builtinModule<typeof import("node:url")>("node:url");
      if (url !== undefined) return url.fileURLToPath(text);
    }
    const path = decodeURIComponent(rest);
    if (path.trim() !== "" && !path.startsWith("//") && !path.includes("\0")) return path;
  } catch {
    // The error below says what is wrong, without quoting the URL.
  }
  throw refused("is a file: URL that names no file of this machine; write the path of the file");
}

const FOR_MEMORY = 'write the path of a file, or ":memory:" for a database in memory';

function refused(what: string): InvalidInputError {
  return new InvalidInputError("invalid-location", `the location of the database ${what}`);
}
