// Serves a new, empty PostgreSQL on 127.0.0.1 from the programs that are installed, until its input
// ends. Prints one line of JSON: `url`, the superuser's connection string, or `null` if PostgreSQL
// is not installed. Everybody may log in, but a role `locked` needs a password. After a line `kill`
// of its input, it kills the server, starts it again and prints the line again.
//
// Its arguments are settings. `tls=folder` is not PostgreSQL's: it takes the certificate and its
// key from that folder.
//
// The data is in a temporary folder, which is removed at the end. PostgreSQL refuses to be root, so
// root runs it as an unprivileged user.
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { freePort, temporaryFolder } from "./process.mjs";

const run = promisify(execFile);
const { folder, user } = temporaryFolder();
const programs = programFolder();
if (programs === undefined) {
  console.log(JSON.stringify({ url: null }));
  process.exit();
}
const data = join(folder, "data");
const environment = { PATH: process.env.PATH, LC_ALL: "C.UTF-8", TZ: "UTC" };
const options = { ...user, cwd: folder, env: environment };

await initialize();
const port = await freePort();
const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
let log = "";
let isRestarting = false;
let server = start();
await accepting();
console.log(JSON.stringify({ url }));
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "kill") await restart();
}
// The fast shutdown: it ends all sessions.
server.kill("SIGINT");

function start() {
  const started = spawn(
    join(programs, "postgres"),
    ["-D", data, "-h", "127.0.0.1", "-p", String(port), ...settings(process.argv.slice(2))],
    { ...options, stdio: ["ignore", "ignore", "pipe"] },
  );
  started.stderr.on("data", (text) => {
    log = (log + text).slice(-4000);
  });
  started.on("exit", (code) => {
    if (isRestarting) return;
    if (code !== 0) console.error(`PostgreSQL ended with ${code}:\n${log}`);
    process.exit(code === 0 ? 0 : 1);
  });
  return started;
}

async function restart() {
  isRestarting = true;
  const killed = once(server, "exit");
  server.kill("SIGKILL");
  await killed;
  do {
    // It refuses as long as processes of the killed one are there.
    server = start();
  } while (!(await accepting()));
  isRestarting = false;
  console.log(JSON.stringify({ url }));
}

/** The folder of the newest installed server: Debian's, or that on the path; else undefined. */
function programFolder() {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const newest = versions.sort((one, other) => Number(other) - Number(one));
  const found = newest
    .map((version) => join(debian, version, "bin"))
    .find((bin) => existsSync(join(bin, "initdb")));
  if (found !== undefined) return found;
  try {
    return execFileSync("pg_config", ["--bindir"], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

/** Makes a database whose own collation is a language's: only then do ours matter. */
async function initialize() {
  const initdb = join(programs, "initdb");
  const plain = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"];
  const icu = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"];
  try {
    await run(initdb, [...plain, ...icu], options);
  } catch {
    // Before PostgreSQL 15 no database has a collation of ICU's.
    await run(initdb, [...plain, "--locale=C.UTF-8"], options);
  }
  const rules = join(data, "pg_hba.conf");
  const others = readFileSync(rules, "utf8");
  rmSync(rules);
  appendFileSync(rules, `host all locked 127.0.0.1/32 scram-sha-256\n${others}`);
  if (user !== undefined) chownSync(rules, user.uid, user.gid);
}

/** The server's settings: no waits for the disk, for tests; and those of the arguments. */
function settings(given) {
  const own = [
    "unix_socket_directories=",
    "fsync=off",
    "max_connections=60",
    "shared_preload_libraries=pg_stat_statements",
  ];
  const tls = given.find((setting) => setting.startsWith("tls="))?.slice(4);
  const others = given.filter((setting) => !setting.startsWith("tls="));
  const all = [...own, ...others, ...(tls === undefined ? [] : withTls(tls))];
  return all.flatMap((setting) => ["-c", setting]);
}

/** The settings for the certificate in a folder. */
function withTls(from) {
  const [certificate, key] = ["server.pem", "server.key"].map((name) => {
    const file = join(folder, name);
    copyFileSync(join(from, name), file);
    chmodSync(file, 0o600);
    if (user !== undefined) chownSync(file, user.uid, user.gid);
    return file;
  });
  return ["ssl=on", `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`];
}

/** Waits until the server accepts connections. Returns whether it does: it may have ended. */
async function accepting() {
  const ready = join(programs, "pg_isready");
  while (server.exitCode === null) {
    try {
      await run(ready, ["-h", "127.0.0.1", "-p", String(port), "-t", "1"], options);
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return false;
}
