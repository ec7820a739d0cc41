// What a saver has read of the histories of delta channels.

import { type OutcomeOf, referenceToNothing } from "../planner/contract.js";

/** The history of a channel. */
export type ChannelHistory = OutcomeOf<"history">["val"][number];

/** Histories that were read, by channel, each with all of its writes. */
export type Histories = ReadonlyMap<string, ChannelHistory>;

/** What a write takes beside its value. */
const WRITE_BYTES = 200;

/** A history with all of its writes: those of the one it goes on from, and those read. */
export function completed(history: ChannelHistory, before: Histories | undefined): ChannelHistory {
  if (!history.goesOn) return history;
  const begun = before?.get(history.channel);
  if (begun === undefined) throw referenceToNothing();
  const whole = { ...history, writes: [...begun.writes, ...history.writes] };
  return begun.seed === undefined ? whole : { ...whole, seed: begun.seed };
}

/** About how much memory histories take. */
export function historiesBytes(histories: Histories): number {
  let bytes = 0;
  for (const { writes, seed, known } of histories.values()) {
    bytes += WRITE_BYTES + (seed?.bytes.length ?? 0) + (known?.length ?? 0);
    for (const { value } of writes) bytes += WRITE_BYTES + value.bytes.length;
  }
  return bytes;
}
