// The last cycle times against the target: misses are marked by shape, not by colour alone.

import { prepared } from "./dom.js";

export function drawTrend(canvas, times, target_s, planned_s) {
  const { context: c, width, height } = prepared(canvas);
  if (width < 20) return;
  const left = 40, right = 10, top = 8, bottom = height - 8;
  const values = times.filter((value) => value !== null);
  let low = Math.min(target_s, planned_s, ...values), high = Math.max(target_s, planned_s, ...values);
  const margin = Math.max(0.6, 0.12 * (high - low));
  [low, high] = [low - margin, high + margin];
  const y = (s) => bottom - ((s - low) / (high - low)) * (bottom - top);
  const x = (k) => left + ((k + 0.5) / Math.max(12, times.length)) * (width - left - right);
  c.fillStyle = "#d8dadb";
  c.fillRect(left, top, width - left - right, bottom - top);
  c.font = "11px system-ui, sans-serif";
  c.textAlign = "right";
  c.textBaseline = "middle";
  level(c, left, width - right, y(target_s), "#23282d", [5, 4]);
  level(c, left, width - right, y(planned_s), "#7d858c", [1, 3]);
  c.fillStyle = "#23282d";
  c.fillText(`${target_s.toFixed(0)} s`, left - 5, y(target_s));
  if (Math.abs(y(planned_s) - y(target_s)) > 13) {
    c.fillStyle = "#4c545b";
    c.fillText("plan", left - 5, y(planned_s));
  }
  c.strokeStyle = "#3d454c";
  c.lineWidth = 1.4;
  c.beginPath();
  let begun = false;
  times.forEach((value, k) => {
    if (value === null) return;
    if (begun) c.lineTo(x(k), y(value)); else c.moveTo(x(k), y(value));
    begun = true;
  });
  c.stroke();
  times.forEach((value, k) => {
    if (value === null) return;
    const missed = value > target_s;
    c.fillStyle = missed ? "#b35900" : "#3d454c";
    c.beginPath();
    if (missed) {
      c.moveTo(x(k), y(value) - 7);
      c.lineTo(x(k) + 6, y(value) + 4);
      c.lineTo(x(k) - 6, y(value) + 4);
    } else c.arc(x(k), y(value), 2, 0, 2 * Math.PI);
    c.fill();
  });
}

function level(c, from, to, y, colour, dash) {
  c.strokeStyle = colour;
  c.lineWidth = 1;
  c.setLineDash(dash);
  c.beginPath();
  c.moveTo(from, y);
  c.lineTo(to, y);
  c.stroke();
  c.setLineDash([]);
}
