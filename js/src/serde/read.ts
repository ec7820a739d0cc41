/**
 * Turns parsed JSON into the value it stands for, in place. Only the records of the closed set
 * become anything else than the JSON they are.
 */
import { type CoreClass, coreClassNamed } from "./classes.js";
import {
  type Fields,
  isFields,
  isWrapper,
  markInert,
  recordDecoder,
  WRAPPER_KEY,
} from "./records.js";

/**
 * Where a value stands: inside the kwargs of a LangChain class, user data with an `lc` key is
 * wrapped by LangChain itself.
 */
export type Place = "data" | "kwargs";

/** Reads a whole parsed document. The argument is changed and must not be used again. */
export function readParsed(parsed: unknown): unknown {
  return read(parsed, "data");
}

/** Whether a reader would take this JSON object for a record, so that user data must be escaped. */
export function isRecord(json: Fields): boolean {
  if (json.lc === 2) return recordDecoder(json) !== undefined;
  return recordedClass(json) !== undefined;
}

/** The class of the instance that a JSON object stands for. */
export function recordedClass(json: Fields): CoreClass | undefined {
  if (json.lc !== 1 || json.type !== "constructor" || !isFields(json.kwargs)) return undefined;
  return coreClassNamed(json.id);
}

function read(value: unknown, place: Place): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return readItems(value, place);
  if (!isFields(value)) return value;
  if (place === "kwargs" && isWrapper(value)) return readWrapped(value[WRAPPER_KEY]);
  if (value.lc === 2) return readRecord(value, place);
  if (value.lc === 1) return readInstance(value, place);
  return readFields(value, place);
}

function readItems(items: unknown[], place: Place): unknown[] {
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (typeof item !== "object" || item === null) continue;
    const itemRead = read(item, place);
    if (itemRead !== item) items[index] = itemRead;
  }
  return items;
}

function readFields(fields: Fields, place: Place): Fields {
  for (const key of Object.keys(fields)) {
    const field = fields[key];
    if (typeof field !== "object" || field === null) continue;
    const fieldRead = read(field, place);
    // The key is an own property, so even `__proto__` is assigned and sets no prototype.
    if (fieldRead !== field) fields[key] = fieldRead;
  }
  return fields;
}

/** What LangChain wrapped is user data, whatever it looks like. */
function readWrapped(wrapped: unknown): unknown {
  return isFields(wrapped) ? readFields(wrapped, "data") : read(wrapped, "data");
}

function readRecord(record: Fields, place: Place): unknown {
  const decode = recordDecoder(record);
  if (decode === undefined) return readInert(record, place);
  const nestedPlace = record.type === "escaped" ? "data" : place;
  return decode((nested) => read(nested, nestedPlace));
}

function readInstance(record: Fields, place: Place): unknown {
  const recorded = recordedClass(record);
  if (recorded === undefined || !isFields(record.kwargs)) return readInert(record, place);
  const kwargs = readFields(record.kwargs, "kwargs");
  try {
    return recorded.instanceOf(recorded.fieldsOf(kwargs));
  } catch (error) {
    if (error instanceof RangeError) throw error;
    // Kwargs that the class refuses must not make the rest of the document unreadable: the record
    // stays what it is, data.
    return record;
  }
}

function readInert(record: Fields, place: Place): Fields {
  markInert(record);
  return readFields(record, place);
}
