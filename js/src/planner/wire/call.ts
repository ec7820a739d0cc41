// Calls as MessagePack will have them: `packed` of wit/planner.wit says which shape is which.

import type {
  Config,
  Id,
  NewValue,
  Payload,
  PutCall,
  PutWritesCall,
} from "../../../generated/interfaces/langgraph-checkpoint-operations.js";
import type { Call } from "../calls.js";

/** A value that MessagePack holds. */
export type Packed = null | boolean | number | string | bigint | Uint8Array | readonly Packed[];

/** A call, to be encoded. */
export function packCall(call: Call): Packed {
  switch (call.tag) {
    case "setup":
      return [0];
    case "get-tuple":
      return [1, packConfig(call.val.config), call.val.known ?? null];
    case "list": {
      const { config, limit, before, filter, resume } = call.val;
      const conditions = filter.map(({ key, json }) => [key, json]);
      return [2, packConfig(config), limit ?? null, packId(before), conditions, resume ?? null];
    }
    case "put":
      return packPut(call.val);
    case "put-writes":
      return packPutWrites(call.val);
    case "delete-thread":
      return [5, packConfig(call.val)];
    case "delta-channel-history":
      return [6, packConfig(call.val.config), call.val.channels, call.val.known];
  }
}

function packPut({ config, checkpoint, metadata, newVersions, known }: PutCall): Packed {
  const { id, v, ts, channelVersions, channelValues, rest } = checkpoint;
  const packed = [
    packId(id),
    v,
    ts,
    channelVersions.map(({ channel, version }) => [channel, version.val]),
    channelValues.map(({ channel, value }) => [channel, packNewValue(value)]),
    packPayload(rest),
  ];
  return [3, packConfig(config), packed, packPayload(metadata), newVersions, known ?? null];
}

function packPutWrites({ config, writes, taskId, taskPath }: PutWritesCall): Packed {
  const packed = writes.map(({ channel, value }) => [channel, packPayload(value)]);
  return [4, packConfig(config), packed, packId(taskId), taskPath];
}

function packConfig({ threadId, checkpointNs, checkpointId, threadTs }: Config): Packed {
  return [packId(threadId), packId(checkpointNs), packId(checkpointId), packId(threadTs)];
}

function packId(id: Id): Packed {
  switch (id.tag) {
    case "absent":
      return null;
    case "unsupported":
      return [id.val];
    default:
      return id.val;
  }
}

function packPayload({ kind, bytes }: Payload): Packed {
  return [kind, bytes];
}

function packNewValue(value: NewValue): Packed {
  switch (value.tag) {
    case "unchanged":
      return null;
    case "whole":
      return packPayload(value.val);
    case "edited":
      return [
        value.val.map((run) => (run.tag === "fresh" ? run.val : [run.val.first, run.val.count])),
      ];
  }
}
