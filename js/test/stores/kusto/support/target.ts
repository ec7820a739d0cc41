// Tables for tests, on the local Kusto or on a cluster.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

import { inject } from "vitest";

import { type Clock, systemClock } from "../../../../src/stores/kusto/clock.js";
import { type KustoOptions, toStoreOptions } from "../../../../src/stores/kusto/options.js";
import { KustoSaver } from "../../../../src/stores/kusto/saver.js";
import { KustoStore } from "../../../../src/stores/kusto/store.js";
import { NO_TOKEN, tokensOf } from "../../../../src/stores/kusto/token.js";
import { credential } from "./credential.js";

const target = inject("kusto");
const PROVISION = new URL("../../../../../provision.kql", import.meta.url);

/** For tests on a cluster or its stand-in. Skipped if there is neither. */
export const describeKusto = target.kind === "none" ? describe.skip : describe;
/** For tests that need the stand-in, for example to make it fail. */
export const isLocal = target.kind === "local";
export const describeLocal = isLocal ? describe : describe.skip;

if (target.kind === "none") console.warn(`skipped: ${target.reason}`);

/** Replacements for a saver's surroundings. */
export interface Surroundings {
  readonly clock?: Clock;
}

/** A table that nothing else uses. */
export class Table {
  readonly options: KustoOptions;

  constructor(options: KustoOptions) {
    this.options = options;
  }

  /** Opens a saver on the table. */
  async open(more: KustoOptions = {}, { clock }: Surroundings = {}): Promise<KustoSaver> {
    const options = { ...this.options, ...more };
    if (clock === undefined) return KustoSaver.fromConnectionString(options);
    const store = toStoreOptions(options, options.credential !== undefined);
    const tokens =
      options.credential === undefined
        ? NO_TOKEN
        : tokensOf(options.credential, store.clusterUri, systemClock);
    const warn = options.onWarning ?? (() => {});
    const surroundings = {
      fetch: options.fetch ?? fetch,
      tokens,
      warn,
      warnAtExit: warn,
      clock,
    };
    return new KustoSaver(new KustoStore(store, surroundings), options);
  }

  /** Removes the table. */
  async drop(): Promise<void> {
    if (isLocal) await this.local("DELETE", "databases");
    else {
      for (const table of [this.options.table, `${this.options.table}_Tombstones`]) {
        await this.run(`.drop table ${table} ifexists`);
      }
    }
  }

  /** Sends the stand-in a request that clusters do not have. */
  async local(method: string, path: string, body: object = {}): Promise<unknown> {
    const { clusterUri, database = "" } = this.options;
    const url = new URL(`/local/${path}`, clusterUri);
    const init: RequestInit = { method };
    if (method === "GET") url.searchParams.set("database", database);
    else init.body = JSON.stringify({ database, ...body });
    const response = await fetch(url, init);
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  }

  /** Runs a command or a query, and returns its rows. */
  async run(text: string): Promise<Record<string, unknown>[]> {
    const { clusterUri, database } = this.options;
    const endpoint = text.startsWith(".") ? "mgmt" : "query";
    const headers: Record<string, string> = { "content-type": "application/json" };
    const token = await credential()?.({ scope: `${clusterUri}/.default`, fresh: false });
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    const response = await fetch(`${clusterUri}/v1/rest/${endpoint}`, {
      method: "POST",
      headers,
      body: JSON.stringify({ db: database, csl: text }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    const [{ Columns, Rows }] = answer.Tables;
    return Rows.map((row: unknown[]) => {
      return Object.fromEntries(row.map((cell, index) => [Columns[index].ColumnName, cell]));
    });
  }
}

const made: Table[] = [];

afterAll(async () => {
  for (const table of made.splice(0)) await table.drop();
});

/** A new, empty table: on the stand-in in a database of its own, else in the given database. */
export async function newTable(): Promise<Table> {
  if (target.kind === "none") throw new Error(target.reason);
  const name = `lgtest_${randomBytes(6).toString("hex")}`;
  const { clusterUri } = target;
  const table =
    target.kind === "local"
      ? new Table({ clusterUri, database: name })
      : new Table({ clusterUri, database: target.database, table: name, ...options() });
  made.push(table);
  if (target.kind === "local") return table;
  for (const command of commands(name)) await table.run(command);
  return table;
}

function options(): KustoOptions {
  const given = credential();
  const mode = process.env.KUSTO_INGEST_MODE;
  return {
    ...(given !== undefined && { credential: given }),
    ...(mode !== undefined && { ingestMode: mode as "auto" }),
  };
}

/** The commands that create the tables, without the views and functions for people. */
function commands(table: string): string[] {
  // New tables get their policies directly. The template would need an administrator.
  const text = provision(table)
    .replaceAll(`${table}_New`, table)
    .replaceAll(`${table}Tombstones`, `${table}_Tombstones`);
  const all = text.split(/\n\s*\n/).map((part) => part.replaceAll(/^\s*\/\/.*$/gm, "").trim());
  return all.filter((command) =>
    /^\.(create-merge table|create-or-alter table|alter|clear)/.test(command),
  );
}

/** `provision.kql` for a table. */
export function provision(table: string): string {
  return readFileSync(PROVISION, "utf8").replaceAll("CheckpointLog", table);
}
