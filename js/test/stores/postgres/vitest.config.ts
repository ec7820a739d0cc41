// The tests on PostgreSQL, which need a server: `cargo xtask test --only postgres`. Those that are
// about no driver run on each; a project is a way to reach PostgreSQL.

import { spawnSync } from "node:child_process";

import { defineConfig } from "vitest/config";

import type { Route } from "./support/server.js";

/** What every driver has to pass. */
const COMMON = ["conformance", "transcripts", "sequences", "forks", "texts"];

const routes: [Route, include: string[]][] = [
  ["pg", ["*"]],
  ["pg-prepared", COMMON],
  ["postgres-js", [...COMMON, "races"]],
  ["neon", [...COMMON, "races"]],
  ["pglite", COMMON],
];
if (isInstalled("pgbouncer") || isInstalled("/usr/sbin/pgbouncer") || process.env.CI) {
  routes.push(["pgbouncer", [...COMMON, "races"]]);
} else console.warn("PgBouncer is not installed (Debian: pgbouncer): nothing runs through it");

export default defineConfig({
  test: {
    projects: routes.map(([name, include]) => ({
      test: {
        name,
        globals: true,
        include: include.map((file) => `test/stores/postgres/${file}.test.ts`),
        globalSetup: [
          ...(name === "pg" ? ["test/support/build.ts"] : []),
          "test/stores/postgres/support/server.ts",
        ],
        testTimeout: 120_000,
        hookTimeout: 120_000,
      },
    })),
  },
});

function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"]).status === 0;
}
