// The word that somebody may have meant.

import { editDistance } from "../../platform/edit-distance.js";

/** A question after the one of these words that is close to a wrong one; empty if none is. */
export function likely(wrong: string, words: readonly string[]): string {
  const near = words.map((word) => ({ word, distance: editDistance(wrong, word) }));
  near.sort((one, other) => one.distance - other.distance);
  const [nearest] = near;
  const isNear = nearest && nearest.distance <= 2 && nearest.distance * 2 < wrong.length;
  const bare = wrong.replace(/^-+/, "");
  const whole = bare.length > 2 ? words.find((word) => word.includes(bare)) : undefined;
  const word = isNear ? nearest.word : whole;
  return word === undefined ? "" : `; did you mean ${word}?`;
}
