// The planner's core module as a function of bytes: its exports are the canonical ABI of `packed`
// in wit/planner.wit, where a list of bytes is its place and its length.

import { Decoder, Encoder, ExtensionCodec } from "@msgpack/msgpack";

import type { Packed } from "./call.js";
import type { PackedProgress } from "./progress.js";

const INTERFACE = "langgraph:checkpoint/packed@0.1.0";
/** Bytes of an encoder's buffer that stay reserved for the next call. */
const RESERVED_MAX = 4 * 1024 * 1024;
/** The extension type of text that begins with a byte order mark. */
const MARKED_TEXT = 1;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly allocate: (old: number, oldSize: number, alignment: number, size: number) => number;
  readonly start: (at: number, length: number) => number;
  readonly startEnded: (result: number) => void;
  readonly advance: (operation: number, at: number, length: number) => number;
  readonly advanceEnded: (result: number) => void;
  readonly end: (operation: number) => void;
}

const extensionCodec = new ExtensionCodec();
const markedText = new TextDecoder("utf-8", { ignoreBOM: true });
extensionCodec.register({
  type: MARKED_TEXT,
  encode: () => null,
  decode: (bytes) => markedText.decode(bytes),
});
const decoder = new Decoder({ useBigInt64: true, extensionCodec });

/** Bytes in the core module's memory: where they are, and how many. */
export type Given = readonly [at: number, length: number];

/** An instance of the core module. */
export class PackedCore {
  readonly #exports: Exports;
  #encoder = newEncoder();

  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module, {});
    const called = (name: string) => exports[`${INTERFACE}#${name}`];
    this.#exports = {
      memory: exports.memory,
      allocate: exports.cabi_realloc,
      start: called("start"),
      startEnded: exports[`cabi_post_${INTERFACE}#start`],
      advance: called("advance"),
      advanceEnded: exports[`cabi_post_${INTERFACE}#advance`],
      end: called("end"),
    } as Exports;
  }

  /** Takes a call that will be begun. */
  give(call: Packed): Given {
    const bytes = this.#encoder.encodeSharedRef(call);
    const { length } = bytes;
    const at = this.#allocate(1, length);
    new Uint8Array(this.#exports.memory.buffer, at, length).set(bytes);
    if (bytes.buffer.byteLength > RESERVED_MAX) this.#encoder = newEncoder();
    return [at, length];
  }

  /** Begins calls. Gives where each of them stands. */
  start(calls: readonly Given[]): PackedProgress[] {
    const { memory, start, startEnded } = this.#exports;
    const at = this.#allocate(4, calls.length * 8);
    // In the order of bytes that memory has.
    const view = new DataView(memory.buffer, at, calls.length * 8);
    for (const [index, [place, length]] of calls.entries()) {
      view.setUint32(index * 8, place, true);
      view.setUint32(index * 8 + 4, length, true);
    }
    return this.#take(start(at, calls.length), startEnded) as PackedProgress[];
  }

  /** Gives row sets to an operation. */
  advance(operation: number, rowSets: Packed): PackedProgress {
    const { advance, advanceEnded } = this.#exports;
    const [at, length] = this.give(rowSets);
    return this.#take(advance(operation, at, length), advanceEnded) as PackedProgress;
  }

  /** Forgets an operation. */
  end(operation: number): void {
    this.#exports.end(operation);
  }

  #allocate(alignment: number, size: number): number {
    return this.#exports.allocate(0, 0, alignment, size) >>> 0;
  }

  #take(result: number, ended: (result: number) => void): unknown {
    const { buffer } = this.#exports.memory;
    const view = new DataView(buffer, result >>> 0, 8);
    const at = view.getUint32(0, true);
    const bytes = new Uint8Array(buffer, at, view.getUint32(4, true)).slice();
    ended(result);
    return decoder.decode(bytes);
  }
}

/** Numbers stay doubles, so that only a bigint is an integer. */
function newEncoder(): Encoder {
  return new Encoder({ useBigInt64: true, forceIntegerToFloat: true });
}
