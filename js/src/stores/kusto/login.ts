// Logging in to a cluster: what its connection string says, and tokens for an application's secret.

import type { HttpRequest, HttpResponse, Moment } from "../../planner/contract.js";
import { compiledOnce } from "../../planner/core-modules.js";
import { CORE } from "../../planner/core-of-kusto.js";
import { Instance } from "../../planner/instance.js";
import { toWireMoment, toWireResponse, type WireValue } from "../../planner/wire/call.js";
import { accepted, fromWireRequest, type WireRequest } from "../../planner/wire/progress.js";

/** What a connection string says. */
export interface Connection {
  readonly clusterUri: string;
  readonly database: string | undefined;
  /** The token or the credentials in it; undefined if it has neither. */
  readonly login: { readonly token: string } | { readonly secret: ClientSecret } | undefined;
}

/** An application's credentials. */
export interface ClientSecret {
  readonly tenant: string;
  readonly clientId: string;
  readonly secret: string;
}

/** A bearer token, and when it expires, in microseconds since 1970. */
export interface Token {
  readonly value: string;
  readonly expiresAt: number;
}

type WireLogin = [token: string] | [tenant: string, clientId: string, secret: string] | null;

/** The core module of the planner for Kusto from this package, loaded at the first use. */
export const ownCore = compiledOnce(CORE);

/** Asks the planner about logins. */
export class LoginPlanner {
  readonly #instance: Instance;

  constructor(core?: WebAssembly.Module) {
    this.#instance = new Instance(core ?? ownCore());
  }

  /** Parses a connection string. Throws `InvalidInputError`. */
  connection(text: string): Connection {
    const [clusterUri, database, login] = this.#ask<[string, string | null, WireLogin]>([
      0,
      text.toWellFormed(),
    ]);
    return { clusterUri, database: database ?? undefined, login: fromWireLogin(login) };
  }

  /** The request for a token for a cluster. */
  request(
    { tenant, clientId, secret }: ClientSecret,
    clusterUri: string,
    authority: string | undefined,
  ): HttpRequest {
    const question = [1, tenant, clientId, secret, clusterUri, authority];
    return fromWireRequest(this.#ask<WireRequest>(question));
  }

  /** The token in the response to that request. Throws if there is none. */
  token(response: HttpResponse, at: Moment): Token {
    const question = [2, toWireResponse(response), toWireMoment(at)];
    const [value, expiresAt] = this.#ask<[string, number]>(question);
    return { value, expiresAt };
  }

  #ask<Fields extends unknown[]>(question: WireValue): Fields {
    const answer = this.#instance.enter((core) => core.login<Fields>(question));
    const [, ...fields] = accepted<[0, ...Fields]>(answer);
    return fields;
  }
}

function fromWireLogin(login: WireLogin): Connection["login"] {
  if (login === null) return undefined;
  if (login.length === 1) return { token: login[0] };
  const [tenant, clientId, secret] = login;
  return { secret: { tenant, clientId, secret } };
}
