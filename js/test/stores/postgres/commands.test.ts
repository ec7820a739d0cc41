// The commands of the program on PostgreSQL.

import { run } from "../../entries/import/program.js";
import { newSchema, rowsOf, target } from "./support/target.js";

const password = "hunter2";

/** The address of the server, with a password and settings of the session. */
function address(settings: string): string {
  const url = new URL(target.url);
  url.password = password;
  url.searchParams.set("options", settings);
  return url.href;
}

test("a_command_makes_no_store_and_tells_no_password", async () => {
  const { name } = newSchema();
  for (const settings of ["", "-c default_transaction_read_only=on"]) {
    for (const command of [["threads"], ["du"], ["delete", "chat", "--yes"]]) {
      const [word = "", ...rest] = command;
      const ended = run(word, address(settings), ...rest, "--schema", name);
      expect([ended.status, ended.stderr]).toEqual([
        2,
        expect.stringMatching(/^the schema has no/),
      ]);
      expect(ended.stdout + ended.stderr).not.toContain(password);
    }
  }
  const made = await rowsOf("SELECT FROM pg_namespace WHERE nspname = $1", [name]);
  expect(made).toHaveLength(0);
});

test("an_address_that_cannot_be_used_says_why_and_tells_no_password", () => {
  const { status, stderr } = run("threads", `postgresql://user:${password}@127.0.0.1:1/none`);
  expect([status, stderr]).toEqual([3, expect.stringMatching(/\ncause: .*ECONNREFUSED/)]);
  expect(stderr).not.toContain(password);
});
