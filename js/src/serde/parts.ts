/** Values that are written part by part: the items of a list, or the fields of a map. */
import { hasToJson, isPlain } from "./write.js";

/** How the texts of the parts are joined: `[...]` or `{...}`. */
export type ValueShape = "list" | "map";

/**
 * The shape of a value that is written part by part. Undefined for a value that is written as a
 * whole: any other type, or an object that looks like a record, which is escaped as a whole.
 */
export function shapeOf(value: unknown): ValueShape | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) return hasToJson(value) ? undefined : "list";
  if (!isPlain(value)) return undefined;
  return Object.hasOwn(value, "lc") || Object.hasOwn(value, "lg_name") ? undefined : "map";
}

/** The text of a part within the whole: the text of its value, after its key in a map. */
export function partText(shape: ValueShape, key: string | number, text: string): string {
  return shape === "list" ? text : `${JSON.stringify(String(key))}:${text}`;
}
