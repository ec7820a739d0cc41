// Follows the tutorials on SQLite.

import { follow } from "../support/documents.js";

test.each(["first-agent", "human-approval", "time-travel-and-forks"])(
  "the_tutorial_%s_prints_what_it_says",
  (name) => {
    const results = follow(`tutorials/${name}.md`);
    expect(results.length).toBeGreaterThan(0);
    for (const { printed, shown } of results) expect(printed).toBe(shown);
  },
);
