/**
 * A text whose parameters are `?1`, `?2`, ..., each once and in this order, with plain `?` instead:
 * drivers take those by place, and numbered ones by name, which costs twice as much. Nothing for
 * any other text. The planner's have no question mark but those of parameters.
 */
export function withoutNumbers(text: string): string | undefined {
  const found = text.match(/\?\d*/g) ?? [];
  const inOrder = found.every((parameter, index) => parameter === `?${index + 1}`);
  return inOrder ? text.replaceAll(/\?\d+/g, "?") : undefined;
}
