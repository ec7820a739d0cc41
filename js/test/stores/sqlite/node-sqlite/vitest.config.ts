import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../../../..", import.meta.url)),
  test: { globals: true, include: ["test/stores/sqlite/node-sqlite/conformance.ts"] },
});
