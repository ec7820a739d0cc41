import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { coreOf, type Kinds, LOCKING, type SaverOptions, TEXT, YES_OR_NO } from "../../options.js";

/** The options of a saver on PostgreSQL. */
export interface PostgresOptions extends SaverOptions {
  /**
   * The schema that has the tables, which `setup` makes if it is missing. Defaults to `"public"`.
   */
  readonly schema?: string | undefined;
  /**
   * How many milliseconds a call may take for each batch of statements, with all attempts. Defaults
   * to 30,000.
   */
  readonly deadlineMs?: number | undefined;
  /** Serializes the values. Defaults to `JsonPlusSerde`. */
  readonly serde?: SerializerProtocol | undefined;
}

/** The options of a saver whose driver can prepare statements. */
export interface PreparingOptions extends PostgresOptions {
  /**
   * Whether each connection keeps statements prepared, which saves the server half of its time for
   * small states. Not through a pooler in transaction mode. Defaults to false.
   */
  readonly prepare?: boolean | undefined;
}

const { busyDeadlineMs, ...COMMON } = LOCKING;

/** The kinds of the options. */
export const POSTGRES: Kinds<PostgresOptions> = {
  ...COMMON,
  core: coreOf("langgraph-checkpoint-wasm/core-postgres"),
  schema: TEXT,
  deadlineMs: busyDeadlineMs,
};

/** The kinds of the options of drivers that can prepare statements. */
export const PREPARING: Kinds<PreparingOptions> = { ...POSTGRES, prepare: YES_OR_NO };

/** The default of `schema`: that of LangGraph's own saver, whose tables have other names. */
export const SCHEMA = "public";
/** The default of `deadlineMs`. */
export const DEADLINE_MS = 30_000;
