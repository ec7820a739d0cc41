// The arguments that several commands have.

import { SCHEMA } from "../../stores/postgres/options.js";
import { UsageError } from "./command.js";

/** The options of every command on a store. */
export const COMMON = {
  json: { type: "boolean", default: false },
  schema: { type: "string", default: SCHEMA },
} as const;

/** The positional arguments, checked. `more` of them may follow the named ones. */
export function taken(given: string[], names: readonly string[], more = 0): [string, ...string[]] {
  const [first, ...rest] = given;
  if (first === undefined || given.length < names.length || given.length > names.length + more) {
    throw new UsageError(`name ${names.join(", ")}`);
  }
  return [first, ...rest];
}

/** A whole number from 0. */
export function countOf(option: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${option} is not a whole number`);
  return Number(text);
}

/** A time, as ISO 8601. */
export function timeOf(option: string, text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new UsageError(`${option} is not a time`);
  return time;
}
