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

/** A time with its offset, or a date, which means its begin in UTC. */
export function timeOf(option: string, text: string): Date {
  const time = TIME.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(time.getTime()) || !isDay(text.slice(0, 10))) {
    throw new UsageError(`${option} is not a time: 2026-01-31, 2026-01-31T12:00:00Z`);
  }
  return time;
}

const TIME = /^\d{4}-\d\d-\d\d(T([01]\d|2[0-3]):\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?$/i;

/** Whether a month has this day: a `Date` takes February 30 for March 1. */
function isDay(date: string): boolean {
  return new Date(date).toISOString().startsWith(date);
}
