// Summaries of checkpoints for logs and for the model: short, and different if anything differs.

import { createHash } from "node:crypto";

function digest(texts) {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex").slice(0, 16);
}

/** The digest of a state: the metadata's text, and the text of each channel's value. */
export function stateDigest(metadata, values) {
  const channels = Object.keys(values).sort();
  return digest([metadata, ...channels.flatMap((channel) => [channel, values[channel]])]);
}

/** The digest of a write's value. */
export function valueDigest(text) {
  return digest([text]);
}

/** A checkpoint with its writes, each a task, a channel and the digest of a value. */
export function summary({ id, parent, state, writes }) {
  const shown = writes.map(([task, channel, value]) => `${task}:${channel}=${value}`);
  return `${id} after ${parent ?? "none"} ${state} [${shown.join(" ")}]`;
}

/** The summary of a tuple from LangGraph's interface. */
export function summaryOf({ checkpoint, metadata, parentConfig, pendingWrites = [] }) {
  const texts = Object.entries(checkpoint.channel_values).map(([channel, value]) => {
    return [channel, JSON.stringify(value)];
  });
  return summary({
    id: checkpoint.id,
    parent: parentConfig?.configurable?.checkpoint_id,
    state: stateDigest(JSON.stringify(metadata), Object.fromEntries(texts)),
    writes: pendingWrites.map(([task, channel, value]) => {
      return [task, channel, valueDigest(JSON.stringify(value))];
    }),
  });
}
