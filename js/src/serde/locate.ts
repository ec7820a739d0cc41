// Where in a value reading throws, found once it has: writing a value notes no place of what it
// only reads.

import { types } from "../platform/runtime.js";
import { coreClassOf, kwargOf } from "./classes.js";
import type { PathStep } from "./errors.js";
import { isFields } from "./records.js";

/** A value to look at, and the way to it. */
interface Visit {
  readonly value: object;
  readonly path: Way | undefined;
}

/** The last step of a way, and those before it. */
interface Way {
  readonly step: PathStep;
  readonly before: Way | undefined;
}

/** The way to the first part that cannot be read; none where all can, as the second time. */
export function placeOfThrow(value: unknown): PathStep[] {
  const seen = new Set<object>();
  const visits: Visit[] = [];
  const visit = (nested: unknown, path: Way | undefined) => {
    if (typeof nested !== "object" || nested === null || seen.has(nested)) return;
    seen.add(nested);
    visits.push({ value: nested, path });
  };
  visit(value, undefined);
  for (let next = visits.pop(); next !== undefined; next = visits.pop()) {
    let at = next.path;
    try {
      const nested: [unknown, Way][] = [];
      for (const [step, read] of partsOf(next.value)) {
        at = { step, before: next.path };
        nested.push([read(), at]);
        at = next.path;
      }
      // The last one is looked at first.
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
    // Throws where the memory of the bytes was given away.
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

function stepsOf(way: Way | undefined): PathStep[] {
  const steps: PathStep[] = [];
  for (let at = way; at !== undefined; at = at.before) steps.push(at.step);
  return steps.reverse();
}
