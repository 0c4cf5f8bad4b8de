// Plan (outline) and actual (fill) on a line for each resource; what began later than it had to is blue and marked.

import { prepared } from "./dom.js";

export const LEFT = 58, ROW = 27, AXIS = 20;
const OUTLINE = "#7d858c", DONE = "#b3b9be", ACTIVE = "#7f8890", LATE = "#8fa9c8", LATE_EDGE = "#1f5fa8", INK = "#23282d";

export function rowsOf(spans, wanted) {
  const found = [...new Set(spans.map((span) => span.resource))];
  return wanted.filter((name) => found.includes(name) || /^R\d/.test(name));
}

export const heightFor = (rows) => rows.length * ROW + AXIS + 4;

// from_s and to_s bound the window; now_s is where the now line stands (null: none); waits are words by resource.
export function drawGantt(canvas, { spans, rows, from_s, to_s, now_s = null, target_s = null, waits = {}, shift_s = 0 }) {
  const { context: c, width, height } = prepared(canvas);
  if (width < 20) return [];
  const x = (s) => LEFT + ((s - from_s) / (to_s - from_s)) * (width - LEFT - 6);
  const boxes = [];
  const bottom = rows.length * ROW + 2;
  c.textBaseline = "middle";
  grid(c, x, from_s, to_s, bottom, now_s);
  rows.forEach((name, row) => {
    const top = 2 + row * ROW;
    c.fillStyle = INK;
    c.font = "600 12px system-ui, sans-serif";
    c.textAlign = "left";
    c.fillText(name, 4, top + ROW / 2);
  });
  c.save();
  c.beginPath();
  c.rect(LEFT, 0, width - LEFT - 4, height);
  c.clip();
  for (const span of spans) {
    const row = rows.indexOf(span.resource);
    if (row >= 0) boxes.push(bar(c, x, shifted(span, shift_s), 2 + row * ROW, now_s));
  }
  if (now_s !== null) {
    rows.forEach((name, row) => waits[name] && waiting(c, x(now_s), waits[name], 2 + row * ROW));
    upright(c, x(now_s), bottom, LATE_EDGE, "now");
  }
  if (target_s !== null) upright(c, x(target_s), bottom, INK, "target");
  c.restore();
  return boxes;
}

function shifted(span, by) {
  const move = (value) => (value === null ? null : value + by);
  return by ? { ...span, planned_s: span.planned_s + by, planned_end_s: span.planned_end_s + by,
    began_s: move(span.began_s), ended_s: move(span.ended_s) } : span;
}

function grid(c, x, from_s, to_s, bottom, now_s) {
  c.strokeStyle = "#c3c6c8";
  c.fillStyle = "#4c545b";
  c.lineWidth = 1;
  c.font = "11px system-ui, sans-serif";
  c.textAlign = "center";
  const step = x(10) - x(0) < 70 ? 20 : to_s - from_s > 45 ? 10 : 5;
  for (let s = Math.ceil(from_s / step) * step; s <= to_s; s += step) {
    c.beginPath();
    c.moveTo(x(s), 2);
    c.lineTo(x(s), bottom);
    c.stroke();
    if (Math.abs(s - (now_s ?? 1e9)) > step / 3) c.fillText(s === 0 ? "0 s" : `${s > 0 && now_s !== null ? "+" : ""}${s} s`, x(s), bottom + 11);
  }
}

function bar(c, x, span, top, now_s) {
  const label = span.label + (span.serial ? ` ${span.serial}` : "");
  const planned = [x(span.planned_s), x(span.planned_end_s)];
  const end_s = span.ended_s ?? (span.began_s === null ? null : Math.max(now_s ?? span.planned_end_s, span.began_s));
  let textAt = planned;
  if (span.began_s !== null) {
    const [a, b] = [x(span.began_s), x(end_s)];
    c.fillStyle = span.late ? LATE : span.ended_s === null ? ACTIVE : DONE;
    c.fillRect(a, top + 6, Math.max(1, b - a - 0.5), ROW - 9);
    if (span.late) {
      c.fillStyle = LATE_EDGE;
      c.fillRect(a, top + 6, 2.5, ROW - 9);
    }
    textAt = [a, Math.max(b, planned[1])];
  }
  c.strokeStyle = span.critical ? INK : OUTLINE;
  c.lineWidth = span.critical ? 1.8 : 0.9;
  c.strokeRect(planned[0] + 0.5, top + 3.5, Math.max(1, planned[1] - planned[0] - 1.5), ROW - 7);
  const room = textAt[1] - textAt[0] - 8;
  c.font = "11.5px system-ui, sans-serif";
  if (room > c.measureText(span.label).width) {
    c.fillStyle = INK;
    c.textAlign = "left";
    c.fillText(room > c.measureText(label).width ? label : span.label, textAt[0] + 5, top + ROW / 2 + 1);
  }
  return { span, left: Math.min(planned[0], textAt[0]), right: Math.max(planned[1], textAt[1]), top, bottom: top + ROW };
}

function waiting(c, x, words, top) {
  c.font = "italic 11px system-ui, sans-serif";
  const text = `waits for ${words}`;
  const width = c.measureText(text).width + 8;
  c.fillStyle = "rgba(226,227,228,0.94)";
  c.fillRect(x + 4, top + 5, width, ROW - 9);
  c.fillStyle = "#23282d";
  c.textAlign = "left";
  c.fillText(text, x + 8, top + ROW / 2 + 1);
}

function upright(c, x, bottom, colour, text) {
  c.strokeStyle = c.fillStyle = colour;
  c.lineWidth = 2;
  c.beginPath();
  c.moveTo(x, 0);
  c.lineTo(x, bottom + 3);
  c.stroke();
  c.font = "600 11px system-ui, sans-serif";
  c.textAlign = "center";
  c.fillText(text, x, bottom + 11);
}

export function told(span) {
  const plan = `planned ${span.planned_s.toFixed(1)} to ${span.planned_end_s.toFixed(1)} s`;
  const actual = span.began_s === null ? "not begun" : span.ended_s === null ? `began ${span.began_s.toFixed(1)} s`
    : `actual ${span.began_s.toFixed(1)} to ${span.ended_s.toFixed(1)} s`;
  return `${span.resource}, operation ${span.label}${span.serial ? ` of ${span.serial}` : ""}: ${plan}, ${actual}`
    + `${span.late ? ", late" : ""}${span.critical ? ", on the critical path" : ""}`;
}
