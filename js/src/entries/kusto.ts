// The entry point `langgraph-checkpoint-wasm/kusto`: Kusto through `fetch`.

export type { IngestMode, KustoOptions } from "../stores/kusto/options.js";
export { KustoSaver } from "../stores/kusto/saver.js";
export type {
  AccessToken,
  TokenCredential,
  TokenFunction,
  TokenRequest,
} from "../stores/kusto/token.js";
