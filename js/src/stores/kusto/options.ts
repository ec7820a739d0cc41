import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import {
  type CallOptions,
  checkOptions,
  FUNCTION,
  type Kind,
  type Kinds,
  type MemoryOptions,
  OF_KUSTO,
  refusedOption,
  TEXT,
  YES_OR_NO,
} from "../../options.js";
import type { WireValue } from "../../planner/wire/call.js";
import type { Fetch } from "./http.js";
import type { TokenCredential, TokenFunction } from "./token.js";

/** How rows reach the store. */
export type IngestMode = (typeof INGEST_MODES)[number];

/** In the order that the planner counts them. */
const INGEST_MODES = ["auto", "streaming", "inline"] as const;

/** What the planner is told of the options; what is left out has its default there. */
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
  /** Whether there is a token, or a way to get one. */
  readonly credential: boolean;
}

/** How a table of a Kusto database is used. */
export interface KustoOptions extends MemoryOptions, CallOptions {
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

/** A whole number from 1, of 32 bits. */
const COUNT: Kind = [
  (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) < 2 ** 32,
  "a whole number from 1; leave it out for the default",
];
/** Some time, in whole milliseconds of 32 bits. */
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
  // It is told apart, with a code of its own.
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

/** Refuses options that there are not, and values that are none of theirs. */
export function checkKustoOptions(options: unknown): void {
  checkOptions(options, KINDS);
}

/** What the planner is told of the options, which were looked at. */
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

/** A name or an address; of version 6, in brackets. */
function isHost(value: unknown): boolean {
  return (
    typeof value === "string" &&
    value.isWellFormed() &&
    /^(\[[^\s/@[\]]+\]|[^\s:/@?#[\]]+)$/.test(value)
  );
}
