// A network that loses, repeats and refuses requests, in front of a working store.

import type { Fetch } from "../../../../src/stores/kusto/http.js";
import type { Random } from "./random.js";

/** What may happen to a request. */
export const FAULTS = [
  "cut-before",
  "cut-after",
  "repeated",
  "repeated-and-cut",
  "too-many-requests",
  "retry-after",
  "unavailable",
  "no-json",
  "transient-400",
  "token-refused",
  "streaming-off",
  "too-large",
  "has-errors",
  "permanent-400",
] as const;

/** The name of a fault. */
export type Fault = (typeof FAULTS)[number];

/** The faults after which a call may succeed. */
export const PASSING = FAULTS.filter((fault) => fault !== "permanent-400");

/** Forwards requests to a store, except for those that meet a fault. */
export class FaultyFetch {
  readonly #random: Random;
  /** How often each fault was met. */
  readonly met = new Map<Fault, number>();
  faults: readonly Fault[] = PASSING;
  /** The share of requests that meet one. */
  share = 0;
  /** Only requests whose URL contains this meet a fault. */
  endpoint = "";

  constructor(random: Random) {
    this.#random = random;
  }

  readonly fetch: Fetch = async (input, init) => {
    const spared = !String(input).includes(this.endpoint) || !this.#random.chance(this.share);
    if (spared) return fetch(input, init);
    const fault = this.#random.pick(this.faults.filter((one) => fits(one, String(input))));
    this.met.set(fault, (this.met.get(fault) ?? 0) + 1);
    return meet(fault, () => fetch(input, init));
  };
}

/** Whether a fault may happen at an endpoint. */
function fits(fault: Fault, url: string): boolean {
  const isIngestion = url.includes("/v1/rest/ingest/");
  if (fault === "streaming-off" || fault === "too-large") return isIngestion;
  if (fault === "has-errors") return url.includes("/v2/rest/query");
  return true;
}

async function meet(fault: Fault, send: () => Promise<Response>): Promise<Response> {
  switch (fault) {
    case "cut-before":
      throw new TypeError("fetch failed");
    case "cut-after":
      await (await send()).arrayBuffer();
      throw new TypeError("fetch failed");
    case "repeated":
      await (await send()).arrayBuffer();
      return send();
    case "repeated-and-cut":
      await (await send()).arrayBuffer();
      await (await send()).arrayBuffer();
      throw new TypeError("fetch failed");
    case "too-many-requests":
      return refusal(429, "TooManyRequests", false);
    case "retry-after":
      return refusal(429, "TooManyRequests", false, { "retry-after": "2" });
    case "unavailable":
      return refusal(503, "ServiceUnavailable", false);
    case "no-json":
      return new Response("<html>Bad Gateway</html>", { status: 502 });
    case "transient-400":
      return refusal(400, "General_ThrottledIngestion", false);
    case "token-refused":
      return new Response(null, { status: 401 });
    case "streaming-off":
      return refusal(400, "BadRequest_StreamingIngestionPolicyNotEnabled", true);
    case "too-large":
      return refusal(413, "Stream_InputStreamTooLarge", true);
    case "has-errors":
      return Response.json(FAILED_QUERY);
    case "permanent-400":
      return refusal(400, "General_BadRequest", true);
  }
}

function refusal(
  status: number,
  code: string,
  permanent: boolean,
  headers: Record<string, string> = {},
): Response {
  const error = { code, message: code, "@type": code, "@message": code, "@permanent": permanent };
  return Response.json({ error }, { status, headers });
}

/** The answer of a query that fails after it has started to answer. */
const FAILED_QUERY = [
  { FrameType: "DataSetHeader", IsProgressive: false, Version: "v2.0" },
  {
    FrameType: "DataSetCompletion",
    HasErrors: true,
    Cancelled: false,
    OneApiErrors: [
      { error: { code: "LimitsExceeded", message: "Query was throttled.", "@permanent": false } },
    ],
  },
];
