import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";

import { builtinModule } from "../../platform/runtime.js";

/**
 * Lets `interrupt()` find its graph in Workers, where LangGraph leaves it to the program to say
 * what stores that. What is said already stays. A Worker that has no `node:async_hooks` by its
 * compatibility flags goes without.
 */
export function provideAsyncLocalStorage(): void {
  const hooks = builtinModule<typeof import("node:async_hooks")>("node:async_hooks");
  if (hooks === undefined) return;
  AsyncLocalStorageProviderSingleton.initializeGlobalInstance(new hooks.AsyncLocalStorage());
}
