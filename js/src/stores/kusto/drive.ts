import { DeniedError, ProtocolError, UnavailableError } from "../../errors.js";
import type { Outcome } from "../../planner/contract.js";
import type { Eventually } from "../../platform/maybe-promise.js";
import type { Clock, Moments } from "./clock.js";
import type { Answer, Ended, Need, PlannedCall, Step } from "./guest.js";
import type { Exchange } from "./http.js";

/** More steps than any operation takes: a call that asks for more would never end. */
const STEPS_MAX = 10_000;

/** What a call is driven with. */
export interface World {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly moments: Moments;
}

/** Drives a call that has begun to its outcome; without waiting if it has ended already. */
export function drive(planned: PlannedCall, world: World): Eventually<Outcome> {
  return toEnd(planned, world, (step) => ("outcome" in step ? step.outcome : undefined));
}

/** Drives calls that have begun together, each to its end. */
export async function driveAll(planned: PlannedCall, world: World): Promise<readonly Ended[]> {
  const endOf = (step: Step) => ("outcomes" in step ? step.outcomes : undefined);
  const ended = await toEnd(planned, world, endOf);
  return ended.map((one) => {
    return "outcome" in one ? one : { failure: withCause(one.failure, world.exchange) };
  });
}

function toEnd<End>(
  planned: PlannedCall,
  world: World,
  endOf: (step: Step) => End | undefined,
): Eventually<End> {
  const { step } = planned;
  if ("need" in step) return proceed(planned, step.need, world, endOf);
  planned.end();
  return expectEnd(endOf(step));
}

async function proceed<End>(
  planned: PlannedCall,
  first: Need,
  world: World,
  endOf: (step: Step) => End | undefined,
): Promise<End> {
  try {
    let need = first;
    for (let count = 0; count < STEPS_MAX; count += 1) {
      planned.advance(await answerTo(need, world), world.moments.next());
      const { step } = planned;
      if (!("need" in step)) return expectEnd(endOf(step));
      need = step.need;
    }
  } catch (thrown) {
    throw withCause(thrown, world.exchange);
  } finally {
    planned.end();
  }
  throw new ProtocolError(
    "too-many-rounds",
    `a call asked for more than ${STEPS_MAX} requests; please report it`,
  );
}

function expectEnd<End>(end: End | undefined): End {
  if (end !== undefined) return end;
  throw new ProtocolError("unexpected-outcome", "a call ended as another kind; please report it");
}

async function answerTo(need: Need, { exchange, clock }: World): Promise<Answer> {
  if (need.tag === "http") return { tag: "http", val: await exchange.answer(need.val) };
  await clock.sleep(need.val);
  return { tag: "waited" };
}

/**
 * A failure with what it comes of, which the planner does not see: that there was no token, where
 * it took one to be refused, or what the last request failed with.
 */
function withCause(thrown: unknown, { tokenFailure, cause }: Exchange): unknown {
  if (thrown instanceof UnavailableError && thrown.cause === undefined && cause !== undefined) {
    Object.defineProperty(thrown, "cause", { value: cause, writable: true, configurable: true });
  }
  if (!(thrown instanceof DeniedError) || tokenFailure === undefined) return thrown;
  const { stored } = thrown;
  const effect = stored === "nothing" ? "nothing was stored" : "some of it may be stored";
  const options = { stored, cause: tokenFailure.cause };
  return new DeniedError(tokenFailure.code, `${tokenFailure.what}; ${effect}`, options);
}
