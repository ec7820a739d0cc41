// What calls on Kusto need: requests sent, and time that passes.

import { DeniedError, UnavailableError } from "../../errors.js";
import type { Answer, Need } from "../../planner/contract.js";
import { type Server, unserved } from "../../planner/drive.js";
import type { Clock } from "./clock.js";
import type { Exchange } from "./http.js";

/** Serves what one call needs. */
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
   * A failure with what it comes of, which the planner does not see: that there was no token, where
   * it took one to be refused, or what the last request failed with.
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
