// What the planner is asked and answers about a stock database, in the shapes of
// wit/planner/wire.wit.

import type { SqlParameter } from "../adapter.js";
import type { Call, ChannelVersion, Exported, Id, Payload } from "../contract.js";
import type { WireValue } from "./call.js";

/** The statement that finds the stock tables. */
export type WireFinding = [text: string, parameters: SqlParameter[][]];
/** The statements that read stock tables. */
export type WireStatements = [
  threads: string,
  checkpoints: string,
  checkpoint: string,
  writes: string,
  values: string | null,
  shared: string | null,
];
/** Calls that store the same again, and what to tell about them. */
export type WireTakeover = [calls: (WirePut | WirePutWrites)[], notes: [string, string][]];

/** The texts that store a row, and that say whether it is stored. */
export type WireInsert = [insert: string, same: string];
/** The statements that write stock tables. */
export type WireInserts = [
  create: string[],
  stored: string,
  checkpoint: WireInsert,
  value: WireInsert | null,
  write: WireInsert,
];
/** The rows of a checkpoint, and what to tell about them. */
export type WireRows = [
  checkpoint: SqlParameter[] | null,
  values: SqlParameter[][],
  writes: SqlParameter[][],
  notes: [string, string][],
  problems: [string, string][],
];

type WireConfig = [...ids: [string | null, string | null, string | null, string | null]];
type WirePayload = [kind: string, bytes: Uint8Array];
type WirePut = [
  3,
  config: WireConfig,
  checkpoint: [
    id: string,
    v: number,
    ts: string,
    channelVersions: [string, number | string][],
    channelValues: [string, WirePayload][],
    rest: WirePayload,
  ],
  metadata: WirePayload,
  newVersions: string[],
  runId: null,
  known: null,
];
type WirePutWrites = [
  4,
  config: WireConfig,
  writes: [string, WirePayload][],
  taskId: string,
  taskPath: string,
];

/** A call of a takeover. */
export type TakeoverCall = Extract<Call, { tag: "put" | "put-writes" }>;

/** What an export gave, to be encoded. Its values are whole. */
export function toWireExported(exported: Exported): readonly WireValue[] {
  const { threadId, checkpointNs, checkpointId, checkpoint, writes } = exported;
  const payload = ({ kind, bytes }: Payload) => [kind, bytes];
  return [
    threadId,
    checkpointNs,
    checkpointId,
    checkpoint && [
      threadId,
      checkpointNs,
      checkpointId,
      checkpoint.parentCheckpointId,
      checkpoint.v,
      checkpoint.ts,
      checkpoint.channelVersions.map(({ channel, version }) => [channel, version.val]),
      checkpoint.channelValues.map(({ channel, value }) => {
        return [channel, value.tag === "whole" ? payload(value.val) : null];
      }),
      payload(checkpoint.rest),
      payload(checkpoint.metadata),
    ],
    writes.map(({ taskId, taskPath, idx, channel, value }) => {
      return [taskId, taskPath, idx, channel, payload(value)];
    }),
  ];
}

/** A call, decoded. */
export function fromWireCall(call: WirePut | WirePutWrites): TakeoverCall {
  const config = fromWireConfig(call[1]);
  if (call[0] === 4) {
    const [, , writes, taskId, taskPath] = call;
    const val = { config, writes: writes.map(fromWireEntry), taskId: toId(taskId), taskPath };
    return { tag: "put-writes", val };
  }
  const [, , [id, v, ts, versions, values, rest], metadata, newVersions] = call;
  return {
    tag: "put",
    val: {
      config,
      checkpoint: {
        id: toId(id),
        v,
        ts,
        channelVersions: versions.map(fromWireVersion),
        channelValues: values.map((entry) => {
          const { channel, value } = fromWireEntry(entry);
          return { channel, value: { tag: "whole", val: value } };
        }),
        rest: fromWirePayload(rest),
      },
      metadata: fromWirePayload(metadata),
      newVersions,
      runId: { tag: "absent" },
    },
  };
}

function fromWireConfig([threadId, checkpointNs, checkpointId, threadTs]: WireConfig) {
  return {
    threadId: toId(threadId),
    checkpointNs: toId(checkpointNs),
    checkpointId: toId(checkpointId),
    threadTs: toId(threadTs),
  };
}

function fromWireVersion([channel, val]: [string, number | string]): ChannelVersion {
  const version =
    typeof val === "number" ? ({ tag: "number", val } as const) : ({ tag: "text", val } as const);
  return { channel, version };
}

function fromWireEntry([channel, value]: [string, WirePayload]) {
  return { channel, value: fromWirePayload(value) };
}

function fromWirePayload([kind, bytes]: WirePayload): Payload {
  return { kind, bytes };
}

function toId(id: string | null): Id {
  return id === null ? { tag: "absent" } : { tag: "text", val: id };
}
