// The arguments that several commands have.

import { type ParseArgsConfig, parseArgs } from "node:util";

import { timers } from "../../platform/timers.js";
import { SCHEMA } from "../../stores/postgres/options.js";
import { UsageError } from "./command.js";
import { likely } from "./likely.js";

/** The options of every command on a store. */
export const COMMON = {
  json: { type: "boolean", default: false },
  schema: { type: "string", default: SCHEMA },
} as const;

/** Takes the arguments of a command apart. Says what is wrong in the words of both programs. */
export function parsed<const Options extends NonNullable<ParseArgsConfig["options"]>>(
  args: string[],
  options: Options,
) {
  try {
    const found = parseArgs({ args, options, allowPositionals: true, tokens: true });
    const given = new Set<string>();
    for (const token of found.tokens) {
      if (token.kind !== "option" || options[token.name]?.multiple) continue;
      if (given.has(token.name)) throw new UsageError(`--${token.name} is given twice`);
      given.add(token.name);
    }
    return found;
  } catch (thrown) {
    throw explained(thrown, Object.keys(options));
  }
}

/** What Node.js says of an option, in the words of both programs. */
function explained(thrown: unknown, names: string[]): unknown {
  if (!(thrown instanceof Error && "code" in thrown)) return thrown;
  const [, option = ""] = /'(?:-\w, )?(--?[^' =]*)/.exec(thrown.message) ?? [];
  switch (thrown.code) {
    case "ERR_PARSE_ARGS_UNKNOWN_OPTION":
      return new UsageError(
        `there is no option ${option}${likely(
          option,
          names.map((name) => `--${name}`),
        )}`,
      );
    case "ERR_PARSE_ARGS_INVALID_OPTION_VALUE": {
      const takesNone = thrown.message.includes("does not take");
      return new UsageError(`${option} ${takesNone ? "takes no value" : "wants a value"}`);
    }
    default:
      return thrown;
  }
}

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

/** A time with its offset; a date, which means its begin in UTC; or a duration before now. */
export function timeOf(option: string, text: string): Date {
  const before = millisecondsOf(text);
  if (before !== undefined) return new Date(Math.max(0, timers.now() - before));
  const time = TIME.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(time.getTime()) || !isDay(text.slice(0, 10))) {
    throw new UsageError(`${option} is not a time: 2026-01-31, 2026-01-31T12:00:00Z, 30d`);
  }
  return time;
}

/** A duration, in milliseconds. */
export function durationOf(option: string, text: string | undefined): number {
  const duration = millisecondsOf(text ?? "");
  if (duration === undefined) throw new UsageError(`${option} takes a duration: 90m, 12h, 30d`);
  return duration;
}

const TIME = /^\d{4}-\d\d-\d\d(T([01]\d|2[0-3]):\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?$/i;

/** Whether a month has this day: a `Date` takes February 30 for March 1. */
function isDay(date: string): boolean {
  return new Date(date).toISOString().startsWith(date);
}

function millisecondsOf(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})([mhd])$/.exec(text) ?? [];
  if (count === undefined) return undefined;
  return Number(count) * (unit === "m" ? 60_000 : unit === "h" ? 3_600_000 : 86_400_000);
}
