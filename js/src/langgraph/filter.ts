// What a list's filter asks for, as JSON.

import { types } from "../platform/runtime.js";

/** A value by which the planner finds it however it is stored: 0 for `-0`, its text for a Date. */
export function asCompared(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (!types.isDate(value) || Number.isNaN(Number(value))) return value;
  return new Date(Number(value)).toISOString();
}
