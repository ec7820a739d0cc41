// Calls, answers and moments in the shapes of wit/planner/wire.wit, to be encoded as MessagePack.

import type { SqlValue } from "../adapter.js";
import type {
  Answer,
  Call,
  Config,
  HttpResponse,
  Id,
  Keep,
  List,
  Moment,
  NewValue,
  Payload,
  Pruned,
  Put,
  PutWrites,
} from "../contract.js";

/** A value that MessagePack can hold. */
export type WireValue = undefined | boolean | SqlValue | readonly WireValue[];

/** A call, to be encoded. */
export function toWireCall(call: Call): WireValue {
  switch (call.tag) {
    case "setup":
      return [0];
    case "get-tuple":
      return [1, toWireConfig(call.val.config), call.val.known];
    case "list": {
      const { config, limit, before, filter, resume } = call.val;
      return [2, toWireConfig(config), limit, toWireId(before), toWireFilter(filter), resume];
    }
    case "put":
      return toWirePut(call.val);
    case "put-writes":
      return toWirePutWrites(call.val);
    case "delete-thread":
      return [5, toWireConfig(call.val)];
    case "delta-channel-history":
      return [6, toWireConfig(call.val.config), call.val.channels, call.val.known];
    case "flush":
      return [7];
    case "prune": {
      const { pruned, keep, limit, dryRun, lease, resume } = call.val;
      const leased = lease && [lease.nowMs, lease.lengthMs];
      return [8, toWirePruned(pruned), toWireKeep(keep), limit, dryRun, leased, resume];
    }
    case "copy-thread": {
      const { source, target, latestOnly } = call.val;
      return [9, toWireId(source), toWireId(target), latestOnly];
    }
    case "threads": {
      const { limit, idleSince, idPrefix, filter, resume } = call.val;
      return [10, limit, idleSince, idPrefix, toWireFilter(filter), resume];
    }
    case "stats":
      return [11, toWireId(call.val)];
    case "verify":
      return [12, toWireId(call.val.thread), call.val.resume];
    case "vacuum":
      return [13, call.val.pages, call.val.resume];
    case "export":
      return [14, toWireId(call.val.thread), call.val.resume];
    case "diff":
      return [15, toWireConfig(call.val.config), toWireId(call.val.before), call.val.values];
    case "together":
      return [64, call.val.map(toWireCall)];
  }
}

function toWireFilter(filter: List["filter"]): WireValue {
  return filter.map(({ key, json }) => [key, json]);
}

function toWirePruned(pruned: Pruned): WireValue {
  switch (pruned.tag) {
    case "threads":
      return [0, pruned.val.map(toWireId)];
    case "idle":
      return [1, pruned.val];
    case "runs":
      return [2, pruned.val.map(toWireId)];
  }
}

function toWireKeep(keep: Keep): WireValue {
  switch (keep.tag) {
    case "nothing":
      return [0];
    case "latest":
      return [1];
    case "last":
      return [2, keep.val];
    case "newer-than":
      return [3, keep.val];
  }
}

function toWirePut({ config, checkpoint, metadata, newVersions, runId, known }: Put): WireValue {
  const { id, v, ts, channelVersions, channelValues, rest } = checkpoint;
  const fields = [
    toWireId(id),
    v,
    ts,
    channelVersions.map(({ channel, version }) => [channel, version.val]),
    channelValues.map(({ channel, value }) => [channel, toWireNewValue(value)]),
    toWirePayload(rest),
  ];
  const others = [toWirePayload(metadata), newVersions, toWireId(runId), known];
  return [3, toWireConfig(config), fields, ...others];
}

function toWirePutWrites({ config, writes, taskId, taskPath }: PutWrites): WireValue {
  const values = writes.map(({ channel, value }) => [channel, toWirePayload(value)]);
  return [4, toWireConfig(config), values, toWireId(taskId), taskPath];
}

function toWireConfig({ threadId, checkpointNs, checkpointId, threadTs }: Config): WireValue {
  return [toWireId(threadId), toWireId(checkpointNs), toWireId(checkpointId), toWireId(threadTs)];
}

function toWireId(id: Id): WireValue {
  switch (id.tag) {
    case "absent":
      return null;
    case "unsupported":
      return [id.val];
    default:
      return id.val;
  }
}

function toWirePayload({ kind, bytes }: Payload): WireValue {
  return [kind, bytes];
}

function toWireNewValue(value: NewValue): WireValue {
  switch (value.tag) {
    case "unchanged":
      return null;
    case "whole":
      return toWirePayload(value.val);
    case "edited":
      return [
        value.val.map((run) => (run.tag === "fresh" ? run.val : [run.val.first, run.val.count])),
      ];
  }
}

/** An answer, to be encoded. */
export function toWireAnswer(answer: Answer): WireValue {
  switch (answer.tag) {
    case "sql":
      return [0, answer.val.map(({ rows }) => rows)];
    case "waited":
      return [4];
    case "http":
      switch (answer.val.tag) {
        case "response":
          return [1, toWireResponse(answer.val.val)];
        case "failed":
          return [2, answer.val.val];
        case "too-large":
          return [3];
      }
  }
}

/** A response, to be encoded. */
export function toWireResponse({ status, headers, body }: HttpResponse): WireValue {
  return [status, headers, body];
}

/** A moment, to be encoded. */
export function toWireMoment({ now, entropy }: Moment): WireValue {
  return [now, entropy];
}
