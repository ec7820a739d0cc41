// Sources of bearer tokens. No message contains a token or anything that a credential said: what it
// threw is only the cause of the error.

import { CheckpointerError, InvalidInputError } from "../../errors.js";
import type { HttpAnswer, HttpRequest } from "../../planner/contract.js";
import { type Clock, Moments } from "./clock.js";
import { type ClientSecret, LoginPlanner } from "./login.js";

/** A bearer token, as `@azure/identity` gives it. */
export interface AccessToken {
  /** The token. */
  readonly token: string;
  /** When it expires, in milliseconds since 1970. */
  readonly expiresOnTimestamp: number;
}

/** The interface of the credentials of `@azure/identity`. */
export interface TokenCredential {
  getToken(scopes: string | string[]): Promise<AccessToken | null>;
}

/** What a token is for. */
export interface TokenRequest {
  /** The scope, such as `https://name.region.kusto.windows.net/.default`. */
  readonly scope: string;
  /** Whether the last token was refused, so that a new one is needed. */
  readonly fresh: boolean;
}

/**
 * Gives a token. An `AccessToken` is reused until five minutes before it expires. For a plain
 * string the function is called at every request.
 */
export type TokenFunction = (
  request: TokenRequest,
) => string | AccessToken | Promise<string | AccessToken>;

/** Sends a request. */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>;

const causes = new WeakMap<HttpAnswer, unknown>();

/** The answer for a request that failed: a word for the planner, and the error for `causeOf`. */
export function failed(word: string, cause: unknown): HttpAnswer {
  const answer: HttpAnswer = { tag: "failed", val: word };
  causes.set(answer, cause);
  return answer;
}

/** The error that a request failed with. It goes to the caller, not to the planner. */
export function causeOf(answer: HttpAnswer): unknown {
  return causes.get(answer);
}

/** Gives the token of a request; undefined if requests carry none. `fresh` asks for a new one. */
export type TokenSource = (fresh: boolean) => Promise<string | undefined>;

/** A token that expires within this time is replaced. */
const MARGIN_MS = 5 * 60_000;

/** There is no token at the moment. Another attempt may get one. */
export class TokenPending extends Error {
  override readonly name = "TokenPending";
}

/** There is no token, and another attempt would not get one. */
export class TokenFailure extends Error {
  override readonly name = "TokenFailure";
  readonly code: string;
  /** What is wrong and what to do, for people. */
  readonly what: string;

  constructor(code: string, what: string, options?: ErrorOptions) {
    super(what, options);
    this.code = code;
    this.what = what;
  }
}

/** The source for requests without a token. */
export const NO_TOKEN: TokenSource = async () => undefined;

/** The source that always gives the same token. */
export function fixedToken(token: string): TokenSource {
  return async () => checked(token);
}

/** The tokens of a credential or function. */
export function tokensOf(
  credential: TokenCredential | TokenFunction,
  clusterUri: string,
  clock: Clock,
): TokenSource {
  const scope = scopeOf(clusterUri);
  return cached(clock, async (fresh) => {
    try {
      const given =
        typeof credential === "function"
          ? await credential({ scope, fresh })
          : await credential.getToken(scope);
      if (typeof given === "string") return { token: given, expiresOnTimestamp: 0 };
      if (given !== null && given !== undefined) return given;
    } catch (thrown) {
      throw noToken(`the credential failed${nameOf(thrown)}`, { cause: thrown });
    }
    throw noToken("the credential gave none");
  });
}

/** The tokens that an application gets with its secret. */
export function tokensFor(
  secret: ClientSecret,
  clusterUri: string,
  authority: string | undefined,
  send: Send,
  clock: Clock,
  core?: WebAssembly.Module,
): TokenSource {
  const planner = new LoginPlanner(core);
  const moments = new Moments(clock);
  const request = planner.request(secret, clusterUri, authority);
  return cached(clock, async () => {
    const answer = await send(request);
    if (answer.tag === "failed") {
      throw new TokenPending(`login: ${answer.val}`, { cause: causeOf(answer) });
    }
    if (answer.tag === "too-large") throw new TokenPending("login: the answer is too long");
    const { status } = answer.val;
    if (status === 429 || status >= 500) throw new TokenPending(`login: status ${status}`);
    try {
      const { value, expiresAt } = planner.token(answer.val, moments.next());
      return { token: value, expiresOnTimestamp: Math.floor(expiresAt / 1000) };
    } catch (thrown) {
      if (!(thrown instanceof CheckpointerError)) throw thrown;
      throw new TokenFailure(thrown.code, thrown.message, { cause: thrown });
    }
  });
}

function scopeOf(clusterUri: string): string {
  const origin = URL.canParse(clusterUri) ? new URL(clusterUri).origin : clusterUri;
  return `${origin}/.default`;
}

function cached(clock: Clock, get: (fresh: boolean) => Promise<AccessToken>): TokenSource {
  let last: AccessToken | undefined;
  let pending: Promise<AccessToken> | undefined;
  return async (fresh) => {
    const isGood = last !== undefined && last.expiresOnTimestamp - MARGIN_MS > clock.now();
    if (last !== undefined && isGood && !fresh) return last.token;
    pending ??= get(fresh).finally(() => {
      pending = undefined;
    });
    const got = await pending;
    const token = checked(got.token);
    last = got;
    return token;
  };
}

/** A token, checked to fit in a header: the error for a bad header would contain it. */
function checked(token: unknown): string {
  if (typeof token === "string" && /^[\x21-\x7e]+$/.test(token)) return token;
  throw noToken("the credential gave something that is no bearer token");
}

function noToken(what: string, options?: ErrorOptions): TokenFailure {
  return new TokenFailure("no-token", `there is no token for the cluster: ${what}`, options);
}

/** The class of a thrown error, for the message. A class name contains no secret. */
function nameOf(thrown: unknown): string {
  const name = thrown instanceof Error ? thrown.name : "";
  return /^[A-Za-z]{1,64}$/.test(name) ? ` with ${name}` : "";
}

/** Throws `invalid-credential` if a value is neither a credential nor a function. */
export function checkCredential(credential: unknown): void {
  if (typeof credential === "function") return;
  const getToken: unknown =
    typeof credential === "object" && credential !== null
      ? Reflect.get(credential, "getToken")
      : undefined;
  if (typeof getToken === "function") return;
  throw new InvalidInputError(
    "invalid-credential",
    "the credential has to be one of @azure/identity or a function that gives a token",
  );
}
