// Calls, needs and outcomes: the records and variants of wit/checkpoint/types.wit and
// wit/planner/types.wit, which document each field, in JavaScript's shapes. `wire/` encodes them.

import { ProtocolError } from "../errors.js";
import type { Batch, RowSet, StoredCall } from "./adapter.js";

// ---- what a caller says ----------------------------------------------------------------------

/** An identifier as the caller's config holds it. */
export type Id =
  | { readonly tag: "absent" }
  | { readonly tag: "text"; readonly val: string }
  | { readonly tag: "number"; readonly val: number }
  | { readonly tag: "unsupported"; readonly val: string };

/** The part of `config.configurable` that addresses a checkpoint. */
export interface Config {
  readonly threadId: Id;
  readonly checkpointNs: Id;
  readonly checkpointId: Id;
  readonly threadTs: Id;
}

/** A serialized value: a type tag, and bytes that are kept exactly. */
export interface Payload {
  readonly kind: string;
  readonly bytes: Uint8Array;
}

/** A channel and its version. */
export interface ChannelVersion {
  readonly channel: string;
  readonly version:
    | { readonly tag: "number"; readonly val: number }
    | { readonly tag: "text"; readonly val: string };
}

/**
 * Consecutive elements of a list or entries of a map: kept ones of the base, or new ones as JSON.
 */
export type Run =
  | { readonly tag: "kept"; readonly val: { readonly first: number; readonly count: number } }
  | { readonly tag: "fresh"; readonly val: Uint8Array };

/**
 * The value of a channel to store. `edited` and `unchanged` refer to the base, which `known` names.
 */
export type NewValue =
  | { readonly tag: "whole"; readonly val: Payload }
  | { readonly tag: "edited"; readonly val: readonly Run[] }
  | { readonly tag: "unchanged" };

/** A channel and its value to store. */
export interface NewChannelValue {
  readonly channel: string;
  readonly value: NewValue;
}

/** `put`. */
export interface Put {
  readonly config: Config;
  readonly checkpoint: {
    readonly id: Id;
    readonly v: number;
    readonly ts: string;
    readonly channelVersions: readonly ChannelVersion[];
    readonly channelValues: readonly NewChannelValue[];
    readonly rest: Payload;
  };
  readonly metadata: Payload;
  readonly newVersions: readonly string[];
  readonly runId: Id;
  readonly known?: Uint8Array | undefined;
}

/** `putWrites`. */
export interface PutWrites {
  readonly config: Config;
  readonly writes: readonly { readonly channel: string; readonly value: Payload }[];
  readonly taskId: Id;
  readonly taskPath: string;
}

/** `getTuple`. */
export interface GetTuple {
  readonly config: Config;
  readonly known?: Uint8Array | undefined;
}

/** One page of `list`. */
export interface List {
  readonly config: Config;
  readonly limit?: number | undefined;
  readonly before: Id;
  readonly filter: readonly { readonly key: string; readonly json: string }[];
  readonly resume?: Uint8Array | undefined;
}

/** `getDeltaChannelHistory`. */
export interface DeltaChannelHistory {
  readonly config: Config;
  readonly channels: readonly string[];
  readonly known: readonly Uint8Array[];
}

/** What a prune keeps of each namespace of a thread. */
export type Keep =
  | { readonly tag: "nothing" }
  | { readonly tag: "latest" }
  | { readonly tag: "last"; readonly val: number }
  | { readonly tag: "newer-than"; readonly val: string };

/** Which threads a prune is about. */
export type Pruned =
  | { readonly tag: "threads"; readonly val: readonly Id[] }
  | { readonly tag: "idle"; readonly val: string }
  | { readonly tag: "runs"; readonly val: readonly Id[] };

/** The right to sweep a store, which one of several processes gets. */
export interface Lease {
  /** The time of the call, in milliseconds since 1970. */
  readonly nowMs: number;
  readonly lengthMs: number;
}

/** `prune`, `deleteForRuns` and `expire`, of at most one thread in each call. */
export interface Prune {
  readonly pruned: Pruned;
  readonly keep: Keep;
  readonly limit?: number | undefined;
  readonly dryRun: boolean;
  readonly lease?: Lease | undefined;
  readonly resume?: Uint8Array | undefined;
}

/** `copyThread`. */
export interface CopyThread {
  readonly source: Id;
  readonly target: Id;
  readonly latestOnly: boolean;
}

/** One page of `threads`. */
export interface Threads {
  readonly limit?: number | undefined;
  readonly idleSince?: string | undefined;
  readonly idPrefix?: string | undefined;
  readonly filter: List["filter"];
  readonly resume?: Uint8Array | undefined;
}

/** `verify`, of one thread in each call. */
export interface Verify {
  readonly thread: Id;
  readonly resume?: Uint8Array | undefined;
}

/** `vacuum`, of a few pages in each call. */
export interface Vacuum {
  readonly pages?: number | undefined;
  readonly resume?: Uint8Array | undefined;
}

/** `export`, of one checkpoint in each call. */
export interface Export {
  /** The thread; all threads if it is absent. */
  readonly thread: Id;
  readonly resume?: Uint8Array | undefined;
}

/** `diff`. */
export interface Diff {
  readonly config: Config;
  /** The id of the earlier checkpoint; absent for the parent. */
  readonly before: Id;
  readonly values: boolean;
}

/** A call. */
export type Call =
  | { readonly tag: "setup" }
  | { readonly tag: "get-tuple"; readonly val: GetTuple }
  | { readonly tag: "list"; readonly val: List }
  | { readonly tag: "put"; readonly val: Put }
  | { readonly tag: "put-writes"; readonly val: PutWrites }
  | { readonly tag: "delete-thread"; readonly val: Config }
  | { readonly tag: "delta-channel-history"; readonly val: DeltaChannelHistory }
  /** Sends all rows that wait in a store with write-behind. */
  | { readonly tag: "flush" }
  | { readonly tag: "prune"; readonly val: Prune }
  | { readonly tag: "copy-thread"; readonly val: CopyThread }
  | { readonly tag: "threads"; readonly val: Threads }
  | { readonly tag: "stats"; readonly val: Id }
  | { readonly tag: "verify"; readonly val: Verify }
  | { readonly tag: "vacuum"; readonly val: Vacuum }
  | { readonly tag: "export"; readonly val: Export }
  | { readonly tag: "diff"; readonly val: Diff }
  /** Writing calls of one thread on Kusto that are made together. */
  | { readonly tag: "together"; readonly val: readonly Call[] };

// ---- what a caller gets ----------------------------------------------------------------------

/** A pending write as stored. */
export interface PendingWrite {
  readonly taskId: string;
  readonly channel: string;
  readonly value: Payload;
}

/** The value of a channel as stored. Spans are ranges of the page's `shared` bytes. */
export type TupleValue =
  | { readonly tag: "whole"; readonly val: Payload }
  | {
      readonly tag: "shared";
      readonly val: {
        readonly kind: string;
        readonly spans: readonly { readonly begin: number; readonly end: number }[];
      };
    }
  | { readonly tag: "unchanged" };

/** A checkpoint as stored. */
export interface CheckpointTuple {
  readonly threadId: string;
  readonly checkpointNs: string;
  readonly checkpointId: string;
  readonly parentCheckpointId: string | undefined;
  readonly v: number;
  readonly ts: string;
  readonly channelVersions: readonly ChannelVersion[];
  readonly channelValues: readonly { readonly channel: string; readonly value: TupleValue }[];
  readonly rest: Payload;
  readonly metadata: Payload;
  readonly pendingWrites: readonly PendingWrite[];
  readonly pendingSends: readonly Payload[] | undefined;
}

/** What `getTuple` gives. */
export interface FoundCheckpoint {
  readonly tuple: CheckpointTuple;
  readonly known: Uint8Array;
  /**
   * The lists and maps that an edit may start from, with the length in bytes of each element or
   * entry.
   */
  readonly bases: readonly { readonly channel: string; readonly lengths: Uint32Array }[];
}

/** A page of `list`. */
export interface Page {
  readonly tuples: readonly CheckpointTuple[];
  readonly shared: Uint8Array;
  readonly next: Uint8Array | undefined;
}

/** What `put` gives. */
export interface StoredCheckpoint {
  readonly threadId: string;
  readonly checkpointNs: string;
  readonly checkpointId: string;
  readonly known: Uint8Array;
  readonly values: readonly { readonly channel: string; readonly editable: boolean }[];
}

/** The history of one delta channel. */
export interface ChannelHistory {
  readonly channel: string;
  readonly goesOn: boolean;
  readonly writes: readonly PendingWrite[];
  readonly seed: Payload | undefined;
  readonly known: Uint8Array | undefined;
}

/** What all calls of a prune did together, or a copy. */
export interface Work {
  readonly threads: number;
  readonly checkpoints: number;
  readonly writes: number;
  readonly chunks: number;
  readonly bytes: number;
  readonly next: Uint8Array | undefined;
}

/** What is known of a thread without reading a state. */
export interface ThreadSummary {
  readonly threadId: string;
  readonly checkpointId: string;
  readonly ts: string;
  readonly metadata: Payload;
  readonly namespaces: number;
  readonly checkpoints: number;
  readonly writes: number;
}

/** A page of threads. */
export interface ThreadsPage {
  readonly threads: readonly ThreadSummary[];
  readonly next: Uint8Array | undefined;
}

/** What is stored, of one thread or of all. */
export interface Stats {
  readonly threads: number;
  readonly checkpoints: number;
  readonly writes: number;
  readonly recordBytes: number;
  readonly chunks: number;
  readonly chunkBytes: number;
}

/** Something that is damaged. */
export interface Problem {
  /** The thread; empty if the file of the store is damaged. */
  readonly threadId: string;
  readonly code: string;
  readonly message: string;
}

/** What all calls of a verification read, and what is damaged in the last thread. */
export interface Verified extends Work {
  readonly problems: readonly Problem[];
}

/** A pending write with its place in its task. */
export interface PlacedWrite extends PendingWrite {
  readonly taskPath: string;
  readonly idx: number;
}

/** What is stored of one checkpoint. */
export interface Exported {
  readonly threadId: string;
  readonly checkpointNs: string;
  readonly checkpointId: string;
  /** Without writes; undefined if only its writes are stored. */
  readonly checkpoint: CheckpointTuple | undefined;
  readonly writes: readonly PlacedWrite[];
  readonly next: Uint8Array;
}

/** The size of a value or an element in bytes, and the part itself if values were asked for. */
export interface PartSize {
  readonly bytes: number;
  readonly value: Payload | undefined;
}

/** An element of a list: added if it has no `before`, removed if it has no `after`. */
export interface ElementDifference<Part = PartSize> {
  /**
   * Its place in the list after; of a removed element in the list before. Undefined if more than
   * what differs would have to be read to count it.
   */
  readonly place: number | undefined;
  readonly before: Part | undefined;
  readonly after: Part | undefined;
}

/** A channel whose version or value differs. */
export interface ChannelDifference<Part = PartSize> {
  readonly channel: string;
  readonly versionBefore: number | string | undefined;
  readonly versionAfter: number | string | undefined;
  readonly before: Part | undefined;
  readonly after: Part | undefined;
  /** Of two lists, or none if the values are equal. Undefined if they are not both lists. */
  readonly elements: readonly ElementDifference<Part>[] | undefined;
}

/** What differs between a checkpoint and an earlier one. */
export interface Difference<Part = PartSize> {
  /** The earlier one; undefined if the checkpoint has no parent. Then everything is new. */
  readonly before: string | undefined;
  readonly channels: readonly ChannelDifference<Part>[];
  /** The writes stored with the earlier one: what its tasks wrote. */
  readonly writes: readonly {
    readonly taskId: string;
    readonly channel: string;
    readonly value: Part;
  }[];
}

/** How one of several calls made together ended. */
export type Ended = { readonly outcome: Outcome } | { readonly failure: unknown };

/** What an operation ends in. */
export type Outcome =
  /** A setup may have a warning for the caller. */
  | { readonly tag: "ready"; readonly val?: string | undefined }
  | { readonly tag: "found"; readonly val: FoundCheckpoint | undefined }
  | { readonly tag: "page"; readonly val: Page }
  | { readonly tag: "stored"; readonly val: StoredCheckpoint }
  | { readonly tag: "stale"; readonly val: Uint8Array }
  | { readonly tag: "writes-stored" }
  | { readonly tag: "deleted" }
  | { readonly tag: "history"; readonly val: readonly ChannelHistory[] }
  | { readonly tag: "worked"; readonly val: Work }
  | { readonly tag: "threads"; readonly val: ThreadsPage }
  | { readonly tag: "stats"; readonly val: Stats }
  | { readonly tag: "verified"; readonly val: Verified }
  | { readonly tag: "exported"; readonly val: Exported | undefined }
  | { readonly tag: "differences"; readonly val: Difference | undefined }
  /** The ends of calls made together, in the order of the calls. */
  | { readonly tag: "together"; readonly val: readonly Ended[] };

/** The outcome of one kind. */
export type OutcomeOf<Tag extends Outcome["tag"]> = Extract<Outcome, { tag: Tag }>;

// ---- what a host does ------------------------------------------------------------------------

/** The time in microseconds since 1970, and 64 random bits. */
export interface Moment {
  readonly now: bigint;
  readonly entropy: bigint;
}

/** An HTTP request, and whether it carries the bearer token. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  readonly authorization: "none" | "token" | "fresh-token";
  readonly timeoutMs: number;
  readonly responseBytesMax: number;
}

/** An HTTP response with its whole body. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** What a host answers to a request. */
export type HttpAnswer =
  | { readonly tag: "response"; readonly val: HttpResponse }
  | { readonly tag: "failed"; readonly val: string }
  | { readonly tag: "too-large" };

/** What a call needs of its host: a batch, a request, or a number of milliseconds to wait. */
export type Need =
  | { readonly tag: "sql"; readonly val: Batch }
  | { readonly tag: "http"; readonly val: HttpRequest }
  | { readonly tag: "wait"; readonly val: number };

/** What a host answers to a need. */
export type Answer =
  | { readonly tag: "sql"; readonly val: readonly RowSet[] }
  | { readonly tag: "http"; readonly val: HttpAnswer }
  | { readonly tag: "waited" };

/** What a store keeps in memory, for its host to act on between calls. */
export interface Status {
  /** When `flush` is due, in microseconds since 1970; undefined if no rows wait. */
  readonly flushDue: number | undefined;
  /** What is lost if the process ends without another flush. */
  readonly waiting: Waiting;
  /** The calls that were sent and that no query has shown yet. */
  readonly unshown: readonly UnshownCall[];
  /** A warning for the caller. Each is given once. */
  readonly warning: string | undefined;
}

/** How much is acknowledged but not sent yet. */
export interface Waiting {
  readonly checkpoints: number;
  readonly writes: number;
  readonly threads: number;
}

/** A call that was sent but that no query has shown yet. */
export type UnshownCall = readonly [threadId: string, rev: bigint, rows: number];

// ---- how a call is made ----------------------------------------------------------------------

/** What a call's method and caller say about it, besides what the planner is told. */
export interface Made {
  /** Its thread; undefined for a call about all threads. */
  readonly thread: string | undefined;
  /** Whether it was made inside a transaction of the caller's. */
  readonly isInside: boolean;
  /** By when it must have run. Calls that only read are due now. */
  readonly due: StoredCall["due"];
  /** Whether a store may run it together with neighbouring calls that also join. */
  readonly joins: boolean;
}

/** Makes the call that repeats a stale one, with the `known` of that outcome. */
export type Repeat = (known: Uint8Array) => Call;

/** The outcome, as one of the given kind. Throws `unexpected-outcome` if it is of another kind. */
export function expectOutcome<Tag extends Outcome["tag"]>(
  outcome: Outcome,
  tag: Tag,
): OutcomeOf<Tag> {
  if (isOutcome(outcome, tag)) return outcome;
  throw new ProtocolError(
    "unexpected-outcome",
    `the planner ended in "${outcome.tag}" instead of "${tag}"; please report it`,
  );
}

function isOutcome<Tag extends Outcome["tag"]>(
  outcome: Outcome,
  tag: Tag,
): outcome is OutcomeOf<Tag> {
  return outcome.tag === tag;
}

/** The error for an outcome that refers to a cached value that does not exist. */
export function referenceToNothing(): ProtocolError {
  return new ProtocolError(
    "unexpected-outcome",
    "the planner referred to a value that this package does not have; please report it",
  );
}
