import type { SqlValue } from "../../planner/adapter.js";

/** A statement's text for drivers that bind by place, and its parameters by their places. */
export interface Placed {
  readonly text: string;
  arranged(parameters: readonly SqlValue[]): readonly SqlValue[];
}

/**
 * A text with `?` for `?1`, `?2`, ...: some drivers bind numbered parameters by name alone, which
 * costs twice as much. The planner's texts have no question mark but those of parameters.
 */
export function placed(text: string): Placed {
  const places: number[] = [];
  const plain = text.replaceAll(/\?(\d+)/g, (_, number: string) => {
    places.push(Number(number) - 1);
    return "?";
  });
  if (places.every((place, index) => place === index)) {
    return { text: plain, arranged: (parameters) => parameters };
  }
  // One that is missing stays missing: a driver may refuse that.
  const arranged = (parameters: readonly SqlValue[]) =>
    places.flatMap((place) => parameters.slice(place, place + 1));
  return { text: plain, arranged };
}
