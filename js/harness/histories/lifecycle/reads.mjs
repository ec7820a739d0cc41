// What reads give, short enough for a log.

import { stateDigest, valueDigest } from "../../support/summary.mjs";
import { CHANNEL } from "./rules.mjs";

/** LangGraph's tuples, each as a namespace, an id, a parent, a state's digest and writes. */
export function readsOf(tuples) {
  return tuples
    .filter((tuple) => tuple !== undefined)
    .map(({ config, checkpoint, metadata, parentConfig, pendingWrites = [] }) => {
      const texts = Object.entries(checkpoint.channel_values).map(([channel, value]) => {
        return [channel, JSON.stringify(value)];
      });
      return {
        ns: config.configurable.checkpoint_ns,
        id: checkpoint.id,
        parent: parentConfig?.configurable?.checkpoint_id,
        state: stateDigest(JSON.stringify(metadata), Object.fromEntries(texts)),
        writes: pendingWrites.map(([task, channel, value]) => {
          return [task, channel, valueDigest(JSON.stringify(value))];
        }),
      };
    });
}

/** A history of the delta channel: the digests of the seed and of the writes. */
export function historyDigest({ [CHANNEL]: { seed, writes } }) {
  const digest = (value) => valueDigest(JSON.stringify(value));
  const shown = writes.map(([task, , value]) => `${task}=${digest(value)}`);
  return [seed === undefined ? "none" : digest(seed), ...shown].join(" ");
}
