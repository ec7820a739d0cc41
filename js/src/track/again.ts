// Values that are remembered, revived once more.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { knowsParts, loadAll } from "../payload.js";
import { type Fields, setOwn } from "../serde/records.js";
import { remake } from "../serde/remake.js";
import type { JsonPlusSerde } from "../serde/serializer.js";
import { isPrimitive, type Proof, proofBytes } from "./align.js";
import { record, Snapshot } from "./snapshot.js";
import { first, type Revived, type Tracked, TrackedParts, TrackedWhole } from "./value.js";

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
    bytes += proofBytes(again.proof) - proofBytes(proof);
  }
  const value = keys === undefined ? items : toMap(keys, items);
  return { value, tracked: new TrackedParts(shape, keys, texts, proofs, bytes) };
}

/** The text of a part's value. */
function valueText(key: string | undefined, text: string): string {
  return key === undefined ? text : text.slice(JSON.stringify(key).length + 1);
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
  if (proof instanceof Snapshot) {
    if (!proof.isWritten) return readPart(serde, text, proof);
    try {
      return { item: remake(proof.slots), proof };
    } catch {
      // A class refuses its kwargs: the text is read as the data that it is then.
    }
  } else if (isPrimitive(proof) && typeof proof !== "symbol") {
    return { item: proof, proof };
  }
  return { item: serde.loads("json", text), proof };
}

/**
 * Reads a part that was read before and not written. Where writing it gives the text that was read,
 * as most often, it need not be read another time.
 */
function readPart(serde: JsonPlusSerde, text: string, proof: Snapshot): RevivedPart {
  const item = serde.loads("json", text);
  if (proof.isWrittenElsewise) return { item, proof };
  const recorded = record(item);
  if (recorded?.text === text) return { item, proof: recorded.snapshot };
  proof.isWrittenElsewise = true;
  return { item, proof };
}
