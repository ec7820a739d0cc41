/**
 * Reads what LangGraph's Python serializer writes. Only values that JavaScript writes back as equal
 * ones become JavaScript's own. Everything else becomes inert: a record that shows module, name and
 * arguments, of which Python makes its value again. Nothing is looked up by a name in the data
 * except messages, in the closed set of classes.
 */
import { DeltaSnapshot } from "@langchain/langgraph-checkpoint";

import { coreClassNamed } from "../classes.js";
import { SerializationError } from "../errors.js";
import { type Fields, isFields, isInert, markInert, recordDecoder } from "../records.js";
import { DATETIME, dateOfPython, FROM_ISO_FORMAT } from "./dates.js";
import { type Extensions, MalformedError, unpack } from "./unpack.js";

/** The codes of the serializer's extensions, by what the value is made of. */
const SINGLE_ARGUMENT = 0;
const ARGUMENTS = 1;
const KEYWORDS = 2;
const METHOD = 3;
const PYDANTIC_V1 = 4;
const PYDANTIC_V2 = 5;
const NUMPY = 6;
const DELTA_SNAPSHOT = 7;

const MESSAGES_MODULE = "langchain_core.messages";

/** The classes of all messages, whose instances are of a type of the user's. */
const BASES: ReadonlySet<unknown> = new Set(["BaseMessage", "BaseMessageChunk"]);

/** The fields of a message that are None unless they are given. JavaScript leaves them out. */
const NONE_FIELDS = ["id", "name", "usage_metadata", "artifact", "chunk_position"] as const;

/** The types of the records that stand in Python for what only JavaScript has. */
const JAVASCRIPT_TYPES: ReadonlySet<unknown> = new Set(["bigint", "binary", "constructor", "date"]);

/** Reads bytes of the type `msgpack`. Throws `SerializationError`. */
export function readPython(bytes: Uint8Array): unknown {
  try {
    return unpack(bytes, EXTENSIONS);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    const say = (place: string) =>
      `what is stored of ${place} (length ${bytes.length}) is not MessagePack as LangGraph's ` +
      "Python serializer writes it; its row is damaged or holds a value of another type";
    throw new SerializationError("unreadable-value", say);
  }
}

const EXTENSIONS: Extensions = {
  extension(code, data, read) {
    if (code === DELTA_SNAPSHOT) return new DeltaSnapshot(read());
    if (code < SINGLE_ARGUMENT || code > DELTA_SNAPSHOT) return unknownExtension(code, data);
    const parts = read();
    if (!Array.isArray(parts)) return unknownExtension(code, data);
    const value = code === NUMPY ? array(parts) : constructed(code, parts);
    return value ?? unknownExtension(code, data);
  },

  record(fields) {
    if (fields.lc !== 2 || !JAVASCRIPT_TYPES.has(fields.type)) return fields;
    if (fields.type === "constructor" && Array.isArray(fields.id) && fields.id.length > 1) {
      return fields;
    }
    // What the record contains has been read.
    return recordDecoder(fields)?.((nested) => nested) ?? fields;
  },
};

/** A value that a constructor or method makes; undefined if the parts are not its description. */
function constructed(code: number, parts: readonly unknown[]): unknown {
  const [module, name, argument, method] = parts;
  if (typeof module !== "string" || typeof name !== "string") return undefined;
  const id = [...module.split("."), name];
  const called = `${module}.${name}`;
  switch (code) {
    case SINGLE_ARGUMENT:
      return setOf(called, argument) ?? inert(id, { args: [argument] });
    case METHOD:
      if (typeof method !== "string") return undefined;
      return dateOf(called, argument, method) ?? inert(id, { method, args: [argument] });
    case ARGUMENTS:
      if (!Array.isArray(argument)) return undefined;
      return sendOf(called, argument) ?? inert(id, { args: argument });
    case PYDANTIC_V2:
      if (!isFields(argument)) return undefined;
      return messageOf(module, id, argument) ?? inert(id, { kwargs: argument });
    case KEYWORDS:
    case PYDANTIC_V1:
      if (!isFields(argument)) return undefined;
      return plainOf(called, argument) ?? inert(id, { kwargs: argument });
    default:
      return undefined;
  }
}

/** A record that keeps what Python has to know to make its value. */
function inert(
  id: readonly string[],
  { method = null, args = [], kwargs = {} }: Partial<Record<"method" | "args" | "kwargs", unknown>>,
): Fields {
  const record = { lc: 2, type: "constructor", id, method, args, kwargs };
  markInert(record);
  return record;
}

function unknownExtension(code: number, data: Uint8Array): Fields {
  const record = { lc: 2, type: "extension", value: [code, new Uint8Array(data)] };
  markInert(record);
  return record;
}

function setOf(called: string, items: unknown): Set<unknown> | undefined {
  if (called !== "builtins.set" && called !== "builtins.frozenset") return undefined;
  return Array.isArray(items) ? new Set(items) : undefined;
}

function dateOf(called: string, text: unknown, method: string): Date | undefined {
  if (called !== DATETIME.join(".") || method !== FROM_ISO_FORMAT) return undefined;
  return typeof text === "string" ? dateOfPython(text) : undefined;
}

/** A Send in the form in which LangGraph.js stores its own. */
function sendOf(called: string, args: readonly unknown[]): Fields | undefined {
  if (called !== "langgraph.types.Send") return undefined;
  const [node, given, policy] = args;
  if (args.length === 2) return { node, args: given };
  const timeout = timeoutOf(policy);
  return timeout && { node, args: given, timeout };
}

/** A policy in milliseconds, of one in seconds. */
function timeoutOf(policy: unknown): Fields | undefined {
  if (!isFields(policy) || !isInert(policy) || !isFields(policy.kwargs)) return undefined;
  const { run_timeout, idle_timeout, refresh_on } = policy.kwargs;
  const timeout: Fields = { refreshOn: refresh_on };
  if (typeof run_timeout === "number") timeout.runTimeout = run_timeout * 1000;
  if (typeof idle_timeout === "number") timeout.idleTimeout = idle_timeout * 1000;
  return timeout;
}

/** LangGraph's own classes that are plain objects in LangGraph.js. */
function plainOf(called: string, fields: Fields): Fields | undefined {
  if (called === "langgraph.types.Overwrite") return { __overwrite__: fields.value };
  if (called !== "langgraph.types.Interrupt") return undefined;
  const { response_schema, ...interrupt } = fields;
  return response_schema === null ? interrupt : fields;
}

/** The arguments with which numpy makes the array again. */
function array(parts: readonly unknown[]): Fields {
  const [dtype, shape, order, buffer] = parts;
  return inert(["numpy", "ndarray"], { kwargs: { shape, dtype, buffer, order } });
}

/** A message; undefined for other classes, and for kwargs that the message's class refuses. */
function messageOf(module: string, id: readonly string[], kwargs: Fields): unknown {
  if (module !== MESSAGES_MODULE && !module.startsWith(`${MESSAGES_MODULE}.`)) return undefined;
  const core = coreClassNamed(id);
  if (core === undefined || BASES.has(id.at(-1))) return undefined;
  // The class says which type the message has, in words that differ between the languages.
  const { type, ...fields } = kwargs;
  for (const name of NONE_FIELDS) if (fields[name] === null) delete fields[name];
  try {
    return core.instanceOf(core.fieldsOf(fields));
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return undefined;
  }
}
