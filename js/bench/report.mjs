// Makes the tables, and the same as data.

import { mkdirSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform, release } from "node:os";
import { fileURLToPath } from "node:url";

import { messagesOf, SIZES } from "./data.mjs";
import { summaryOf } from "./sampling.mjs";
import { ALL, TITLES, versions } from "./savers.mjs";
import { judge, wordsOf } from "./targets.mjs";

const FOLDER = new URL("../../target/bench/", import.meta.url);

const UNITS = {
  ms: (time) => `${significant(time)} ms`,
  bytes: bytesOf,
  rate: (rate) => `${Math.round(rate).toLocaleString("en")}/s`,
  percent: (share) => `${Math.round(share * 100)} %`,
  times: (ratio) => `${significant(ratio)}x`,
  number: significant,
};

function significant(value) {
  if (value === 0 || Math.abs(value) >= 100) return String(Math.round(value));
  return value.toPrecision(Math.abs(value) < 1 ? 2 : 3);
}

function bytesOf(bytes) {
  const size = Math.abs(bytes);
  if (size >= 1e9) return `${significant(bytes / 1e9)} GB`;
  return size >= 1e6 ? `${significant(bytes / 1e6)} MB` : `${significant(bytes / 1e3)} KB`;
}

/** The machine, the versions and the settings of a run. */
export function surroundings({ synchronous, quick }) {
  return {
    measured_at: new Date().toISOString(),
    quick,
    versions: versions(),
    node: process.versions.node,
    platform: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model ?? "unknown",
    cpus: availableParallelism(),
    load_before: loadavg().map((load) => Number(load.toFixed(2))),
    synchronous,
  };
}

/** The rows with summaries and judgements of their values. */
export function judged(rows) {
  return rows.map((row) => {
    const entries = Object.entries(row.values);
    const summaries = Object.fromEntries(entries.map(([name, list]) => [name, summaryOf(list)]));
    const judgements = row.targets.map((target) => judge(row, target)).filter(Boolean);
    return { ...row, summaries, judgements };
  });
}

/** The versions and the machine of a run, in words. */
export function place({ versions: found, node, platform: system, processor, cpus: count }) {
  const named = Object.entries(found).map(([name, version]) => `${name} ${version}`);
  return `${named.join(", ")}; Node.js ${node} on ${system}, ${processor}, ${count} CPUs`;
}

/** The text above the table, for a table with or without ranges. */
export function preamble(found, { ranges }) {
  const counts = Object.entries(SIZES).map(([label, bytes]) => {
    return `${label}: ${messagesOf(1, bytes).length}`;
  });
  return [
    `${place(found)}; load ${found.load_before.join(" ")} before and ` +
      `${found.load_after.join(" ")} after; ${Math.round(found.seconds)} s.`,
    "Stock is LangGraph's own SqliteSaver. The savers take turns, in files with a write-ahead " +
      `log and synchronous = ${found.synchronous} where a row does not say otherwise. ` +
      "Where a row does not say otherwise, a superstep's `putWrites` and `put` are called in one " +
      "tick and awaited together, by every saver alike, as LangGraph does with its default " +
      'durability, "async". ' +
      `Messages by size: ${counts.join("; ")}. ` +
      '"Opt-in" is ours with `assumeImmutable: ["messages"]`.',
    ranges
      ? "A cell is a median, or a single value; in brackets are the least and the greatest. " +
        `${RATIO} It is that of the medians; in brackets are the least and the greatest of ` +
        "single rounds; that of the best is of the rounds that were disturbed least."
      : `A cell is a median, or a single value. ${RATIO} It is that of the medians.`,
    ...(found.quick
      ? [
          "A quick run: few rounds, and less of what takes the stock saver long. So it does not " +
            "say which targets are met.",
        ]
      : []),
  ].join("\n\n");
}

/** What a ratio is, in words. */
export const RATIO =
  "A ratio says how many times better ours is: the stock saver's time or size divided by ours, " +
  "or our rate by the stock saver's. Under 1 ours is worse.";

/** The table in Markdown, with or without ranges of the values. A quick run has no verdicts. */
export function tableOf(rows, { ranges, names = ALL, quick = false }) {
  const lines = [
    line(["what", "size", ...names.map((name) => TITLES[name]), "target", "measured", ""]),
    line(["---", "---", ...names.map(() => "---:"), "---", "---:", "---"]),
  ];
  for (const row of rows) {
    const show = shower(row.unit);
    const cells = names.map((name) => cellOf(row.summaries[name], show, ranges));
    const first = [row.what, row.size, ...cells];
    const [judgement, ...more] = row.judgements;
    lines.push(line([...first, ...judgementCells(judgement, show, { ranges, quick })]));
    const blank = first.map(() => "");
    for (const other of more) {
      lines.push(line([...blank, ...judgementCells(other, show, { ranges, quick })]));
    }
  }
  return lines.join("\n");
}

/** Words for better and worse, by unit. */
const WORDS = {
  ms: ["faster", "slower"],
  rate: ["faster", "slower"],
  bytes: ["smaller", "larger"],
};
/** Medians that differ by a smaller factor count as the same. */
const ALIKE = 1.1;

/** A table in Markdown that compares this package with the stock saver, in words. */
export function comparisonOf(rows) {
  const lines = rows.map(({ what, unit, summaries: { stock, ours } }) => {
    const show = shower(unit);
    const ratio = stock.median / ours.median;
    const times = unit === "rate" ? 1 / ratio : ratio;
    return line([what, show(stock.median), show(ours.median), inWords(times, WORDS[unit])]);
  });
  return [
    line(["median", "LangGraph's `SqliteSaver`", "this package", ""]),
    line(["---", "---:", "---:", "---"]),
    ...lines,
  ].join("\n");
}

function inWords(times, [better, worse]) {
  if (times < ALIKE && times > 1 / ALIKE) return "about the same";
  return times > 1 ? `${times.toFixed(1)}x ${better}` : `**${(1 / times).toFixed(1)}x ${worse}**`;
}

function line(cells) {
  return `| ${cells.join(" | ")} |`;
}

/** Formats values of a unit. */
function shower(unit) {
  return (value) => (Number.isFinite(value) ? UNITS[unit](value) : "n/a");
}

function cellOf(summary, show, ranges) {
  if (summary === undefined) return "";
  const { median, min, max, count } = summary;
  if (!ranges || count === 1) return show(median);
  return `${show(median)} (${show(min)} to ${show(max)})`;
}

function judgementCells(judgement, show, { ranges, quick }) {
  if (judgement === undefined) return ["", "", ""];
  const { measured, met } = judgement;
  const isRatio = measured.kind === "ratio";
  const cell = cellOf(measured, isRatio ? UNITS.times : show, ranges);
  const shown = isRatio && ranges ? `${cell}, of the best ${UNITS.times(measured.ofBest)}` : cell;
  const verdict = met === undefined ? "not measured" : met ? "met" : "**missed**";
  return [wordsOf(judgement, show), shown, quick ? "" : verdict];
}

/** Writes a file into the folder of measurements, and returns its path. */
export function write(name, text) {
  mkdirSync(FOLDER, { recursive: true });
  const file = fileURLToPath(new URL(name, FOLDER));
  writeFileSync(file, text);
  return file;
}
