// What an analyst sees of a thread in Kusto: node analyze.mjs <place> <thread>

import { query } from "./store.mjs";

const [place, threadId] = process.argv.slice(2);
if (place === undefined || threadId === undefined) {
  console.error("usage: node analyze.mjs <place> <thread>");
  process.exit(2);
}
const thread = JSON.stringify(threadId);

const QUERIES = {
  "Where its checkpoints came from": `LiveCheckpoints()
| where thread_id == ${thread}
| summarize checkpoints = count(), last_step = max(step) by source
| order by checkpoints desc`,

  "Its checkpoints over time": `LiveCheckpoints()
| where thread_id == ${thread}
| summarize checkpoints = count() by bin(created_at, 1h)`,

  "Its longer messages, in the order they came": `ThreadElements(${thread})
| where isnotempty(element.kwargs.content)
| project who = tostring(element.id[-1]), text = substring(tostring(element.kwargs.content), 0, 60)
| take 8`,
};

for (const [title, text] of Object.entries(QUERIES)) {
  console.log(`  ${title}:\n`);
  for (const line of text.split("\n")) console.log(`    ${line}`);
  console.log();
  for (const row of await query(place, text)) {
    const cells = Object.entries(row).map(([name, cell]) => `${name}: ${cell}`);
    console.log(`      ${cells.join("   ")}`);
  }
  console.log();
}
