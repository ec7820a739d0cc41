// What `diff` gives.

import type * as contract from "../planner/contract.js";

/** What a comparison looks at. */
export interface DiffOptions {
  /** The id of the earlier checkpoint, of the same namespace. Defaults to the parent. */
  readonly before?: string | undefined;
  /** Whether to read the values that differ. Defaults to false. */
  readonly values?: boolean | undefined;
}

/** A value or an element. */
export interface Part {
  /** Its serialized size. */
  readonly bytes: number;
  /** Only if values were asked for. A list whose elements are named has none. */
  readonly value?: unknown;
}

/** What differs between a checkpoint and an earlier one. */
export type Difference = contract.Difference<Part>;

type Load = (kind: string, bytes: Uint8Array) => unknown;

/** The difference with its values loaded. */
export async function loaded(found: contract.Difference, load: Load): Promise<Difference> {
  const of = async ({ bytes, value }: contract.PartSize): Promise<Part> => {
    return value === undefined ? { bytes } : { bytes, value: await load(value.kind, value.bytes) };
  };
  const part = async (given: contract.PartSize | undefined) => given && (await of(given));
  const element = async ({ place, before, after }: contract.ElementDifference) => {
    return { place, before: await part(before), after: await part(after) };
  };
  const channels = found.channels.map(async ({ before, after, elements, ...channel }) => ({
    ...channel,
    before: await part(before),
    after: await part(after),
    elements: elements && (await Promise.all(elements.map(element))),
  }));
  const writes = found.writes.map(async ({ value, ...write }) => {
    return { ...write, value: await of(value) };
  });
  return {
    before: found.before,
    channels: await Promise.all(channels),
    writes: await Promise.all(writes),
  };
}
