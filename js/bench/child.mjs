// The process of a child: node child.mjs <file of children/> <options as JSON>

import { once } from "node:events";

const [, , file, options] = process.argv;
const { run } = await import(`./children/${file}.mjs`);

/** Tells the parent that this child is ready, and waits for the parent's go. */
async function ready() {
  process.send("ready");
  await once(process, "message");
}

process.send(await run(JSON.parse(options), ready));
process.disconnect();
