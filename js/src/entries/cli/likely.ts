// The word that somebody may have meant.

/** A question after the one of these words that is close to a wrong one; empty if none is. */
export function likely(wrong: string, words: readonly string[]): string {
  const near = words.map((word) => ({ word, distance: distanceOf(wrong, word) }));
  near.sort((one, other) => one.distance - other.distance);
  const [nearest] = near;
  const isNear = nearest && nearest.distance <= 2 && nearest.distance * 2 < wrong.length;
  const bare = wrong.replace(/^-+/, "");
  const whole = bare.length > 2 ? words.find((word) => word.includes(bare)) : undefined;
  const word = isNear ? nearest.word : whole;
  return word === undefined ? "" : `; did you mean ${word}?`;
}

/** How many characters are added, removed or replaced to get from one word to another. */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (const [index, second] of [...other].entries()) {
      const replaced = (row[index] ?? 0) + (letter === second ? 0 : 1);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
