// The tests on PostgreSQL, which need a server: `cargo xtask test --only postgres`.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globals: true,
    include: ["test/stores/postgres/*.test.ts"],
    globalSetup: ["test/support/build.ts", "test/stores/postgres/support/server.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
