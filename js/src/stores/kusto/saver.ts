/// <reference lib="esnext.disposable" preserve="true" />

import { InvalidInputError } from "../../errors.js";
import { LifecycleSaver } from "../../langgraph/lifecycle-saver.js";
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
 * A promise resolves after the rows of its call are in the store, unless `batchSize` turns on
 * write-behind.
 *
 * The table is only appended to: what is pruned or deleted is hidden at once, and its rows stay
 * until the table's retention drops them. The chunks of pruned checkpoints are not counted.
 */
export class KustoSaver extends LifecycleSaver {
  readonly #store: KustoStore;

  /** @internal */
  constructor(store: KustoStore, options: KustoOptions = {}) {
    super(store, options.serde, options);
    this.#store = store;
  }

  /**
   * Opens a table of a cluster's database. Sends nothing.
   *
   * @param source A Kusto connection string, or the options with `clusterUri` and `database`.
   * @param options Options beside a connection string. They win over what the string says.
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

  /** Checks that the table exists and is usable. Throws an error that names what is missing. */
  override async setup(): Promise<void> {
    await super.setup();
  }

  /** Sends the waiting rows, and resolves when they are in the store. */
  async flush(): Promise<void> {
    await this.callsStarted();
    await this.#store.flush();
  }

  /** Waits for the calls under way and sends the waiting rows. Later calls are refused. */
  async close(): Promise<void> {
    await this.callsStarted();
    await this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The options that were given instead of a connection string. */
function optionsOf(source: unknown): KustoOptions {
  if (typeof source !== "object" || source === null) {
    const message =
      "a connection string, or options with clusterUri and database, are missing; pass one of " +
      "them to say where the database is";
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

/** Whether requests carry a token. */
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

/** The options without the undefined ones, so that these do not override others. */
function defined(options: KustoOptions): KustoOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
