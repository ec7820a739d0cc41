import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { InvalidInputError } from "../../errors.js";
import type { MemoryOptions } from "../../options.js";
import type { StoreOptions } from "./guest.js";
import type { Fetch } from "./http.js";
import type { TokenCredential, TokenFunction } from "./token.js";

/** How rows reach the store. */
export type IngestMode = StoreOptions["ingestMode"];

/** How a table of a Kusto database is used. */
export interface KustoOptions extends MemoryOptions {
  /**
   * The compiled core module, `langgraph-checkpoint-wasm/planner-kusto.core.wasm`, for runtimes
   * that read no files or compile nothing; read from this package when it is left out.
   */
  readonly core?: WebAssembly.Module | undefined;
  /** The cluster's URI, such as `https://name.region.kusto.windows.net`. */
  readonly clusterUri?: string | undefined;
  /** The database. */
  readonly database?: string | undefined;
  /**
   * Where the bearer token comes from: a credential of `@azure/identity`, or a function. Left out
   * for a server that asks for none, and where the connection string says how to log in.
   */
  readonly credential?: TokenCredential | TokenFunction | undefined;
  /** The table; `CheckpointLog` when it is left out. */
  readonly table?: string | undefined;
  /**
   * `"streaming"`, `"inline"` for a cluster without streaming ingestion, or `"auto"`, the default:
   * streaming for as long as the cluster has it.
   */
  readonly ingestMode?: IngestMode | undefined;
  /**
   * Write-behind: calls are acknowledged at once, and rows are sent when so many of them wait.
   * **What is acknowledged and not flushed is lost with the process**, unless it ends by itself:
   * before that it is sent. 1 when it is left out: a
   * call is acknowledged when its rows are in the store.
   */
  readonly batchSize?: number | undefined;
  /** Write-behind: how many seconds rows wait at most; 30 when it is left out. */
  readonly flushInterval?: number | undefined;
  /** How many seconds a call may try in all; 60 when it is left out. */
  readonly deadline?: number | undefined;
  /** After how many days the table drops rows; 365 when it is left out. */
  readonly retentionDays?: number | undefined;
  /**
   * How many seconds a read waits for rows that do not show yet, within its deadline; 60 when it
   * is left out.
   */
  readonly visibilityTimeout?: number | undefined;
  /** Whether `deleteThread` also removes the rows, which needs a database administrator. */
  readonly admin?: boolean | undefined;
  /** Hosts, beyond the service's own and this machine, that may get the token. */
  readonly trustedHosts?: readonly string[] | undefined;
  /** Where an application's secret is shown; that of the cluster's cloud when it is left out. */
  readonly authority?: string | undefined;
  /** Serializes the values; `JsonPlusSerde` when it is left out. */
  readonly serde?: SerializerProtocol | undefined;
  /** Sends the requests; the global `fetch` when it is left out. */
  readonly fetch?: Fetch | undefined;
  /** Receives each warning once; by default they are warnings of the runtime. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** The names of the options; the type makes sure that none is left out. */
const NAMES: Record<keyof KustoOptions, true> = {
  admin: true,
  assumeImmutable: true,
  authority: true,
  batchSize: true,
  cacheBytes: true,
  clusterUri: true,
  core: true,
  credential: true,
  database: true,
  deadline: true,
  fetch: true,
  flushInterval: true,
  ingestMode: true,
  onWarning: true,
  retentionDays: true,
  serde: true,
  table: true,
  trustedHosts: true,
  visibilityTimeout: true,
};

/** Refuses options that there are not. */
export function checkNames(options: KustoOptions): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(NAMES, name)) continue;
    const near = nearest(name, Object.keys(NAMES));
    const hint = near === undefined ? "leave it out" : `write ${near}`;
    throw new InvalidInputError("unknown-option", `there is no option ${name}; ${hint}`);
  }
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

/** What the planner is told of the options. */
export function toStoreOptions(options: KustoOptions, credential = false): StoreOptions {
  checkNames(options);
  const { clusterUri, database, table, batchSize, retentionDays } = options;
  const store: StoreOptions = {
    clusterUri: required("clusterUri", clusterUri),
    database: required("database", database),
    ingestMode: toIngestMode(options.ingestMode),
    admin: options.admin === true,
    trustedHosts: [...(options.trustedHosts ?? [])],
    credential,
  };
  if (table !== undefined) store.table = required("table", table);
  if (batchSize !== undefined) store.batchSize = toCount("batchSize", batchSize);
  if (retentionDays !== undefined) store.retentionDays = toCount("retentionDays", retentionDays);
  for (const name of ["flushInterval", "deadline", "visibilityTimeout"] as const) {
    const seconds = options[name];
    if (seconds !== undefined) store[`${name}Ms`] = toMilliseconds(name, seconds);
  }
  return store;
}

function required(name: string, value: string | undefined): string {
  if (typeof value === "string" && value.isWellFormed()) return value;
  throw new InvalidInputError("invalid-option", `the option ${name} has to be text`);
}

function toIngestMode(mode: unknown = "auto"): IngestMode {
  if (mode === "auto" || mode === "streaming" || mode === "inline") return mode;
  throw new InvalidInputError(
    "invalid-option",
    'the option ingestMode has to be "auto", "streaming" or "inline"',
  );
}

/** A whole number from 1, of 32 bits. */
function toCount(name: string, count: unknown): number {
  if (typeof count === "number" && Number.isInteger(count) && count >= 1 && count < 2 ** 32) {
    return count;
  }
  const what = "a whole number from 1; leave it out for the default";
  throw new InvalidInputError("invalid-option", `the option ${name} has to be ${what}`);
}

/** Some time, in whole milliseconds of 32 bits. */
function toMilliseconds(name: string, seconds: unknown): number {
  const count = typeof seconds === "number" ? Math.round(seconds * 1000) : Number.NaN;
  if (count >= 1 && count < 2 ** 32) return count;
  const what = "a number of seconds, at least 0.001; leave it out for the default";
  throw new InvalidInputError("invalid-option", `the option ${name} has to be ${what}`);
}
