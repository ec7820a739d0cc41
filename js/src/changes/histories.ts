// The histories of delta channels that a saver remembers.

import { type OutcomeOf, referenceToNothing } from "../planner/contract.js";

/** The history of a channel. */
export type ChannelHistory = OutcomeOf<"history">["val"][number];

/** Histories by channel, each with all of its writes. */
export type Histories = ReadonlyMap<string, ChannelHistory>;

/** The memory of a write, without its value. */
const WRITE_BYTES = 200;

/**
 * Completes a history: if it goes on from a remembered one, that one's writes and seed come first.
 */
export function completed(history: ChannelHistory, before: Histories | undefined): ChannelHistory {
  if (!history.goesOn) return history;
  const begun = before?.get(history.channel);
  if (begun === undefined) throw referenceToNothing();
  const whole = { ...history, writes: [...begun.writes, ...history.writes] };
  return begun.seed === undefined ? whole : { ...whole, seed: begun.seed };
}

/** About how many bytes of memory histories take. */
export function historiesBytes(histories: Histories): number {
  let bytes = 0;
  for (const { writes, seed, known } of histories.values()) {
    bytes += WRITE_BYTES + (seed?.bytes.length ?? 0) + (known?.length ?? 0);
    for (const { value } of writes) bytes += WRITE_BYTES + value.bytes.length;
  }
  return bytes;
}
