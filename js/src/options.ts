import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { type CheckpointerError, InvalidInputError } from "./errors.js";
import { editDistance } from "./platform/edit-distance.js";
import "./platform/web-assembly.js";

/** The default of `busyDeadlineMs`, in milliseconds. */
export const BUSY_DEADLINE_MS = 5000;

/** How a saver uses its cache. */
export interface CacheOptions {
  /**
   * Channels whose elements you promise never to modify in place: the items of a list, or the
   * values of a map, may be replaced but not changed. The saver takes an element that is the same
   * object as before for unchanged and does not look inside it. If you do modify such an element,
   * the change is not stored.
   */
  readonly assumeImmutable?: readonly string[] | undefined;
  /**
   * About how many bytes of memory the saver may use to remember the values it last stored or read,
   * over all threads. Defaults to 48 MiB; 0 turns the cache off.
   */
  readonly cacheBytes?: number | undefined;
}

/** A call that has ended, as `onCall` receives it. */
export interface CallReport {
  /** The method that was called. LangGraph's `get` counts as a `getTuple`. */
  readonly op:
    | "setup"
    | "getTuple"
    | "list"
    | "put"
    | "putWrites"
    | "deleteThread"
    | "getDeltaChannelHistory";
  /**
   * Milliseconds from the call to its answer. For a `list`: the time spent producing tuples,
   * without the time its reader takes between them.
   */
  readonly ms: number;
  /**
   * The bytes of serialized values that the call stored or read: channel values, pending writes,
   * metadata, and the other fields of checkpoints. Values that the cache saves from being sent or
   * read again are not counted, nor is what the store adds or leaves out: ids, indexes, shared
   * parts.
   */
  readonly bytes: number;
  /** The error of a call that failed; the key is absent if it succeeded. */
  readonly error?: CheckpointerError;
}

/** Observing calls. */
export interface CallOptions {
  /**
   * Called once for each call, when it ends. A `list` ends after its last tuple, or when its reader
   * stops. If the callback throws, or returns a promise that rejects, the saver warns once and the
   * call is not affected. Nothing waits for a returned promise.
   */
  readonly onCall?: ((call: CallReport) => void) | undefined;
}

/** Which idle threads expire by themselves, in the words of LangGraph's platform. */
export interface TtlOptions {
  /** Minutes since the newest checkpoint of a thread, after which it expires. */
  readonly defaultTtl: number;
  /** What happens then: the thread is deleted, the default, or keeps its latest state. */
  readonly strategy?: "delete" | "keep_latest" | undefined;
  /**
   * Minutes between two sweeps of a store, by whichever process makes them: all have to say the
   * same. Defaults to 5.
   */
  readonly sweepInterval?: number | undefined;
  /** At most this many threads are pruned in one sweep. Defaults to 1,000. */
  readonly sweepLimit?: number | undefined;
}

/** The options of every saver. */
export interface SaverOptions extends CacheOptions, CallOptions {
  /**
   * The compiled core module of the planner, `langgraph-checkpoint-wasm/planner.core.wasm`. Needed
   * in runtimes that cannot read files or compile WebAssembly. Defaults to the copy in this
   * package.
   */
  readonly core?: WebAssembly.Module | undefined;
  /**
   * Which idle threads expire by themselves. A sweep in the background deletes them, or keeps
   * their latest state, in one of the processes that use the store, until the saver is closed. By
   * default none do.
   */
  readonly ttl?: TtlOptions | undefined;
}

/** When a commit waits for the disk. */
export type Synchronous =
  /** At every commit: acknowledged calls survive a loss of power. */
  | "full"
  /**
   * Only when SQLite copies its log into the file: acknowledged calls survive the death of the
   * process. A loss of power may undo the last commits but never damages the file.
   */
  | "normal";

/** The options of a saver on a SQLite database. */
export interface SqliteOptions extends SaverOptions {
  /**
   * When a commit waits for the disk. Defaults to `"full"` for a database that the saver opens, and
   * to the connection's own setting otherwise.
   */
  readonly synchronous?: Synchronous | undefined;
  /**
   * How many milliseconds a call waits for a lock that another connection holds. Defaults to 5000.
   */
  readonly busyDeadlineMs?: number | undefined;
  /** Serializes the values. Defaults to `JsonPlusSerde`. */
  readonly serde?: SerializerProtocol | undefined;
}

/** The default of `cacheBytes`. */
export const CACHE_BYTES = 48 * 1024 * 1024;

/** A check for an option's value, and the words of the error: "the option x has to be ...". */
export type Kind = readonly [isOne: (value: unknown) => boolean, what: string];
/** The kind of every option. The type makes sure that no option is missing. */
export type Kinds<Options> = Readonly<Record<keyof Options, Kind>>;

/** The longest time that timers and SQLite accept. */
const WAIT_MAX_MS = 2 ** 31 - 1;

const isAtLeastZero = (value: unknown) => typeof value === "number" && value >= 0;
const isFunction = (value: unknown) => typeof value === "function";

/** Well-formed text. */
export const TEXT: Kind = [
  (value) => typeof value === "string" && value.isWellFormed(),
  "text; leave it out for the default",
];
/** A boolean. */
export const YES_OR_NO: Kind = [(value) => typeof value === "boolean", "true or false"];
/** A function. */
export const FUNCTION: Kind = [isFunction, "a function; leave it out for the default"];

const SERDE: Kind = [
  (value) => isFunction(member(value, "dumpsTyped")) && isFunction(member(value, "loadsTyped")),
  "an object with the methods dumpsTyped and loadsTyped",
];

/**
 * The kind of a planner's core module. A module of another realm is accepted, so no `instanceof`.
 */
export function coreOf(entry: string): Kind {
  return [
    (value) => Object.prototype.toString.call(value) === "[object WebAssembly.Module]",
    `a WebAssembly.Module: import { core } from "${entry}"`,
  ];
}

const CACHE: Kinds<CacheOptions> = {
  assumeImmutable: [
    (value) => Array.isArray(value) && value.every((name) => typeof name === "string"),
    'a list of channels, such as ["messages"]',
  ],
  cacheBytes: [isAtLeastZero, "a number of bytes, from 0; leave it out for the default"],
};
const CALLS: Kinds<CallOptions> = { onCall: FUNCTION };
/** The options of every saver. */
export const SAVER: Kinds<SaverOptions> = {
  ...CACHE,
  ...CALLS,
  core: coreOf("langgraph-checkpoint-wasm/core"),
  ttl: [
    (value) => typeof value === "object" && value !== null,
    "an object with defaultTtl; leave it out to keep all threads",
  ],
};
/** The shortest time, in minutes. With none, every thread would go. */
const MINUTES_MIN = 0.01;
/** The longest time, in minutes: the longest that timers take. */
const MINUTES_MAX = Math.floor(WAIT_MAX_MS / 60_000);
const isMinutes = (most: number) => (value: unknown) => {
  return typeof value === "number" && value >= MINUTES_MIN && value <= most;
};
/** The kinds of the members of the option `ttl`. */
export const TTL: Kinds<TtlOptions> = {
  defaultTtl: [
    isMinutes(Number.MAX_VALUE),
    `a number of minutes, from ${MINUTES_MIN}; leave ttl out to keep all threads`,
  ],
  strategy: [(value) => value === "delete" || value === "keep_latest", '"delete" or "keep_latest"'],
  sweepInterval: [
    isMinutes(MINUTES_MAX),
    `a number of minutes, from ${MINUTES_MIN} to ${MINUTES_MAX}; leave it out for the default`,
  ],
  sweepLimit: [
    (value) => Number.isSafeInteger(value) && Number(value) >= 1,
    "a number of threads, from 1; leave it out for the default",
  ],
};
/** The options of a store that waits for locks. */
export const LOCKING: Kinds<Omit<SqliteOptions, "synchronous">> = {
  ...SAVER,
  busyDeadlineMs: [
    (value) => isAtLeastZero(value) && Number(value) <= WAIT_MAX_MS,
    `a number of milliseconds, from 0 to ${WAIT_MAX_MS}; leave it out for the default`,
  ],
  serde: SERDE,
};
/** The options of a saver on a SQLite database. */
export const SQLITE: Kinds<SqliteOptions> = {
  ...LOCKING,
  synchronous: [(value) => value === "full" || value === "normal", '"full" or "normal"'],
};
/** The options that Kusto shares with the other stores. */
export const OF_KUSTO = {
  ...CACHE,
  ...CALLS,
  core: coreOf("langgraph-checkpoint-wasm/core-kusto"),
  serde: SERDE,
};

/** Throws `unknown-option` or `invalid-option` for options that do not fit `kinds`. */
export function checkOptions<Options>(
  options: unknown,
  kinds: Kinds<Options>,
  required: readonly (keyof Options & string)[] = [],
  within = "",
): void {
  checkNames(options, Object.keys(kinds));
  for (const name of Object.keys(kinds) as (keyof Options & string)[]) {
    const [isOne, what] = kinds[name];
    const value = member(options, name);
    if (isOne(value) || (value === undefined && !required.includes(name))) continue;
    throw refusedOption(`the option ${within}${name} has to be ${what}`);
  }
}

/** Throws for an option `ttl` that is none. */
export function checkTtl(ttl: TtlOptions | undefined): void {
  if (ttl !== undefined) checkOptions(ttl, TTL, ["defaultTtl"], "ttl.");
}

/** Throws `unknown-option` for options with other names, or `invalid-option` for no options. */
export function checkNames(options: unknown, names: readonly string[]): asserts options is object {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw refusedOption("the options have to be an object; leave them out for the defaults");
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownOption(unknown, names);
}

/** Picks the options that every saver has. */
export function shared(options: SaverOptions): SaverOptions {
  const { assumeImmutable, cacheBytes, core, onCall, ttl } = options;
  return { assumeImmutable, cacheBytes, core, onCall, ttl };
}

/** Checked options, with `core` as the default core module. */
export function coreOr(core: WebAssembly.Module, options: SaverOptions): SaverOptions {
  checkOptions(options, SAVER);
  return { ...options, core: options.core ?? core };
}

/** Throws `invalid-option` if a constructor's `serde` argument is not a serializer. */
export function checkSerde(serde: unknown): void {
  const [isOne, what] = SERDE;
  if (serde === undefined || isOne(serde)) return;
  throw refusedOption(`the serde has to be ${what}; options are the argument after it`);
}

/** The error for a bad value of an option. */
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

/**
 * The name that was probably meant: the most similar one, if at most a third of the letters differ.
 */
function nearest(name: string, names: readonly string[]): string | undefined {
  const letters = (text: string) => text.toLowerCase().replaceAll(/[^a-z]/g, "");
  const given = letters(name).slice(0, 40);
  const distances = names.map((one) => [editDistance(given, letters(one)), one] as const);
  const [least] = distances.sort(([one], [other]) => one - other);
  return least !== undefined && least[0] <= given.length / 3 ? least[1] : undefined;
}
