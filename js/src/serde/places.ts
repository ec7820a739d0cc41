// Placeholders for values that are written separately, and their replacement.

/** Random, so that no text of a user's contains it. */
const MARK = `written later ${Math.random()} `;

/** Splits a text into pieces and the numbers of the placeholders between them, alternately. */
const PLACE = new RegExp(`"${MARK.replaceAll(".", "[.]")}([0-9]+)"`);

/** The placeholder of the text with this number. */
export function placeholder(number: number): string {
  return `${MARK}${number}`;
}

/** The first text, with every placeholder replaced by its text. Those may have placeholders too. */
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
