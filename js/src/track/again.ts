// Values that are remembered, revived once more.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { knowsParts, loadAll } from "../payload.js";
import { type Fields, setOwn } from "../serde/records.js";
import { remake } from "../serde/remake.js";
import type { JsonPlusSerde } from "../serde/serializer.js";
import { isPrimitive, type Proof, proofBytes, READ, UNPROVABLE } from "./align.js";
import { record, Snapshot } from "./snapshot.js";
import {
  first,
  type Revived,
  type Tracked,
  TrackedParts,
  TrackedWhole,
  valueText,
} from "./value.js";

/** Revives a value that is remembered. Its parts are other objects than before. */
export async function reviveAgain(
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
  const proofs = [...first(length, tracked.proofs)];
  const items: unknown[] = [];
  let { bytes } = tracked;
  for (let index = 0; index < length; index += 1) {
    const text = valueText(keys?.[index], texts[index] ?? "");
    const proof = proofs[index];
    const again = revivePart(serde, text, proof);
    items.push(again.item);
    proofs[index] = immutable ? again.item : again.proof;
    bytes += proofBytes(text, again.proof) - proofBytes(text, proof);
  }
  const value = keys === undefined ? items : toMap(keys, items);
  return { value, tracked: new TrackedParts(shape, keys, texts, proofs, bytes) };
}

function toMap(keys: readonly string[], items: readonly unknown[]): Fields {
  const fields: Fields = {};
  for (const [index, key] of keys.entries()) setOwn(fields, key, items[index]);
  return fields;
}

/** A part, and what proves it from then on. */
interface RevivedPart {
  readonly item: unknown;
  readonly proof: Proof;
}

function revivePart(serde: JsonPlusSerde, text: string, proof: Proof): RevivedPart {
  if (proof instanceof Snapshot && proof.isWritten) {
    try {
      return { item: remake(proof.slots), proof };
    } catch {
      // A class refuses its kwargs: the text is read as the data that it is then.
    }
  }
  if (isPrimitive(proof) && typeof proof !== "symbol") return { item: proof, proof };
  const item = serde.loads("json", text);
  if (proof !== READ) return { item, proof };
  // Where writing the part gives the text that was read, as most often, this was the last time.
  const recorded = record(item);
  return { item, proof: recorded?.text === text ? recorded.snapshot : UNPROVABLE };
}
