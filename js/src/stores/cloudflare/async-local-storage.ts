import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";

import { builtinModule } from "../../platform/runtime.js";

/**
 * Lets `interrupt()` find its graph in Workers, where LangGraph leaves the choice of an async local
 * storage to the program. A storage that is already set stays. Does nothing in a Worker whose
 * compatibility flags leave out `node:async_hooks`.
 */
export function provideAsyncLocalStorage(): void {
  const hooks = builtinModule<typeof import("node:async_hooks")>("node:async_hooks");
  if (hooks === undefined) return;
  AsyncLocalStorageProviderSingleton.initializeGlobalInstance(new hooks.AsyncLocalStorage());
}
