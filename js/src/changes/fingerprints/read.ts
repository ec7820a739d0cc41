// Parts that were read are proven when they are first put again: a value that is only read is
// spared the proofs.

import type { Parts } from "./align.js";
import { isPrimitive, Proofs } from "./proofs.js";
import { type Recorded, record, type Snapshot } from "./snapshot.js";
import { type TrackedParts, valueText } from "./value.js";

/**
 * Gives the parts that were read a proof: they are unchanged where they are written as the text
 * that was read. One that is not among the parts there are, or is written elsewise, can only be
 * written again.
 */
export function settle(before: TrackedParts, now: Parts): void {
  if (!before.isRead) return;
  before.isRead = false;
  const { proofs, length } = before;
  const looks = new Looks(now);
  const settled = new Proofs(false);
  for (let place = 0; place < length; place += 1) {
    if (proofs.isRead(place)) settled.addSnapshot(looks.find(place, textAt(before, place)));
    else settled.addKept(proofs, place);
  }
  before.proofs = settled;
}

function textAt({ keys, texts }: TrackedParts, place: number): string {
  return valueText(keys?.[place], texts[place] ?? "");
}

/** The parts as they are written, each written once. */
class Looks {
  readonly #items: readonly unknown[];
  readonly #found = new Map<number, Recorded | undefined>();
  #byText: ReadonlyMap<string, Recorded> | undefined;

  constructor({ items }: Parts) {
    this.#items = items;
  }

  /** The snapshot of a part that is written as this text: the one at the index, or another. */
  find(index: number, text: string): Snapshot | undefined {
    const recorded = this.#at(index);
    if (recorded?.text === text) return recorded.snapshot;
    this.#byText ??= this.#all();
    return this.#byText.get(text)?.snapshot;
  }

  #all(): ReadonlyMap<string, Recorded> {
    const map = new Map<string, Recorded>();
    for (const index of this.#items.keys()) {
      const recorded = this.#at(index);
      if (recorded?.text !== undefined) map.set(recorded.text, recorded);
    }
    return map;
  }

  #at(index: number): Recorded | undefined {
    if (this.#found.has(index)) return this.#found.get(index);
    const item = this.#items[index];
    const recorded = isPrimitive(item) ? undefined : record(item);
    this.#found.set(index, recorded);
    return recorded;
  }
}
