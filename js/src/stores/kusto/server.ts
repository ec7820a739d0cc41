// Serves the needs of calls on Kusto: requests and waiting.

import { DeniedError, UnavailableError } from "../../errors.js";
import type { Answer, Need } from "../../planner/contract.js";
import { type Server, unserved } from "../../planner/drive.js";
import type { Clock } from "./clock.js";
import type { Exchange } from "./http.js";

/** Serves the needs of one call. */
export class KustoServer implements Server {
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  readonly onEnd: () => void;

  constructor(exchange: Exchange, clock: Clock, onEnd: () => void) {
    this.#exchange = exchange;
    this.#clock = clock;
    this.onEnd = onEnd;
  }

  async serve(need: Need): Promise<Answer> {
    switch (need.tag) {
      case "http":
        return { tag: "http", val: await this.#exchange.answer(need.val) };
      case "wait":
        await this.#clock.sleep(need.val);
        return { tag: "waited" };
      default:
        throw unserved(need);
    }
  }

  /**
   * Adds the cause of a failure, which the planner does not see: that there was no token, where the
   * planner was told of a refused one, or the error of the last request.
   */
  explained(thrown: unknown): unknown {
    const { tokenFailure, cause } = this.#exchange;
    if (thrown instanceof UnavailableError && thrown.cause === undefined && cause !== undefined) {
      Object.defineProperty(thrown, "cause", { value: cause, writable: true, configurable: true });
    }
    if (!(thrown instanceof DeniedError) || tokenFailure === undefined) return thrown;
    const { stored } = thrown;
    const effect = stored === "nothing" ? "nothing was stored" : "some of it may be stored";
    const options = { stored, cause: tokenFailure.cause };
    return new DeniedError(tokenFailure.code, `${tokenFailure.what}; ${effect}`, options);
  }
}
