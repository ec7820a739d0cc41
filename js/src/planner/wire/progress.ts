// What the planner answers, out of the shapes that `packed` of wit/planner.wit gives it. They are
// the planner's own: both are made from one source and shipped together.

import type {
  ChannelHistory,
  CheckpointTuple,
  FoundCheckpoint,
  Page,
  Payload,
  PendingWrite,
  StoredCheckpoint,
  TupleValue,
} from "../../../generated/interfaces/langgraph-checkpoint-operations.js";
import type { SqlValue } from "../adapter.js";
import type { Outcome } from "../calls.js";

type Access = 0 | 1;
/** A statement: its text, or the number it got at its first time, and its rows of parameters. */
export type PackedStatement = [text: string | number, parameters: SqlValue[][]];
/** Where a call stands. */
export type PackedProgress =
  | [
      0,
      operation: number,
      access: Access,
      statements: PackedStatement[],
      expected: PackedOutcome | true | null,
    ]
  | [1, outcome: PackedOutcome]
  | [2, tag: string, code: string, message: string, maybeStored: boolean]
  | [3, access: Access, statements: PackedStatement[], outcome: PackedOutcome];

type PackedOutcome =
  | [0]
  | [1]
  | [1, tuple: PackedTuple, known: Uint8Array, bases: [string, number[]][]]
  | [2, tuples: PackedTuple[], shared: Uint8Array, next: Uint8Array | null]
  | [3, string, string, string, known: Uint8Array, values: [string, boolean][]]
  | [4, known: Uint8Array]
  | [5]
  | [6]
  | [7, histories: PackedHistory[]];
type PackedPayload = [kind: string, bytes: Uint8Array];
type PackedHistory = [
  channel: string,
  goesOn: boolean,
  writes: PackedWrite[],
  seed: PackedPayload | null,
  known: Uint8Array | null,
];
type PackedWrite = [taskId: string, channel: string, value: PackedPayload];
type PackedValue = PackedPayload | [kind: string, spans: [number, number][]] | null;
type PackedTuple = [
  threadId: string,
  checkpointNs: string,
  checkpointId: string,
  parentCheckpointId: string | null,
  v: number,
  ts: string,
  channelVersions: [string, number | string][],
  channelValues: [string, PackedValue][],
  rest: PackedPayload,
  metadata: PackedPayload,
  pendingWrites: PackedWrite[],
  pendingSends: PackedPayload[] | null,
];

/** The end of a call. */
export function unpackOutcome(packed: PackedOutcome): Outcome {
  switch (packed[0]) {
    case 0:
      return { tag: "ready" };
    case 1:
      return { tag: "found", val: packed.length === 1 ? undefined : unpackFound(packed) };
    case 2:
      return { tag: "page", val: unpackPage(packed) };
    case 3:
      return { tag: "stored", val: unpackStored(packed) };
    case 4:
      return { tag: "stale", val: kept(packed[1]) };
    case 5:
      return { tag: "writes-stored" };
    case 6:
      return { tag: "deleted" };
    case 7:
      return { tag: "history", val: packed[1].map(unpackHistory) };
  }
}

type Case<Tag extends PackedOutcome[0], Length extends number = number> = Extract<
  PackedOutcome,
  { 0: Tag; length: Length }
>;

function unpackFound([, tuple, known, bases]: Case<1, 4>): FoundCheckpoint {
  return {
    tuple: unpackTuple(tuple),
    known: kept(known),
    bases: bases.map(([channel, lengths]) => ({ channel, lengths: Uint32Array.from(lengths) })),
  };
}

function unpackPage([, tuples, shared, next]: Case<2>): Page {
  const page: Page = { tuples: tuples.map(unpackTuple), shared };
  if (next !== null) page.next = next;
  return page;
}

function unpackStored(packed: Case<3>): StoredCheckpoint {
  const [, threadId, checkpointNs, checkpointId, known, values] = packed;
  return {
    threadId,
    checkpointNs,
    checkpointId,
    known: kept(known),
    values: values.map(([channel, editable]) => ({ channel, editable })),
  };
}

/** Bytes that outlive their call, without the rest of what came with them. */
function kept(bytes: Uint8Array): Uint8Array {
  return bytes.slice();
}

function unpackTuple(packed: PackedTuple): CheckpointTuple {
  const [threadId, checkpointNs, checkpointId, parentCheckpointId, v, ts, ...more] = packed;
  const [versions, values, rest, metadata, writes, sends] = more;
  const tuple: CheckpointTuple = {
    threadId,
    checkpointNs,
    checkpointId,
    v,
    ts,
    channelVersions: versions.map(([channel, val]) => {
      const version = typeof val === "number" ? { tag: "number", val } : { tag: "text", val };
      return { channel, version } as CheckpointTuple["channelVersions"][number];
    }),
    channelValues: values.map(([channel, value]) => ({ channel, value: unpackValue(value) })),
    rest: unpackPayload(rest),
    metadata: unpackPayload(metadata),
    pendingWrites: writes.map(unpackWrite),
  };
  if (parentCheckpointId !== null) tuple.parentCheckpointId = parentCheckpointId;
  if (sends !== null) tuple.pendingSends = sends.map(unpackPayload);
  return tuple;
}

function unpackValue(packed: PackedValue): TupleValue {
  if (packed === null) return { tag: "unchanged" };
  const [kind, held] = packed;
  if (!Array.isArray(held)) return { tag: "whole", val: { kind, bytes: held } };
  const spans = held.map(([begin, end]) => ({ begin, end }));
  return { tag: "shared", val: { kind, spans } };
}

function unpackPayload([kind, bytes]: PackedPayload): Payload {
  return { kind, bytes };
}

function unpackWrite([taskId, channel, value]: PackedWrite): PendingWrite {
  return { taskId, channel, value: unpackPayload(value) };
}

function unpackHistory([channel, goesOn, writes, seed, known]: PackedHistory): ChannelHistory {
  const history: ChannelHistory = { channel, goesOn, writes: writes.map(unpackWrite) };
  if (seed !== null) history.seed = unpackPayload(seed);
  if (known !== null) history.known = kept(known);
  return history;
}
