import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globals: true,
    include: ["test/**/*.test.ts"],
    // They need a server, and have a configuration of their own.
    exclude: [...configDefaults.exclude, "test/stores/postgres/**"],
    globalSetup: ["test/support/build.ts", "test/stores/kusto/support/server.ts"],
    // Tests that start processes or install packages are slow on a loaded machine, never hung.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
