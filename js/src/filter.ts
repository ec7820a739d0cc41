// What a list's filter compares: the fields of metadata, as JSON.

import { types } from "./runtime.js";
import { isFields } from "./serde/records.js";

/** A value as JSON has it, where a filter is to find it as that: `-0` is 0, a Date its text. */
export function asCompared(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (!types.isDate(value) || Number.isNaN(Number(value))) return value;
  return new Date(Number(value)).toISOString();
}

/** Metadata with its fields as a filter compares them: itself, mostly. */
export function withCompared<Metadata>(metadata: Metadata): Metadata {
  try {
    if (!isFields(metadata)) return metadata;
    const entries = Object.entries(metadata);
    if (entries.every(([, value]) => Object.is(asCompared(value), value))) return metadata;
    return Object.fromEntries(entries.map(([key, value]) => [key, asCompared(value)])) as Metadata;
  } catch {
    // Reading it threw; writing it says where.
    return metadata;
  }
}
