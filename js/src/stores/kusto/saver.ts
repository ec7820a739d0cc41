/// <reference lib="esnext.disposable" preserve="true" />

import { InvalidInputError } from "../../errors.js";
import { PlannedSaver } from "../../langgraph/saver.js";
import { emitWarning, emitWarningNow } from "../../platform/runtime.js";
import { systemClock } from "./clock.js";
import { send } from "./http.js";
import { type ClientSecret, LoginPlanner } from "./login.js";
import { checkKustoOptions, type KustoOptions, toStoreOptions } from "./options.js";
import { KustoStore } from "./store.js";
import {
  checkCredential,
  fixedToken,
  NO_TOKEN,
  type Send,
  type TokenSource,
  tokensFor,
  tokensOf,
} from "./token.js";

/** How a saver logs in. */
type Login =
  | Pick<KustoOptions, "credential">
  | { readonly token: string }
  | { readonly secret: ClientSecret };

/**
 * A LangGraph.js checkpointer in a table of Kusto: Azure Data Explorer, or an Eventhouse of
 * Microsoft Fabric.
 *
 * A promise resolves after the rows of its call are in the store, unless `batchSize` asks for
 * write-behind.
 */
export class KustoSaver extends PlannedSaver {
  readonly #store: KustoStore;

  /** @internal */
  constructor(store: KustoStore, options: KustoOptions = {}) {
    super(store, options.serde, options);
    this.#store = store;
  }

  /**
   * Opens the table of a cluster's database. Nothing is sent.
   *
   * @param source A Kusto connection string, or the options with `clusterUri` and `database`.
   * @param options What a connection string does not say; what both say is taken from here.
   */
  static async fromConnectionString(
    source: string | KustoOptions,
    options: KustoOptions = {},
  ): Promise<KustoSaver> {
    if (typeof source !== "string") return open(optionsOf(source), source);
    checkKustoOptions(options);
    const { clusterUri, database, login } = new LoginPlanner(options.core).connection(source);
    const said = { clusterUri, database, ...defined(options) };
    if (options.credential !== undefined) return open(said, options);
    return open(said, login ?? {});
  }

  /** Checks that the table is there and usable, and says what is missing. */
  override async setup(): Promise<void> {
    await super.setup();
  }

  /** Sends the rows that wait, and resolves when they are in the store. */
  async flush(): Promise<void> {
    await this.#store.flush();
  }

  /** Sends the rows that wait, after the calls under way. Later calls are refused. */
  async close(): Promise<void> {
    await this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The options that stand in a connection string's place. */
function optionsOf(source: unknown): KustoOptions {
  if (typeof source !== "object" || source === null) {
    const message =
      "a connection string, or options with clusterUri and database, are missing: nothing says " +
      "where the database is";
    throw new InvalidInputError("invalid-argument", message);
  }
  checkKustoOptions(source);
  return source;
}

function open(options: KustoOptions, login: Login): KustoSaver {
  const { fetch = globalThis.fetch, core } = options;
  const warn =
    options.onWarning ?? ((message: string) => emitWarning(message, "CheckpointerWarning"));
  const store = toStoreOptions(options, isLogin(login));
  const tokens = toTokens(login, store.clusterUri, options);
  const warnAtExit =
    options.onWarning ?? ((message: string) => emitWarningNow(message, "CheckpointerWarning"));
  const surroundings = { fetch, tokens, warn, warnAtExit, clock: systemClock, core };
  return new KustoSaver(new KustoStore(store, surroundings), options);
}

/** Whether requests are to carry a token. */
function isLogin(login: Login): boolean {
  return "token" in login || "secret" in login || login.credential !== undefined;
}

function toTokens(login: Login, clusterUri: string, options: KustoOptions): TokenSource {
  if ("token" in login) return fixedToken(login.token);
  if ("secret" in login) {
    const { fetch = globalThis.fetch, authority, core } = options;
    const sendIt: Send = (request) => send(fetch, request);
    return tokensFor(login.secret, clusterUri, authority, sendIt, systemClock, core);
  }
  if (login.credential === undefined) return NO_TOKEN;
  checkCredential(login.credential);
  return tokensOf(login.credential, clusterUri, systemClock);
}

/** The options that are there: undefined stands for one that is left out. */
function defined(options: KustoOptions): KustoOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
