// The only file that knows the generated code of the planner for Kusto.

import { instantiate } from "../../../generated/planner-kusto.js";
import { refusal } from "../../errors.js";
import type { Call, Outcome } from "../../planner/contract.js";
import { coreModules } from "../../planner/core-modules.js";
import { CORE } from "../../planner/core-of-kusto.js";
import { compiledOnce, Instance } from "../../planner/instance.js";

type Kusto = ReturnType<typeof instantiate>["kusto"];
type Store = ReturnType<Kusto["Store"]["open"]>;
type Started = ReturnType<Store["put"]>;
type Operation = Started[0];
type Progress = Started[1];

/** A call of LangGraph's, or `flush`, or calls that write and are made together. */
export type StoreCall = Call | { tag: "flush" } | { tag: "together"; val: WriteCall[] };
/** A call that writes. */
export type WriteCall = Extract<Call, { tag: "put" | "put-writes" }>;
/** What is acknowledged and not sent yet. */
export type Waiting = ReturnType<Store["waiting"]>;
/** A call that was sent and that no query has shown yet. */
type UnshownCall = ReturnType<Store["unshown"]>[number];
/** How one of several calls ended. */
export type Ended = { readonly outcome: Outcome } | { readonly failure: unknown };
/** What a caller may choose, as the planner takes it. */
export type StoreOptions = Parameters<Kusto["Store"]["open"]>[0];
/** The time, and random bits. */
export type Moment = Parameters<Store["setup"]>[0];
/** What an operation asks for. */
export type Need = Extract<Progress, { tag: "need" }>["val"];
/** A request to send. */
export type HttpRequest = Extract<Need, { tag: "http" }>["val"];
/** What is said to a need. */
export type Answer = Parameters<Operation["advance"]>[0];
/** What is said to a request. */
export type HttpAnswer = Extract<Answer, { tag: "http" }>["val"];
/** A whole response. */
export type HttpResponse = Extract<HttpAnswer, { tag: "response" }>["val"];
/** What a connection string says. */
export type Connection = ReturnType<Kusto["parseConnectionString"]>;
/** An application's credentials. */
export type ClientSecret = Parameters<Kusto["tokenRequest"]>[0];
/** A bearer token and when it ends. */
export type Token = ReturnType<Kusto["readToken"]>;

/** How far a call is: a need, or its end; of calls that are made together, the end of each. */
export type Step =
  | { readonly need: Need }
  | { readonly outcome: Outcome }
  | { readonly outcomes: readonly Ended[] };

const ownModule = compiledOnce(coreModules(CORE));

function instance(core: WebAssembly.Module | undefined): Instance<Kusto> {
  const modules = core === undefined ? ownModule : coreModules(CORE, core);
  return new Instance(instantiate(modules, {}).kusto);
}

/** Reads a connection string. */
export function parseConnectionString(text: string, core?: WebAssembly.Module): Connection {
  return instance(core).enter((kusto) => kusto.parseConnectionString(text));
}

/** Gets tokens with an application's secret. */
export class TokenGuest {
  readonly #instance: Instance<Kusto>;

  constructor(core?: WebAssembly.Module) {
    this.#instance = instance(core);
  }

  /** The request that gets a token for a cluster. */
  request(secret: ClientSecret, clusterUri: string, authority?: string): HttpRequest {
    return this.#instance.enter((kusto) => kusto.tokenRequest(secret, clusterUri, authority));
  }

  /** Reads the response to the request. */
  read(response: HttpResponse, at: Moment): Token {
    return this.#instance.enter((kusto) => kusto.readToken(response, at));
  }
}

/** A planner instance with one store: what is not flushed yet is in its memory. */
export class StoreGuest {
  readonly #instance: Instance<Kusto>;
  readonly #store: Store;
  #unshown: readonly UnshownCall[];

  /** In place of another one, what that one has sent shows before anything is read. */
  constructor(options: StoreOptions, core?: WebAssembly.Module, before?: StoreGuest) {
    this.#instance = instance(core);
    this.#store = this.#instance.enter((kusto) => kusto.Store.open(options));
    this.#unshown = before === undefined ? [] : before.#unshown;
    if (this.#unshown.length === 0) return;
    this.#instance.enter(() => this.#store.awaitShown([...this.#unshown]));
  }

  get alive(): boolean {
    return this.#instance.alive;
  }

  /** Begins a call. Bad input is refused here. */
  start(call: StoreCall, at: Moment): PlannedCall {
    return new PlannedCall(this.#instance, this.#store, call, at, () => {
      // What is acknowledged from here on outlives the instance.
      this.#unshown = this.#instance.enter(() => this.#store.unshown());
    });
  }

  /** When `flush` is due, in microseconds since 1970. */
  flushDue(): bigint | undefined {
    return this.#instance.enter(() => this.#store.flushDue());
  }

  /** What is lost where the process ends without another flush. */
  waiting(): Waiting {
    return this.#instance.enter(() => this.#store.waiting());
  }

  /** What the caller should be warned of, once. */
  takeWarning(): string | undefined {
    return this.#instance.enter(() => this.#store.takeWarning());
  }
}

/** One call under way. */
export class PlannedCall {
  readonly #instance: Instance<Kusto>;
  readonly #operation: Operation;
  readonly #atEnd: () => void;
  #step: Step;

  constructor(
    instance: Instance<Kusto>,
    store: Store,
    call: StoreCall,
    at: Moment,
    atEnd: () => void,
  ) {
    const [operation, progress] = instance.enter(() => begin(store, call, at));
    this.#instance = instance;
    this.#operation = operation;
    this.#atEnd = atEnd;
    this.#step = toStep(progress);
    if (!("need" in this.#step)) atEnd();
  }

  /** Where the call stands. */
  get step(): Step {
    return this.#step;
  }

  /** Answers the need of the step. */
  advance(answer: Answer, at: Moment): void {
    this.#step = toStep(this.#instance.enter(() => this.#operation.advance(answer, at)));
    if (!("need" in this.#step)) this.#atEnd();
  }

  /** Frees what the instance keeps of the call. */
  end(): void {
    this.#instance.drop(this.#operation);
  }
}

function begin(store: Store, call: StoreCall, at: Moment): Started {
  switch (call.tag) {
    case "setup":
      return store.setup(at);
    case "get-tuple":
      return store.getTuple(call.val, at);
    case "list":
      return store.list(call.val, at);
    case "put":
      return store.put(call.val, at);
    case "put-writes":
      return store.putWrites(call.val, at);
    case "delete-thread":
      return store.deleteThread(call.val, at);
    case "delta-channel-history":
      return store.deltaChannelHistory(call.val, at);
    case "flush":
      return store.flush(at);
    case "together":
      return store.writeTogether(call.val, at);
  }
}

function toStep(progress: Progress): Step {
  switch (progress.tag) {
    case "need":
      return { need: progress.val };
    case "done":
      return { outcome: progress.val };
    case "all-done":
      return { outcomes: progress.val.map(toEnded) };
  }
}

function toEnded(one: Extract<Progress, { tag: "all-done" }>["val"][number]): Ended {
  if (one.tag === "ok") return { outcome: one.val };
  return { failure: refusal(one.val.tag, one.val.val) };
}
