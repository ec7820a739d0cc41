// Finds where in a value reading throws, after it has thrown: the writer does not track every path.

import { types } from "../platform/runtime.js";
import { coreClassOf, kwargOf } from "./classes.js";
import type { PathStep } from "./errors.js";
import { isFields } from "./records.js";

/** A value to look at, and the path to it. */
interface Visit {
  readonly value: object;
  readonly path: Path | undefined;
}

/** A path, as its last step and the path before that. */
interface Path {
  readonly step: PathStep;
  readonly before: Path | undefined;
}

/**
 * The path to the first part that throws when read. Empty if none does: reading may work the second
 * time.
 */
export function placeOfThrow(value: unknown): PathStep[] {
  const seen = new Set<object>();
  const visits: Visit[] = [];
  const visit = (nested: unknown, path: Path | undefined) => {
    if (typeof nested !== "object" || nested === null || seen.has(nested)) return;
    seen.add(nested);
    visits.push({ value: nested, path });
  };
  visit(value, undefined);
  for (let next = visits.pop(); next !== undefined; next = visits.pop()) {
    let at = next.path;
    try {
      const nested: [unknown, Path][] = [];
      for (const [step, read] of partsOf(next.value)) {
        at = { step, before: next.path };
        nested.push([read(), at]);
        at = next.path;
      }
      // The last one pushed is visited first.
      for (const [part, path] of nested.reverse()) visit(part, path);
    } catch {
      return stepsOf(at);
    }
  }
  return [];
}

function* partsOf(value: object): Iterable<[PathStep, () => unknown]> {
  if (Array.isArray(value)) {
    for (const index of value.keys()) yield [index, () => value[index]];
  } else if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
    // Throws if the buffer was transferred.
    new Uint8Array(ArrayBuffer.isView(value) ? value.buffer : value);
  } else if (types.isMap(value) || types.isSet(value)) {
    for (const [index, item] of [...value].entries()) yield [index, () => item];
  } else if (isFields(value)) {
    const kwargs = coreClassOf(value) === undefined ? undefined : value.lc_kwargs;
    const fields = isFields(kwargs) ? kwargs : value;
    const read = (key: string) => (isFields(kwargs) ? kwargOf(value, kwargs, key) : value[key]);
    for (const key of Object.keys(fields)) yield [key, () => read(key)];
  }
}

function stepsOf(path: Path | undefined): PathStep[] {
  const steps: PathStep[] = [];
  for (let at = path; at !== undefined; at = at.before) steps.push(at.step);
  return steps.reverse();
}
