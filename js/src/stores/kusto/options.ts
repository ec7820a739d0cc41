import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import {
  type CacheOptions,
  type CallOptions,
  checkOptions,
  FUNCTION,
  type Kind,
  type Kinds,
  OF_KUSTO,
  refusedOption,
  TEXT,
  YES_OR_NO,
} from "../../options.js";
import type { WireValue } from "../../planner/wire/call.js";
import type { Fetch } from "./http.js";
import type { TokenCredential, TokenFunction } from "./token.js";

/** How rows are sent to the cluster. */
export type IngestMode = (typeof INGEST_MODES)[number];

/** In the order of the planner's numbers for them. */
const INGEST_MODES = ["auto", "streaming", "inline"] as const;

/** The options that the planner gets. Undefined ones get their defaults there. */
export interface StoreOptions {
  readonly clusterUri: string;
  readonly database: string;
  readonly table: string | undefined;
  readonly ingestMode: IngestMode;
  readonly batchSize: number | undefined;
  readonly flushIntervalMs: number | undefined;
  readonly deadlineMs: number | undefined;
  readonly retentionDays: number | undefined;
  readonly visibilityTimeoutMs: number | undefined;
  readonly admin: boolean;
  readonly trustedHosts: readonly string[];
  /** Whether requests carry a token. */
  readonly credential: boolean;
}

/** The options of a saver on a table of a Kusto database. */
export interface KustoOptions extends CacheOptions, CallOptions {
  /**
   * The compiled core module, `langgraph-checkpoint-wasm/planner-kusto.core.wasm`. Needed in
   * runtimes that cannot read files or compile WebAssembly. Defaults to the copy in this package.
   */
  readonly core?: WebAssembly.Module | undefined;
  /** The cluster's URI, such as `https://name.region.kusto.windows.net`. */
  readonly clusterUri?: string | undefined;
  /** The database. */
  readonly database?: string | undefined;
  /**
   * Gives the bearer token: a credential of `@azure/identity`, or a function. Leave it out for a
   * server that needs no token, or if the connection string has the login.
   */
  readonly credential?: TokenCredential | TokenFunction | undefined;
  /** The table. Defaults to `CheckpointLog`. */
  readonly table?: string | undefined;
  /**
   * How rows are sent: `"streaming"`; `"inline"`, for a cluster without streaming ingestion; or
   * `"auto"`, the default: streaming as long as the cluster supports it.
   */
  readonly ingestMode?: IngestMode | undefined;
  /**
   * Write-behind: with a value over 1, calls are acknowledged at once, and rows are sent when this
   * many of them wait. **Acknowledged rows that were not sent are lost if the process dies.** If it
   * ends by itself, they are sent first. Defaults to 1: a call is acknowledged when its rows are in
   * the store.
   */
  readonly batchSize?: number | undefined;
  /** Write-behind: rows wait at most this many seconds. Defaults to 30. */
  readonly flushInterval?: number | undefined;
  /** How many seconds a call may take, with all its retries. Defaults to 60. */
  readonly deadline?: number | undefined;
  /** After how many days the table drops rows. Defaults to 365. */
  readonly retentionDays?: number | undefined;
  /**
   * How many seconds, within its deadline, a read waits for rows that do not show yet. Defaults to
   * 60.
   */
  readonly visibilityTimeout?: number | undefined;
  /** Whether `deleteThread` also removes the rows. That needs a database administrator's role. */
  readonly admin?: boolean | undefined;
  /** Hosts that may get the token, besides the service's own and this machine. */
  readonly trustedHosts?: readonly string[] | undefined;
  /**
   * The URL of the login service that gets an application's secret. Defaults to that of the
   * cluster's cloud.
   */
  readonly authority?: string | undefined;
  /** Serializes the values. Defaults to `JsonPlusSerde`. */
  readonly serde?: SerializerProtocol | undefined;
  /** Sends the requests. Defaults to the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** Receives each warning once. Defaults to the runtime's own warnings. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** A whole number from 1 to 2^32 - 1. */
const COUNT: Kind = [
  (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) < 2 ** 32,
  "a whole number from 1; leave it out for the default",
];
/** A number of seconds that is from 1 to 2^32 - 1 in milliseconds. */
const SECONDS: Kind = [
  (value) => typeof value === "number" && toMs(value) >= 1 && toMs(value) < 2 ** 32,
  "a number of seconds, at least 0.001; leave it out for the default",
];
const HOSTS: Kind = [
  (value) => Array.isArray(value) && value.every(isHost),
  'a list of hosts alone, such as ["kusto.example.com"], without https://, port or path',
];

const KINDS: Kinds<KustoOptions> = {
  ...OF_KUSTO,
  admin: YES_OR_NO,
  authority: TEXT,
  batchSize: COUNT,
  clusterUri: TEXT,
  // `checkCredential` checks it, with a code of its own.
  credential: [() => true, "one of @azure/identity"],
  database: TEXT,
  deadline: SECONDS,
  fetch: FUNCTION,
  flushInterval: SECONDS,
  ingestMode: [
    (value) => value === "auto" || value === "streaming" || value === "inline",
    '"auto", "streaming" or "inline"',
  ],
  onWarning: FUNCTION,
  retentionDays: COUNT,
  table: TEXT,
  trustedHosts: HOSTS,
  visibilityTimeout: SECONDS,
};

/** Throws `unknown-option` or `invalid-option` for options that are not Kusto's. */
export function checkKustoOptions(options: unknown): void {
  checkOptions(options, KINDS);
}

/** The options that the planner gets. `options` have been checked. */
export function toStoreOptions(options: KustoOptions, credential = false): StoreOptions {
  const { clusterUri, database, table, batchSize, retentionDays } = options;
  return {
    clusterUri: required("clusterUri", "Data Source", clusterUri),
    database: required("database", "Initial Catalog", database),
    table,
    ingestMode: options.ingestMode ?? "auto",
    batchSize,
    flushIntervalMs: optionalMs(options.flushInterval),
    deadlineMs: optionalMs(options.deadline),
    retentionDays,
    visibilityTimeoutMs: optionalMs(options.visibilityTimeout),
    admin: options.admin === true,
    trustedHosts: [...(options.trustedHosts ?? [])],
    credential,
  };
}

/** The options as `open` of wit/planner/wire.wit takes them. */
export function toWireStore(options: StoreOptions): WireValue {
  return [
    1,
    options.clusterUri,
    options.database,
    options.table,
    INGEST_MODES.indexOf(options.ingestMode),
    options.batchSize,
    options.flushIntervalMs,
    options.deadlineMs,
    options.retentionDays,
    options.visibilityTimeoutMs,
    options.admin,
    options.trustedHosts,
    options.credential,
  ];
}

function optionalMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : toMs(seconds);
}

function required(name: string, keyword: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw refusedOption(
    `the option ${name} is missing; in a connection string it is written as ${keyword}=...`,
  );
}

function toMs(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** Whether a value is a host name or an IP address, one of version 6 in brackets. */
function isHost(value: unknown): boolean {
  return (
    typeof value === "string" &&
    value.isWellFormed() &&
    /^(\[[^\s/@[\]]+\]|[^\s:/@?#[\]]+)$/.test(value)
  );
}
