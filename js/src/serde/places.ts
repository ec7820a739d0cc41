// The texts of values that were written by themselves, put in their places.

/** Nobody outside can know it, so no text of a user's has it. */
const MARK = `written later ${Math.random()} `;

/** The pieces of a text between places, and the numbers of these, by turns. */
const PLACE = new RegExp(`"${MARK.replaceAll(".", "[.]")}([0-9]+)"`);

/** Stands in a text for another, by its number. */
export function placeholder(number: number): string {
  return `${MARK}${number}`;
}

/** The first text, with the others in their places in it and in one another. */
export function inPlaces(texts: readonly string[]): string {
  const whole: string[] = [];
  const split = (index: number) => ({ pieces: (texts[index] ?? "").split(PLACE), at: 0 });
  const open = [split(0)];
  for (let text = open.at(-1); text !== undefined; text = open.at(-1)) {
    const { pieces, at } = text;
    const piece = pieces[at];
    text.at += 1;
    if (piece === undefined) open.pop();
    else if (at % 2 === 0) whole.push(piece);
    else open.push(split(Number(piece) + 1));
  }
  return whole.join("");
}
