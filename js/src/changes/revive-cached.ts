// Revives values from the cache.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { knowsParts, loadAll } from "../serde/payload.js";
import { type Fields, setOwn } from "../serde/records.js";
import { fingerprintOf } from "./fingerprints/one.js";
import { Fingerprints } from "./fingerprints/parts.js";
import {
  first,
  type Revived,
  type Tracked,
  TrackedParts,
  TrackedWhole,
  valueText,
} from "./value.js";

/** Revives a remembered value, as new objects. */
export async function reviveCached(
  serde: SerializerProtocol,
  tracked: Tracked,
  immutable: boolean,
): Promise<Revived> {
  if (tracked instanceof TrackedWhole || !knowsParts(serde)) {
    const [value] = await loadAll(serde, [tracked.payload]);
    return { value, tracked };
  }
  const { shape, length } = tracked;
  const keys = tracked.keys && first(length, tracked.keys);
  const texts = first(length, tracked.texts);
  const items = texts.map((text, place) => {
    const again = tracked.fingerprints.remake(place);
    return again === undefined ? serde.loads("json", valueText(keys?.[place], text)) : again.item;
  });
  const value = keys === undefined ? items : toMap(keys, items);
  if (!immutable && !tracked.isRead) {
    const fingerprints = tracked.fingerprints.toGrow(length);
    return { value, tracked: new TrackedParts(shape, keys, texts, fingerprints, tracked.bytes) };
  }
  const fingerprints = new Fingerprints(immutable);
  let { bytes } = tracked;
  for (const [place, text] of texts.entries()) {
    const item = items[place];
    if (immutable) {
      fingerprints.addRead(item, text);
    } else if (tracked.fingerprints.isRead(place)) {
      // The part gets its fingerprint now if it is written as the text that was read, as is usual.
      // The next time it can be made from that.
      const recorded = fingerprintOf(item);
      const same = recorded?.text === valueText(keys?.[place], text);
      fingerprints.addFingerprint(same ? recorded?.fingerprint : undefined);
    } else {
      fingerprints.addKept(tracked.fingerprints, place);
    }
    bytes += fingerprints.bytesOf(place) - tracked.fingerprints.bytesOf(place);
  }
  return { value, tracked: new TrackedParts(shape, keys, texts, fingerprints, bytes) };
}

function toMap(keys: readonly string[], items: readonly unknown[]): Fields {
  const fields: Fields = {};
  for (const [index, key] of keys.entries()) setOwn(fields, key, items[index]);
  return fields;
}
