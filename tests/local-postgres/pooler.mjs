// Serves PgBouncer on 127.0.0.1 before the server of a connection string, until its input ends: in
// transaction mode, with two connections to the server. Prints one line of JSON: `url`, the
// connection string of the same role through the pooler; `null` if PgBouncer is not installed.
import { spawn, spawnSync } from "node:child_process";
import { chownSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import { freePort, temporaryFolder } from "./process.mjs";

const PROGRAM = ["/usr/sbin/pgbouncer", "pgbouncer"].find((path) => {
  return spawnSync(path, ["--version"]).status === 0;
});
if (PROGRAM === undefined) {
  console.log(JSON.stringify({ url: null }));
  process.exit();
}
const server = new URL(process.argv[2]);
const { folder, user } = temporaryFolder();
const port = await freePort();
const users = file("users.txt", `"${server.username}" "${server.password}"\n`);
const settings = file(
  "pgbouncer.ini",
  `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
`,
);
const pooler = spawn(PROGRAM, ["--quiet", settings], {
  ...user,
  cwd: folder,
  stdio: ["ignore", "ignore", "pipe"],
});
let log = "";
pooler.stderr.on("data", (text) => {
  log = (log + text).slice(-4000);
});
let isEnding = false;
pooler.on("exit", (code) => {
  if (!isEnding) console.error(`PgBouncer ended with ${code}:\n${log}`);
  process.exit(isEnding ? 0 : 1);
});
await accepting();
const url = new URL(server);
url.host = `127.0.0.1:${port}`;
console.log(JSON.stringify({ url: url.href }));
process.stdin
  .on("end", () => {
    isEnding = true;
    pooler.kill("SIGKILL");
  })
  .resume();

function file(name, text) {
  const path = join(folder, name);
  writeFileSync(path, text);
  if (user !== undefined) chownSync(path, user.uid, user.gid);
  return path;
}

async function accepting() {
  for (;;) {
    const isOpen = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
