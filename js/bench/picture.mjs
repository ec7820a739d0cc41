// Draws the growth: two panels, both axes logarithmic. The picture has a background of its own, so
// it looks the same on a light page and on a dark one.

import { ALL, TITLES } from "./savers.mjs";

const WIDTH = 900;
const HEIGHT = 430;
const PANEL = { width: 350, height: 270, top: 100 };
const LEFTS = [80, 520];
const INK = "#24292f";
const FAINT = "#d8dee4";

/** Colours for colour-blind readers. Dashes and small marks keep lines visible that coincide. */
const STYLES = {
  stock: { colour: "#d55e00", dash: "none", radius: 6.5 },
  memory: { colour: "#a0569c", dash: "2 4", radius: 3 },
  ours: { colour: "#0072b2", dash: "none", radius: 6.5 },
  optIn: { colour: "#00855f", dash: "7 5", radius: 3 },
};

const PANELS = {
  bytes: {
    title: "Bytes stored",
    label: (bytes) => {
      if (bytes >= 1e9) return `${bytes / 1e9} GB`;
      return bytes >= 1e6 ? `${bytes / 1e6} MB` : `${bytes / 1e3} KB`;
    },
  },
  last: {
    title: "Time of the last steps (putWrites + put)",
    label: (time) => `${Number(time.toPrecision(1))} ms`,
  },
};

/** The SVG of the curves of the workload `growth`. */
export function drawGrowth(curves) {
  const panels = curves.map((curve, index) => drawPanel(curve, LEFTS[index]));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
      `width="${WIDTH}" height="${HEIGHT}" role="img" ` +
      'font-family="system-ui, sans-serif" font-size="13">',
    "<title>What a chat stores and waits for as it grows</title>",
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="8" fill="#ffffff" stroke="${FAINT}"/>`,
    ...drawLegend(),
    ...panels.flat(),
    "</svg>\n",
  ].join("\n");
}

function drawLegend() {
  return ALL.flatMap((name, index) => {
    const x = LEFTS[0] + index * 190;
    return [
      drawLine(name, [
        [x, 34],
        [x + 36, 34],
      ]),
      drawMark(name, [x + 18, 34]),
      text(x + 46, 38, TITLES[name]),
    ];
  });
}

function drawPanel({ curve, series }, left) {
  const { title, label } = PANELS[curve];
  const points = Object.values(series).flat();
  const steps = [...new Set(points.map(([x]) => x))];
  const values = points.map(([, y]) => y);
  const [low, high] = [
    decade(Math.min(...values), Math.floor),
    decade(Math.max(...values), Math.ceil),
  ];
  const { width, height, top } = PANEL;
  const across = scale(Math.min(...steps) / 1.3, Math.max(...steps) * 1.3, left, left + width);
  const up = scale(low, high, top + height, top);
  const parts = [text(left, top - 18, title, 'font-weight="600"')];
  for (let value = low; value <= high * 1.01; value *= 10) {
    parts.push(rule(left, up(value), left + width, up(value)));
    parts.push(text(left - 8, up(value) + 4, label(value), 'text-anchor="end"'));
  }
  for (const count of steps) {
    parts.push(rule(across(count), top, across(count), top + height));
    parts.push(text(across(count), top + height + 20, String(count), 'text-anchor="middle"'));
  }
  const middle = left + width / 2;
  parts.push(text(middle, top + height + 42, "supersteps", 'text-anchor="middle"'));
  for (const name of ALL.filter((one) => series[one] !== undefined)) {
    const places = series[name].map(([x, y]) => [across(x), up(y)]);
    parts.push(drawLine(name, places), ...places.map((place) => drawMark(name, place)));
  }
  return parts;
}

/** The power of ten next to a value, in the direction of `round`. */
function decade(value, round) {
  return 10 ** round(Math.log10(value));
}

/** Maps values to positions on a logarithmic axis. */
function scale(from, to, start, end) {
  const share = (value) => Math.log(value / from) / Math.log(to / from);
  return (value) => start + share(value) * (end - start);
}

function rule(x1, y1, x2, y2) {
  const [ax, ay, bx, by] = [x1, y1, x2, y2].map(place);
  return `<line x1="${ax}" y1="${ay}" x2="${bx}" y2="${by}" stroke="${FAINT}"/>`;
}

function drawLine(name, places) {
  const { colour, dash } = STYLES[name];
  const path = places.map(([x, y]) => `${place(x)},${place(y)}`).join(" ");
  const stroke = `stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash}"`;
  return `<polyline points="${path}" fill="none" ${stroke}/>`;
}

function drawMark(name, [x, y]) {
  const { colour, radius } = STYLES[name];
  const fill = radius < 4 ? "#ffffff" : colour;
  const circle = `cx="${place(x)}" cy="${place(y)}" r="${radius}"`;
  return `<circle ${circle} fill="${fill}" stroke="${colour}" stroke-width="1.5"/>`;
}

function text(x, y, words, more = "") {
  return `<text x="${place(x)}" y="${place(y)}" fill="${INK}" ${more}>${words}</text>`;
}

function place(value) {
  return Number(value.toFixed(1));
}
