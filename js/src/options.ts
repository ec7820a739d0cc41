import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { type CheckpointerError, InvalidInputError } from "./errors.js";
import "./platform/web-assembly.js";

/** How long a batch waits for a lock unless the options say otherwise. */
export const BUSY_DEADLINE_MS = 5000;

/** What a saver may take to be unchanged, and how much it remembers. */
export interface MemoryOptions {
  /**
   * Channels whose elements you promise never to change once they are in the channel: a list's
   * items, or the values of a map, are replaced by others but never modified. An element that is
   * the same object as before is then taken to be unchanged without a look at what it holds, so a
   * modified one would not be stored.
   */
  readonly assumeImmutable?: readonly string[] | undefined;
  /**
   * About how many bytes of memory the saver takes to remember the values it last stored or read,
   * by thread; 48 MiB when it is left out, 0 to remember nothing.
   */
  readonly cacheBytes?: number | undefined;
}

/** A call that the saver has answered. */
export interface CallReport {
  /** The method that was called. `get` is a `getTuple`. */
  readonly op:
    | "setup"
    | "getTuple"
    | "list"
    | "put"
    | "putWrites"
    | "deleteThread"
    | "getDeltaChannelHistory";
  /**
   * Milliseconds from the call to its answer; of a `list` those in which it was asked for a tuple,
   * without those that its reader took between them.
   */
  readonly ms: number;
  /**
   * The bytes of the serialized values that the call gave the planner to store, or that it got of
   * what was read: channel values, pending writes, metadata, and the other fields of checkpoints.
   * What the saver remembers, and does not send or read again, is not counted. Nor is what the
   * store adds or leaves out: ids, indexes, equal parts.
   */
  readonly bytes: number;
  /** What the call failed with; there is no such key where it did not fail. */
  readonly error?: CheckpointerError;
}

/** Who is told of calls. */
export interface CallOptions {
  /**
   * Is called once for each call, when it has ended: a `list` ends after its last tuple, or where
   * its reader stops. What it throws, or a promise of it is rejected with, is a warning, once for
   * each saver, and changes nothing for the call. Nothing waits for a promise that it gives.
   */
  readonly onCall?: ((call: CallReport) => void) | undefined;
}

/** What every saver may be told. */
export interface SaverOptions extends MemoryOptions, CallOptions {
  /**
   * The compiled core module of the planner, `langgraph-checkpoint-wasm/planner.core.wasm`, for
   * runtimes that read no files or compile nothing; read from this package when it is left out.
   */
  readonly core?: WebAssembly.Module | undefined;
}

/** When a commit waits for the disk. */
export type Synchronous =
  /** At every commit: what was acknowledged survives a loss of power. */
  | "full"
  /**
   * At checkpoints of the log: what was acknowledged survives the death of the process; a loss of
   * power may undo the last commits, and never damages the file.
   */
  | "normal";

/** How a SQLite database is opened and used. */
export interface SqliteOptions extends SaverOptions {
  /** When a commit waits for the disk: `"full"` for a database that the saver opens. */
  readonly synchronous?: Synchronous | undefined;
  /** How long a call waits for a lock that another connection holds; 5000 when left out. */
  readonly busyDeadlineMs?: number | undefined;
  /** Serializes the values; `JsonPlusSerde` when it is left out. */
  readonly serde?: SerializerProtocol | undefined;
}

/** What a saver remembers unless the options say otherwise. */
export const CACHE_BYTES = 48 * 1024 * 1024;

/** What an option may be, and how people are told. */
export type Kind = readonly [isOne: (value: unknown) => boolean, what: string];
/** The kind of every option that there is: the type makes sure that none is left out. */
export type Kinds<Options> = Readonly<Record<keyof Options, Kind>>;

/** The longest time that a timer, or SQLite, takes. */
const WAIT_MAX_MS = 2 ** 31 - 1;

const isAtLeastZero = (value: unknown) => typeof value === "number" && value >= 0;
const isFunction = (value: unknown) => typeof value === "function";

export const TEXT: Kind = [
  (value) => typeof value === "string" && value.isWellFormed(),
  "text; leave it out for the default",
];
export const YES_OR_NO: Kind = [(value) => typeof value === "boolean", "true or false"];
export const FUNCTION: Kind = [isFunction, "a function; leave it out for the default"];

const SERDE: Kind = [
  (value) => isFunction(member(value, "dumpsTyped")) && isFunction(member(value, "loadsTyped")),
  "an object with the methods dumpsTyped and loadsTyped",
];

/** A planner's core module. One of another realm is one, too. */
function coreOf(entry: string): Kind {
  return [
    (value) => Object.prototype.toString.call(value) === "[object WebAssembly.Module]",
    `a WebAssembly.Module: import { core } from "${entry}"`,
  ];
}

const MEMORY: Kinds<MemoryOptions> = {
  assumeImmutable: [
    (value) => Array.isArray(value) && value.every((name) => typeof name === "string"),
    'a list of channels, such as ["messages"]',
  ],
  cacheBytes: [isAtLeastZero, "a number of bytes, from 0; leave it out for the default"],
};
const CALLS: Kinds<CallOptions> = { onCall: FUNCTION };
export const SAVER: Kinds<SaverOptions> = {
  ...MEMORY,
  ...CALLS,
  core: coreOf("langgraph-checkpoint-wasm/core"),
};
/** Of a store that waits for locks. */
export const LOCKING: Kinds<Omit<SqliteOptions, "synchronous">> = {
  ...SAVER,
  busyDeadlineMs: [
    (value) => isAtLeastZero(value) && Number(value) <= WAIT_MAX_MS,
    `a number of milliseconds, from 0 to ${WAIT_MAX_MS}; leave it out for the default`,
  ],
  serde: SERDE,
};
export const SQLITE: Kinds<SqliteOptions> = {
  ...LOCKING,
  synchronous: [(value) => value === "full" || value === "normal", '"full" or "normal"'],
};
/** What Kusto has in common with the others. */
export const OF_KUSTO = {
  ...MEMORY,
  ...CALLS,
  core: coreOf("langgraph-checkpoint-wasm/core-kusto"),
  serde: SERDE,
};

/** Refuses options that there are not, and values that are none of theirs. */
export function checkOptions<Options>(options: unknown, kinds: Kinds<Options>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw refusedOption("the options have to be an object; leave them out for the defaults");
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(kinds, name)) throw unknownOption(name, Object.keys(kinds));
    const [isOne, what] = kinds[name as keyof Options];
    if (value === undefined || isOne(value)) continue;
    throw refusedOption(`the option ${name} has to be ${what}`);
  }
}

/** The options of every saver's among those of one. */
export function shared(options: SaverOptions): SaverOptions {
  const { assumeImmutable, cacheBytes, core, onCall } = options;
  return { assumeImmutable, cacheBytes, core, onCall };
}

/** The options of a saver that has a core module where they name none. */
export function coreOr(core: WebAssembly.Module, options: SaverOptions): SaverOptions {
  checkOptions(options, SAVER);
  return { ...options, core: options.core ?? core };
}

/** Refuses a serializer, of a constructor's own argument, that is none. */
export function checkSerde(serde: unknown): void {
  const [isOne, what] = SERDE;
  if (serde === undefined || isOne(serde)) return;
  throw refusedOption(`the serde has to be ${what}; options are the argument after it`);
}

export function refusedOption(message: string): InvalidInputError {
  return new InvalidInputError("invalid-option", message);
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function unknownOption(name: string, names: readonly string[]): InvalidInputError {
  const near = nearest(name, names);
  const hint = near === undefined ? "leave it out" : `write ${near}`;
  return new InvalidInputError("unknown-option", `there is no option ${name}; ${hint}`);
}

/** The name that was meant: one of the same letters, or of nearly the same. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const letters = (text: string) => text.toLowerCase().replaceAll(/[^a-z]/g, "");
  const given = letters(name).slice(0, 40);
  const distances = names.map((one) => [distance(given, letters(one)), one] as const);
  const [least] = distances.sort(([one], [other]) => one - other);
  return least !== undefined && least[0] <= given.length / 3 ? least[1] : undefined;
}

/** How many letters to add, remove or change to make one text of another. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (const [at, another] of [...other].entries()) {
      const changed = (row[at] ?? 0) + (letter === another ? 0 : 1);
      next.push(Math.min(changed, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
