// The entry point `langgraph-checkpoint-wasm/kusto`: Kusto through `fetch`.

export type { IngestMode, KustoOptions } from "./kusto/options.js";
export { KustoSaver } from "./kusto/saver.js";
export type {
  AccessToken,
  TokenCredential,
  TokenFunction,
  TokenRequest,
} from "./kusto/token.js";
