/** Values that are written as their parts, each by itself: the items of a list, a map's fields. */
import { hasToJson, isPlain } from "./write.js";

/** How the texts of a value's parts are joined: `[...]` or `{...}`. */
export type ValueShape = "list" | "map";

/**
 * How a value is written as its parts, or undefined where it is written as a whole: where it is
 * anything else, or looks like a record, which is escaped as a whole.
 */
export function shapeOf(value: unknown): ValueShape | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) return hasToJson(value) ? undefined : "list";
  if (!isPlain(value)) return undefined;
  return Object.hasOwn(value, "lc") || Object.hasOwn(value, "lg_name") ? undefined : "map";
}

/** The text of a part in the text of the whole, from the text of its value. */
export function partText(shape: ValueShape, key: string | number, text: string): string {
  return shape === "list" ? text : `${JSON.stringify(String(key))}:${text}`;
}
