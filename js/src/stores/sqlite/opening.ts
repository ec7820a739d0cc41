// Databases that a saver opens: where they are, and how they are used.

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

/** What every runtime's `URL` is. */
export interface FileUrl {
  readonly href: string;
  readonly protocol: string;
}

/** The path of a file, `":memory:"`, or the URL of a file, as text or not. */
export type Location = string | FileUrl;

/** A class whose instances are savers on open databases. */
export type SaverClass<Database, Saver> = new (
  db: Database,
  serde?: SerializerProtocol,
  options?: SqliteOptions,
) => Saver;

const chosen = new WeakMap<object, Synchronous>();

/**
 * Opens a database, and makes a saver on it. What is wrong with the options is said before. When
 * its commits wait for the disk holds for the database, whatever the constructor of a class that
 * extends ours passes on.
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

/** How a database is used: as the options say, or whoever opened it. */
export function queueOptions(db: unknown, serde: unknown, options: SqliteOptions): QueueOptions {
  if (typeof db !== "object" || db === null) {
    const message = "a saver is made of an open database; fromConnString opens one by its path";
    throw new InvalidInputError("invalid-database", message);
  }
  checkSerde(serde);
  checkOptions(options, SQLITE);
  const { busyDeadlineMs = BUSY_DEADLINE_MS, synchronous = chosen.get(db) } = options;
  return { busyDeadlineMs, synchronous };
}

/** The path that a location stands for. What names no file is refused before a driver has it. */
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

/** As SQLite reads them, where it does: relative paths and `file::memory:` are allowed. */
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
    // It is told what is wrong below, without the text.
  }
  throw refused("is a file: URL that names no file of this machine; write the path of the file");
}

const FOR_MEMORY = 'write the path of a file, or ":memory:" for a database in memory';

function refused(what: string): InvalidInputError {
  return new InvalidInputError("invalid-location", `the location of the database ${what}`);
}
