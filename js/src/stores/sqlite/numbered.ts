import type { SqlValue } from "../../planner/adapter.js";

/**
 * A statement whose parameters are bound by position: its text, and its parameters in that order.
 */
export interface Positional {
  readonly text: string;
  arranged(parameters: readonly SqlValue[]): readonly SqlValue[];
}

/**
 * The statement of a text, with `?` for `?1`, `?2`, and so on. Some drivers bind numbered
 * parameters by name only, which costs twice as much. Every question mark of the planner's texts is
 * a parameter.
 */
export function positional(text: string): Positional {
  const places: number[] = [];
  const plain = text.replaceAll(/\?(\d+)/g, (_, number: string) => {
    places.push(Number(number) - 1);
    return "?";
  });
  if (places.every((place, index) => place === index)) {
    return { text: plain, arranged: (parameters) => parameters };
  }
  // A missing parameter stays missing, so that the driver can refuse it.
  const arranged = (parameters: readonly SqlValue[]) =>
    places.flatMap((place) => parameters.slice(place, place + 1));
  return { text: plain, arranged };
}
