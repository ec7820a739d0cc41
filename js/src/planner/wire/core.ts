// A planner's core module as functions over bytes. Its exports are the canonical ABI of the
// interface `wire` in wit/planner/wire.wit, where a list of bytes is an address and a length.

import { Decoder, Encoder, ExtensionCodec } from "@msgpack/msgpack";

import type { UnshownCall } from "../contract.js";
import type { WireValue } from "./call.js";
import type { WireAnswer, WireProgress, WireRefusal, WireStatus } from "./progress.js";

const INTERFACE = "langgraph:checkpoint-planner/wire@0.1.0";
/** How many bytes an encoder's buffer may keep for the next call. */
const RESERVED_MAX = 4 * 1024 * 1024;
/** The extension type of text that begins with a byte order mark. */
const MARKED_TEXT = 1;

/** Bytes in the core module's memory: their address and length. */
export type Given = readonly [at: number, length: number];

/** No bytes. An empty list still needs an address that is not 0. */
export const NOTHING: Given = [1, 0];

type Export = (...values: number[]) => number;
/** An export that returns bytes, and the one that frees them. */
type BytesExport = readonly [run: Export, free: Export];

const extensionCodec = new ExtensionCodec();
const markedText = new TextDecoder("utf-8", { ignoreBOM: true });
extensionCodec.register({
  type: MARKED_TEXT,
  encode: () => null,
  decode: (bytes) => markedText.decode(bytes),
});
const decoder = new Decoder({ useBigInt64: true, extensionCodec });

/** An instance of a core module. */
export class WireCore {
  readonly #memory: WebAssembly.Memory;
  readonly #allocate: Export;
  readonly #start: BytesExport;
  readonly #advance: BytesExport;
  readonly #end: Export;
  /** Looks up an export that is called only a few times in the life of a store. */
  readonly #gives: (name: string) => BytesExport;
  #encoder = newEncoder();

  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module, {});
    const called = (name: string) => exports[name] as Export;
    const gives = (name: string): BytesExport => {
      return [called(`${INTERFACE}#${name}`), called(`cabi_post_${INTERFACE}#${name}`)];
    };
    this.#memory = exports.memory as WebAssembly.Memory;
    this.#allocate = called("cabi_realloc");
    this.#start = gives("start");
    this.#advance = gives("advance");
    this.#end = called(`${INTERFACE}#end`);
    this.#gives = gives;
  }

  /** Encodes a value into the core module's memory, as an argument of the next call. */
  give(value: WireValue): Given {
    const bytes = this.#encoder.encodeSharedRef(value);
    const { length } = bytes;
    const at = this.#allocate(0, 0, 1, length) >>> 0;
    new Uint8Array(this.#memory.buffer, at, length).set(bytes);
    if (bytes.buffer.byteLength > RESERVED_MAX) this.#encoder = newEncoder();
    return [at, length];
  }

  /** Opens a store. */
  open(options: WireValue): WireAnswer<[store: number]> {
    const [open, free] = this.#gives("open");
    return this.#take(open(...this.give(options)), free) as WireAnswer<[number]>;
  }

  /** Starts a call on a store, and returns its progress. */
  start(store: number, call: Given, moment: Given): WireProgress {
    const [start, free] = this.#start;
    return this.#take(start(store, ...call, ...moment), free) as WireProgress;
  }

  /** Gives an operation its answer, and returns its progress. */
  advance(operation: number, answer: Given, moment: Given): WireProgress {
    const [advance, free] = this.#advance;
    return this.#take(advance(operation, ...answer, ...moment), free) as WireProgress;
  }

  /** Forgets an operation. */
  end(operation: number): void {
    this.#end(operation);
  }

  /** What a store keeps in memory. */
  status(store: number): WireStatus | WireRefusal {
    const [status, free] = this.#gives("status");
    return this.#take(status(store), free) as WireStatus;
  }

  /** Tells a store of calls that an earlier instance has sent and no query has shown. */
  awaitShown(store: number, calls: readonly UnshownCall[]): WireAnswer<[]> {
    const [awaitShown, free] = this.#gives("await-shown");
    return this.#take(awaitShown(store, ...this.give(calls)), free) as WireAnswer<[]>;
  }

  /** Answers a question about a login. */
  login<Fields extends unknown[]>(question: WireValue): WireAnswer<Fields> {
    const [login, free] = this.#gives("login");
    return this.#take(login(...this.give(question)), free) as WireAnswer<Fields>;
  }

  /** Answers a question about a stock database. */
  takeover<Fields extends unknown[]>(store: number, question: WireValue): WireAnswer<Fields> {
    const [takeover, free] = this.#gives("takeover");
    return this.#take(takeover(store, ...this.give(question)), free) as WireAnswer<Fields>;
  }

  #take(result: number, free: Export): unknown {
    const { buffer } = this.#memory;
    const view = new DataView(buffer, result >>> 0, 8);
    const at = view.getUint32(0, true);
    const bytes = new Uint8Array(buffer, at, view.getUint32(4, true)).slice();
    free(result);
    return decoder.decode(bytes);
  }
}

/** Every number is encoded as a double, so that only a bigint is an integer. */
function newEncoder(): Encoder {
  return new Encoder({ useBigInt64: true, forceIntegerToFloat: true });
}
