// The values of a list's filter.

import { types } from "../platform/runtime.js";

/**
 * The form in which the planner compares a filter's value: 0 for `-0`, ISO text for a valid Date,
 * and any other value as it is.
 */
export function asCompared(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (!types.isDate(value) || Number.isNaN(Number(value))) return value;
  return new Date(Number(value)).toISOString();
}
