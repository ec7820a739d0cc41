// Decodes what the planner answers, in the shapes of wit/planner/wire.wit. They are not checked:
// planner and package are built from one source and shipped together.

import { type CheckpointerError, refusal } from "../../errors.js";
import type { SqlParameter } from "../adapter.js";
import type {
  ChannelHistory,
  CheckpointTuple,
  Difference,
  Ended,
  Exported,
  FoundCheckpoint,
  HttpRequest,
  Outcome,
  Page,
  PartSize,
  Payload,
  PendingWrite,
  Status,
  StoredCheckpoint,
  ThreadSummary,
  TupleValue,
  UnshownCall,
} from "../contract.js";

type Access = 0 | 1;
/**
 * A statement: its text, or the number of a text that was sent before, and its rows of parameters.
 */
export type WireStatement = [text: string | number, parameters: SqlParameter[][]];
/** Why something was refused, or failed. */
export type WireRefusal = [2, tag: string, code: string, message: string, maybeStored: boolean];
/** What the functions that do not run calls return. */
export type WireAnswer<Fields extends unknown[]> = [0, ...Fields] | WireRefusal;
/** The progress of a call. */
export type WireProgress =
  | [
      0,
      operation: number,
      access: Access,
      statements: WireStatement[],
      expected: WireOutcome | true | null,
    ]
  | WireEnd
  | [3, access: Access, statements: WireStatement[], outcome: WireOutcome]
  | [4, operation: number, ...request: WireRequest]
  | [5, operation: number, milliseconds: number]
  | [6, ends: WireEnd[]];
/** How a call ended. */
type WireEnd = [1, outcome: WireOutcome] | WireRefusal;
/** A request to send. */
export type WireRequest = [
  method: string,
  url: string,
  headers: [string, string][],
  body: Uint8Array,
  authorization: 0 | 1 | 2,
  timeoutMs: number,
  responseBytesMax: number,
];
/** What a store keeps in memory. */
export type WireStatus = [
  0,
  flushDue: number | null,
  waiting: [checkpoints: number, writes: number, threads: number],
  unshown: UnshownCall[],
  warning: string | null,
];

type WireOutcome =
  | [0, warning?: string]
  | [1]
  | [1, tuple: WireTuple, known: Uint8Array, bases: [string, number[]][]]
  | [2, tuples: WireTuple[], shared: Uint8Array, next: Uint8Array | null]
  | [3, string, string, string, known: Uint8Array, values: [string, boolean][]]
  | [4, known: Uint8Array]
  | [5]
  | [6]
  | [7, histories: WireHistory[]]
  | [8, ...counts: [number, number, number, number, number], next: Uint8Array | null]
  | [9, threads: WireThread[], next: Uint8Array | null]
  | [10, ...counts: [number, number, number, number, number, number]]
  | [
      11,
      ...counts: [number, number, number, number, number],
      problems: [threadId: string, code: string, message: string][],
      next: Uint8Array | null,
    ]
  | [12]
  | WireExported
  | [13]
  | WireDifference;
type WireExported = [
  12,
  threadId: string,
  checkpointNs: string,
  checkpointId: string,
  checkpoint: WireTuple | null,
  writes: [taskId: string, taskPath: string, idx: number, channel: string, value: WirePayload][],
  next: Uint8Array,
];
type WireDifference = [
  13,
  before: string | null,
  channels: WireChannelDifference[],
  writes: [taskId: string, channel: string, value: WirePart][],
];
type WireChannelDifference = [
  channel: string,
  versionBefore: number | string | null,
  versionAfter: number | string | null,
  before: WirePart | null,
  after: WirePart | null,
  elements: [place: number | null, before: WirePart | null, after: WirePart | null][] | null,
];
type WirePart = [bytes: number, value: WirePayload | null];
type WireThread = [
  threadId: string,
  checkpointId: string,
  ts: string,
  metadata: WirePayload,
  namespaces: number,
  checkpoints: number,
  writes: number,
];
type WirePayload = [kind: string, bytes: Uint8Array];
type WireHistory = [
  channel: string,
  goesOn: boolean,
  writes: WireWrite[],
  seed: WirePayload | null,
  known: Uint8Array | null,
];
type WireWrite = [taskId: string, channel: string, value: WirePayload];
type WireTupleValue = WirePayload | [kind: string, spans: [number, number][]] | null;
type WireTuple = [
  threadId: string,
  checkpointNs: string,
  checkpointId: string,
  parentCheckpointId: string | null,
  v: number,
  ts: string,
  channelVersions: [string, number | string][],
  channelValues: [string, WireTupleValue][],
  rest: WirePayload,
  metadata: WirePayload,
  pendingWrites: WireWrite[],
  pendingSends: WirePayload[] | null,
];

/** An outcome, decoded. */
export function fromWireOutcome(wire: WireOutcome): Outcome {
  switch (wire[0]) {
    case 0:
      return { tag: "ready", val: wire[1] };
    case 1:
      return { tag: "found", val: wire.length === 1 ? undefined : fromWireFound(wire) };
    case 2:
      return { tag: "page", val: fromWirePage(wire) };
    case 3:
      return { tag: "stored", val: fromWireStored(wire) };
    case 4:
      return { tag: "stale", val: copied(wire[1]) };
    case 5:
      return { tag: "writes-stored" };
    case 6:
      return { tag: "deleted" };
    case 7:
      return { tag: "history", val: wire[1].map(fromWireHistory) };
    case 8: {
      const [, threads, checkpoints, writes, chunks, bytes, next] = wire;
      const counts = { threads, checkpoints, writes, chunks, bytes };
      return { tag: "worked", val: { ...counts, next: next ?? undefined } };
    }
    case 9: {
      const [, threads, next] = wire;
      return {
        tag: "threads",
        val: {
          threads: threads.map(fromWireThread),
          next: next === null ? undefined : copied(next),
        },
      };
    }
    case 10: {
      const [, threads, checkpoints, writes, recordBytes, chunks, chunkBytes] = wire;
      const counts = { threads, checkpoints, writes, recordBytes, chunks, chunkBytes };
      return { tag: "stats", val: counts };
    }
    case 11: {
      const [, threads, checkpoints, writes, chunks, bytes, found, next] = wire;
      const problems = found.map(([threadId, code, message]) => ({ threadId, code, message }));
      const counts = { threads, checkpoints, writes, chunks, bytes };
      return { tag: "verified", val: { ...counts, problems, next: next ?? undefined } };
    }
    case 12:
      return { tag: "exported", val: wire.length === 1 ? undefined : fromWireExported(wire) };
    case 13:
      return { tag: "differences", val: wire.length === 1 ? undefined : fromWireDifference(wire) };
  }
}

/** The ends of calls made together, decoded. */
export function fromWireEnds(ends: readonly WireEnd[]): Ended[] {
  return ends.map((end) => {
    return end[0] === 1 ? { outcome: fromWireOutcome(end[1]) } : { failure: fromWireRefusal(end) };
  });
}

/** A request, decoded. */
export function fromWireRequest(wire: WireRequest): HttpRequest {
  const [method, url, headers, body, authorization, timeoutMs, responseBytesMax] = wire;
  const named = AUTHORIZATIONS[authorization];
  return { method, url, headers, body, authorization: named, timeoutMs, responseBytesMax };
}

const AUTHORIZATIONS = ["none", "token", "fresh-token"] as const;

/** What a store keeps in memory. */
export function fromWireStatus([, flushDue, waiting, unshown, warning]: WireStatus): Status {
  const [checkpoints, writes, threads] = waiting;
  return {
    flushDue: flushDue ?? undefined,
    waiting: { checkpoints, writes, threads },
    unshown,
    warning: warning ?? undefined,
  };
}

/** The error of a refusal. */
export function fromWireRefusal([
  ,
  tag,
  code,
  message,
  maybeStored,
]: WireRefusal): CheckpointerError {
  return refusal(tag, { code, message, maybeStored });
}

/** Returns an answer, or throws the error of a refusal. */
export function accepted<Answer extends readonly [0, ...unknown[]]>(
  answer: Answer | WireRefusal,
): Answer {
  if (isRefusal(answer)) throw fromWireRefusal(answer);
  return answer;
}

function isRefusal(answer: readonly [0, ...unknown[]] | WireRefusal): answer is WireRefusal {
  return answer[0] === 2;
}

type Case<Tag extends WireOutcome[0], Length extends number = number> = Extract<
  WireOutcome,
  { 0: Tag; length: Length }
>;

function fromWireFound([, tuple, known, bases]: Case<1, 4>): FoundCheckpoint {
  return {
    tuple: fromWireTuple(tuple),
    known: copied(known),
    bases: bases.map(([channel, lengths]) => ({ channel, lengths: Uint32Array.from(lengths) })),
  };
}

function fromWirePage([, tuples, shared, next]: Case<2>): Page {
  return { tuples: tuples.map(fromWireTuple), shared, next: next ?? undefined };
}

function fromWireStored(wire: Case<3>): StoredCheckpoint {
  const [, threadId, checkpointNs, checkpointId, known, values] = wire;
  return {
    threadId,
    checkpointNs,
    checkpointId,
    known: copied(known),
    values: values.map(([channel, editable]) => ({ channel, editable })),
  };
}

function fromWireExported(wire: WireExported): Exported {
  const [, threadId, checkpointNs, checkpointId, checkpoint, writes, next] = wire;
  return {
    threadId,
    checkpointNs,
    checkpointId,
    checkpoint: checkpoint === null ? undefined : fromWireTuple(checkpoint),
    writes: writes.map(([taskId, taskPath, idx, channel, value]) => {
      return { taskId, taskPath, idx, channel, value: fromWirePayload(value) };
    }),
    next: copied(next),
  };
}

function fromWireDifference([, before, channels, writes]: WireDifference): Difference {
  return {
    before: before ?? undefined,
    channels: channels.map(([channel, versionBefore, versionAfter, ...more]) => {
      const [before, after, elements] = more;
      return {
        channel,
        versionBefore: versionBefore ?? undefined,
        versionAfter: versionAfter ?? undefined,
        before: fromWirePart(before),
        after: fromWirePart(after),
        elements: elements?.map(([place, before, after]) => {
          const [old, new_] = [fromWirePart(before), fromWirePart(after)];
          return { place: place ?? undefined, before: old, after: new_ };
        }),
      };
    }),
    writes: writes.map(([taskId, channel, value]) => {
      return { taskId, channel, value: fromWirePart(value) };
    }),
  };
}

function fromWirePart(part: WirePart): PartSize;
function fromWirePart(part: WirePart | null): PartSize | undefined;
function fromWirePart(part: WirePart | null): PartSize | undefined {
  if (part === null) return undefined;
  const [bytes, value] = part;
  return { bytes, value: value === null ? undefined : fromWirePayload(value) };
}

function fromWireThread(wire: WireThread): ThreadSummary {
  const [threadId, checkpointId, ts, metadata, namespaces, checkpoints, writes] = wire;
  const counts = { namespaces, checkpoints, writes };
  return { threadId, checkpointId, ts, metadata: fromWirePayload(metadata), ...counts };
}

/** A copy of bytes that are copied. The original would keep the whole message in memory. */
function copied(bytes: Uint8Array): Uint8Array {
  return bytes.slice();
}

function fromWireTuple(wire: WireTuple): CheckpointTuple {
  const [threadId, checkpointNs, checkpointId, parentCheckpointId, v, ts, ...more] = wire;
  const [versions, values, rest, metadata, writes, sends] = more;
  return {
    threadId,
    checkpointNs,
    checkpointId,
    parentCheckpointId: parentCheckpointId ?? undefined,
    v,
    ts,
    channelVersions: versions.map(([channel, val]) => {
      const version = typeof val === "number" ? { tag: "number", val } : { tag: "text", val };
      return { channel, version } as CheckpointTuple["channelVersions"][number];
    }),
    channelValues: values.map(([channel, value]) => ({
      channel,
      value: fromWireTupleValue(value),
    })),
    rest: fromWirePayload(rest),
    metadata: fromWirePayload(metadata),
    pendingWrites: writes.map(fromWireWrite),
    pendingSends: sends?.map(fromWirePayload),
  };
}

function fromWireTupleValue(wire: WireTupleValue): TupleValue {
  if (wire === null) return { tag: "unchanged" };
  const [kind, held] = wire;
  if (!Array.isArray(held)) return { tag: "whole", val: { kind, bytes: held } };
  const spans = held.map(([begin, end]) => ({ begin, end }));
  return { tag: "shared", val: { kind, spans } };
}

function fromWirePayload([kind, bytes]: WirePayload): Payload {
  return { kind, bytes };
}

function fromWireWrite([taskId, channel, value]: WireWrite): PendingWrite {
  return { taskId, channel, value: fromWirePayload(value) };
}

function fromWireHistory([channel, goesOn, writes, seed, known]: WireHistory): ChannelHistory {
  return {
    channel,
    goesOn,
    writes: writes.map(fromWireWrite),
    seed: seed === null ? undefined : fromWirePayload(seed),
    known: known === null ? undefined : copied(known),
  };
}
