import { DeniedError, ProtocolError } from "../errors.js";
import type { Eventually } from "../eventually.js";
import type { Outcome } from "../guest.js";
import type { Clock, Moments } from "./clock.js";
import type { Answer, Need, PlannedCall } from "./guest.js";
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
  const { step } = planned;
  if ("need" in step) return proceed(planned, step.need, world);
  planned.end();
  return step.outcome;
}

async function proceed(planned: PlannedCall, first: Need, world: World): Promise<Outcome> {
  try {
    let need = first;
    for (let count = 0; count < STEPS_MAX; count += 1) {
      planned.advance(await answerTo(need, world), world.moments.next());
      const { step } = planned;
      if ("outcome" in step) return step.outcome;
      need = step.need;
    }
  } catch (thrown) {
    throw withTokenFailure(thrown, world.exchange);
  } finally {
    planned.end();
  }
  throw new ProtocolError(
    "too-many-rounds",
    `a call asked for more than ${STEPS_MAX} requests; please report it`,
  );
}

async function answerTo(need: Need, { exchange, clock }: World): Promise<Answer> {
  if (need.tag === "http") return { tag: "http", val: await exchange.answer(need.val) };
  await clock.sleep(need.val);
  return { tag: "waited" };
}

/** What the planner took for a refused token may be that there was none. */
function withTokenFailure(thrown: unknown, { tokenFailure }: Exchange): unknown {
  if (!(thrown instanceof DeniedError) || tokenFailure === undefined) return thrown;
  const { stored } = thrown;
  const effect = stored === "nothing" ? "nothing was stored" : "some of it may be stored";
  return new DeniedError(tokenFailure.code, `${tokenFailure.what}; ${effect}`, { stored });
}
