// One arm: its joints over the last minute, what it does, its link, and its speed.

import { get, put } from "./api.js";
import { drawJoints } from "./armcards.js";
import { card, field, h, prepared, setText } from "./dom.js";
import { may, model, watch } from "./model.js";
import { say } from "./notice.js";
import { ACCOUNTS, degrees, duration, operationName } from "./words.js";

const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [1, 3]];
const SHADES = ["#23282d", "#4c545b", "#6f7881", "#1f5fa8", "#5c7ea3", "#8a5a2b"];
const SPAN_S = 60;

export function armPage(id) {
  const title = `Arm ${id}`;
  const others = h("nav", { "aria-label": "Arms" }, (model.facts?.arms ?? []).map((arm) =>
    h("a", { href: `/arms/${arm.id}`, "aria-current": arm.id === id ? "page" : null }, arm.id)));
  const facts = model.facts?.arms.find((arm) => arm.id === id);
  if (!facts) return { element: h("div", { class: "page" }, h("h1", {}, title), others, h("p", {}, `There is no arm ${id} in this cell.`)), title, close: () => {} };
  const pairs = h("dl", { class: "pairs" }), shown = {};
  for (const name of ["Model", "Status", "Fault", "Does", "Joint", "Leg", "Progress", "Waits for", "Time goes to", "Holds", "Began late", "Speed", "Tool at"]) {
    shown[name] = h("dd", {});
    pairs.append(h("dt", {}, name), shown[name]);
  }
  const markers = h("canvas", { class: "joints", role: "img", "aria-label": "Joints within their limits" });
  const trace = h("canvas", { class: "trace", role: "img", "aria-label": "Joint angles over the last minute" });
  const angles = h("tbody", {});
  const cells = Array.from({ length: 6 }, (_, k) => {
    const now = h("td", {}), rate = h("td", {});
    angles.append(h("tr", {}, h("th", { scope: "row" }, `J${k + 1}`), now, rate,
      h("td", {}, `${degrees(facts.lower_rad[k]).toFixed(0)} to ${degrees(facts.upper_rad[k]).toFixed(0)}`), h("td", {}, degrees(facts.velocity_rad_s[k]).toFixed(0))));
    return [now, rate];
  });
  const link = h("div", {}), times = h("div", {});
  async function drawTimes() {
    const { ok, body } = await get(`/arms/${encodeURIComponent(id)}`);
    if (!ok) return;
    const entries = Object.entries(body.times_s).sort((a, b) => b[1] - a[1]), total = entries.reduce((sum, [, s]) => sum + s, 0);
    times.replaceChildren(entries.length ? h("dl", { class: "pairs" }, entries.slice(0, 12).flatMap(([name, s]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, `${duration(s)}, ${((100 * s) / total).toFixed(1)} %`)])) : h("p", { class: "calm" }, "Nothing is booked yet."));
  }
  const timer = setInterval(drawTimes, 5000);
  drawTimes();
  const speed = h("input", { type: "range", min: "1", max: "100", step: "1", value: "100" });
  const speedText = h("output", {}, "100 %");
  speed.addEventListener("input", () => setText(speedText, `${speed.value} %`));
  const set = h("button", { type: "button", on: { click: async () => {
    const answer = await put("/cell/feed", { share: Number(speed.value) / 100, arm: id });
    say(answer.ok ? `${id}: speed ${speed.value} %` : answer.body?.detail ?? "refused", !answer.ok);
  } } }, "Set");
  const element = h("div", { class: "page" }, h("h1", {}, title), others, h("div", { class: "columns" },
    card("Now", facts.model, pairs),
    card("Joints", "degrees over the last minute", trace, legend(), markers,
      h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Joint angles" }, h("table", {}, h("caption", { class: "unseen" }, "Joint angles"),
        h("thead", {}, h("tr", {}, ["Joint", "Angle °", "Speed °/s", "Limits °", "Greatest °/s"].map((text) => h("th", { scope: "col" }, text)))), angles))),
    h("div", { class: "stack" }, card("Where its time went", "since the journal began", times), card("Link", null, link),
    may("operator") ? card("Speed", "share of the planned speed of this arm", h("div", { class: "form" }, field("Speed", speed), speedText, set)) : null)));
  let frame = 0;
  function draw() {
    frame = 0;
    const arm = model.now?.arms.find((each) => each.id === id);
    if (!arm) return;
    const words = {
      Model: facts.model, Status: arm.status, Fault: arm.fault || "none", Does: arm.operation ? `${arm.operation} ${operationName(model.facts, arm.operation)}` : "nothing",
      Joint: arm.serial || "–", Leg: arm.leg || "–", Progress: arm.operation ? `${Math.round(100 * arm.progress)} % of the leg` : "–", "Waits for": arm.waits_for || "nobody",
      "Time goes to": ACCOUNTS[arm.account], Holds: arm.holds ? arm.holds.replaceAll("_", " ") : "nothing", "Began late": `${arm.late_s.toFixed(1)} s`,
      Speed: `${Math.round(100 * arm.feed)} %`, "Tool at": `${arm.points_mm.slice(21).join(", ")} mm`,
    };
    for (const [name, text] of Object.entries(words)) setText(shown[name], text);
    shown.Fault.classList.toggle("bad", arm.fault !== "");
    const trail = model.trail.get(id) ?? [];
    const [last, before] = [trail[trail.length - 1], trail[trail.length - 4]];
    cells.forEach(([now, rate], k) => {
      setText(now, degrees(arm.q_rad[k]).toFixed(1));
      setText(rate, before ? degrees((last.q[k] - before.q[k]) / (last.at - before.at)).toFixed(0) : "–");
    });
    drawJoints(markers, arm.q_rad, facts);
    drawTrace(trace, trail, facts);
    if (!Object.keys(arm.link).length) setText(link, "No serial link: this arm is simulated or does not report one.");
    else link.replaceChildren(h("dl", { class: "pairs" }, Object.entries(arm.link).flatMap(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, value.toPrecision(4))])));
  }
  const unwatch = watch((what) => {
    if (what === "now" && !frame) frame = requestAnimationFrame(draw);
  });
  frame = requestAnimationFrame(draw);
  return { element, title, close: () => { unwatch(); clearInterval(timer); cancelAnimationFrame(frame); } };
}

function legend() {
  return h("p", { class: "note" }, "J1 solid, J2 dashed, J3 dotted, J4 dash-dot, J5 long dashes, J6 fine dots");
}

function drawTrace(canvas, trail, facts) {
  const { context: c, width, height } = prepared(canvas);
  if (trail.length < 2 || width < 20) return;
  const end = trail[trail.length - 1].at;
  const low = Math.min(...facts.lower_rad), high = Math.max(...facts.upper_rad);
  const seen = trail.flatMap((entry) => entry.q);
  const [bottom, top] = [Math.max(low, Math.min(...seen) - 0.2), Math.min(high, Math.max(...seen) + 0.2)];
  const x = (at) => 38 + (1 - (end - at) / SPAN_S) * (width - 44), y = (q) => height - 16 - ((q - bottom) / (top - bottom)) * (height - 24);
  c.fillStyle = "#454d54";
  c.textAlign = "right";
  for (const value of [bottom, (bottom + top) / 2, top]) c.fillText(degrees(value).toFixed(0), 34, y(value) + 4);
  c.textAlign = "center";
  for (const back of [60, 40, 20, 0]) c.fillText(back ? `-${back} s` : "now", Math.min(width - 14, x(end - back)), height - 3);
  for (let k = 0; k < 6; k++) {
    c.strokeStyle = SHADES[k];
    c.setLineDash(DASHES[k]);
    c.lineWidth = 1.5;
    c.beginPath();
    trail.forEach((entry, n) => (n ? c.lineTo(x(entry.at), y(entry.q[k])) : c.moveTo(x(entry.at), y(entry.q[k]))));
    c.stroke();
  }
  c.setLineDash([]);
}
