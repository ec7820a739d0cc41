// Parts that were read are proven when they are first put again: a value that is only read is
// spared the proofs.

import { isPrimitive, type Parts, type Proof, READ, UNPROVABLE } from "./align.js";
import { type Recorded, record } from "./snapshot.js";
import { type TrackedParts, valueText } from "./value.js";

/**
 * Gives the parts that were read a proof: they are unchanged where they are written as the text
 * that was read. One that is not among the parts there are, or is written elsewise, can only be
 * written again.
 */
export function settle(before: TrackedParts, now: Parts): void {
  if (!before.isRead) return;
  before.isRead = false;
  const looks = new Looks(now);
  const moved: number[] = [];
  for (let place = 0; place < before.length; place += 1) {
    if (before.proofs[place] !== READ) continue;
    before.proofs[place] = looks.proofOf(place, textAt(before, place));
    if (before.proofs[place] === UNPROVABLE) moved.push(place);
  }
  if (moved.length === 0) return;
  const byText = looks.byText();
  for (const place of moved) {
    before.proofs[place] = byText.get(textAt(before, place))?.snapshot ?? UNPROVABLE;
  }
}

function textAt({ keys, texts }: TrackedParts, place: number): string {
  return valueText(keys?.[place], texts[place] ?? "");
}

/** The parts as they are written, each written once. */
class Looks {
  readonly #items: readonly unknown[];
  readonly #found = new Map<number, Recorded | undefined>();

  constructor({ items }: Parts) {
    this.#items = items;
  }

  /** The proof of the part at an index, if it is written as this text. */
  proofOf(index: number, text: string): Proof {
    const recorded = this.#at(index);
    return recorded?.text === text ? recorded.snapshot : UNPROVABLE;
  }

  byText(): ReadonlyMap<string, Recorded> {
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
