// What a saver has read of the histories of delta channels.

import type { ChannelHistory } from "../guest.js";
import { referenceToNothing } from "../page.js";

/** Histories that were read, by channel, each with all of its writes. */
export type Histories = ReadonlyMap<string, ChannelHistory>;

/** What a write takes beside its value. */
const WRITE_BYTES = 200;

/** A history with all of its writes: those of the one it goes on from, and those read. */
export function completed(history: ChannelHistory, before: Histories | undefined): ChannelHistory {
  const { goesOn, channel, writes, known } = history;
  if (goesOn !== true) return history;
  const begun = before?.get(channel);
  if (begun === undefined) throw referenceToNothing();
  return { ...begun, writes: [...begun.writes, ...writes], known };
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
