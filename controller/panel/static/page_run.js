// The first page: is the cell running, does it keep its cycle, and what has to be done?

import { alarmList } from "./alarms.js";
import { armCards } from "./armcards.js";
import { cellView } from "./cellview.js";
import { card, h, setAttribute, setClass, setText } from "./dom.js";
import { drawGantt, heightFor, told } from "./gantt.js";
import { isOld, model, watch } from "./model.js";
import { drawTrend } from "./trend.js";
import { duration, percent, seconds, STATES, whole } from "./words.js";

const BEHIND_S = 28, AHEAD_S = 32, SHOWN_CYCLES = 48;

export function runPage() {
  const view = cellView(), alarms = alarmList(), arms = armCards();
  const cycle = cycleCard(), orders = orderCard(), gantt = ganttCard();
  const element = h("div", { class: "run" }, h("h1", { class: "unseen" }, "Run"),
    card("Cell", h("span", { class: "note" }, "drag or use the arrow keys to turn", model.facts.view3d ? [", or ", h("a", { href: "/3d" }, "in 3D")] : null), view.element), cycle.element,
    h("div", { class: "side" }, card("Alarms", null, alarms.element), orders.element),
    gantt.element, arms.element);
  const drawers = { now: () => model.now && [view, cycle, gantt, arms].forEach((each) => each.draw()), alarms: alarms.draw, orders: orders.draw, cycles: cycle.drawTrend,
    figures: () => { cycle.drawFigures(); orders.draw(); }, connection: () => { view.draw(); gantt.draw(); } };
  let due = new Set(["alarms", "orders", "cycles", "figures"]), frame = 0;
  const draw = () => {
    frame = 0;
    const names = due;
    due = new Set();
    for (const name of names) drawers[name]?.();
  };
  const soon = (name) => {
    due.add(name);
    if (!frame) frame = requestAnimationFrame(draw);
  };
  const unwatch = watch(soon);
  const words = setInterval(view.describe, 3000);
  const resized = () => ["now", "cycles"].forEach(soon);
  window.addEventListener("resize", resized);
  requestAnimationFrame(() => { ["now", "alarms", "orders", "cycles", "figures"].forEach(soon); view.describe(); });
  return { element, title: "Run", close: () => { unwatch(); clearInterval(words); cancelAnimationFrame(frame); window.removeEventListener("resize", resized); } };
}

function cycleCard() {
  const big = h("span", { class: "big" }), target = h("span", { class: "of" }), stands = h("p", { class: "note stands" });
  const fill = h("div", { class: "fill" }), goal = h("div", { class: "goal" });
  const canvas = h("canvas", { class: "trend", role: "img", "aria-label": "Trend of cycle times" });
  const figures = h("dl", { class: "figures" });
  const element = card("Cycle", null, h("p", { class: "cycletime" }, big, target), h("div", { class: "bar wide" }, fill, goal), stands, canvas, figures);
  const shown = {};
  const figure = (name, title) => {
    shown[name] = h("dd", {});
    figures.append(h("div", {}, shown[name], h("dt", {}, title)));
  };
  for (const [name, title] of [["p50", "p50 cycle"], ["p95", "p95 cycle"], ["plan", "plan, bound"], ["oee", "OEE"], ["terms", "avail. × perf. × qual."], ["parts", "good, rejected"]]) figure(name, title);
  function draw() {
    const target_s = model.parts.figures?.target_s ?? 30, passed = model.now.since_last_s;
    const first = !model.parts.cycles?.length; // the first joint takes longer: it passes every place
    const runs = ["EXECUTE", "COMPLETING"].includes(model.now.state);
    setText(big, passed.toFixed(1));
    setText(target, `s of running since the ${first ? "start; no joint has left yet" : "last joint"}, target ${target_s.toFixed(1)} s`);
    setText(stands, runs ? "" : `The clock stands: ${STATES[model.now.state]} for ${duration(model.now.since_s)}, ${model.now.cause}.`);
    fill.style.width = `${Math.min(100, (100 * passed) / (1.2 * target_s))}%`;
    goal.style.left = `${100 / 1.2}%`;
    setClass(fill, "over", passed > target_s && !first);
  }
  function trend() {
    const cycles = (model.parts.cycles ?? []).slice(-SHOWN_CYCLES), part = model.parts.figures;
    if (!part) return;
    drawTrend(canvas, cycles.map((each) => each.cycle_s), part.target_s, part.planned_cycle_s);
    const missed = cycles.filter((each) => each.cycle_s > part.target_s).length;
    setAttribute(canvas, "aria-label", `Trend of the last ${cycles.length} cycle times, ${missed} above the target of ${part.target_s} s`);
  }
  function drawFigures() {
    const part = model.parts.figures;
    if (!part) return;
    setText(shown.p50, `${seconds(part.p50_s)} s`);
    setText(shown.p95, `${seconds(part.p95_s)} s`);
    setText(shown.plan, `${seconds(part.planned_cycle_s)}, ${seconds(part.lower_bound_s)} s`);
    setText(shown.oee, percent(part.oee));
    const share = (value) => (value === null ? "–" : (100 * value).toFixed(1));
    setText(shown.terms, part.oee === null ? "–" : `${share(part.availability)} × ${share(part.performance)} × ${share(part.quality)} %`);
    setText(shown.parts, `${whole(part.good)}, ${whole(part.rejected)}`);
  }
  return { element, draw, drawTrend: trend, drawFigures };
}

function orderCard() {
  const list = h("ul", { class: "orders" });
  const element = card("Orders", h("a", { href: "/orders" }, "queue, try, withdraw"), list);
  let shown = null;
  function draw() {
    const part = model.parts.orders;
    if (!part || part === shown) return;
    shown = part;
    list.replaceChildren(...part.slice(0, 5).map((order) => {
      const wanted = Object.values(order.lines).reduce((a, b) => a + b, 0), models = Object.keys(order.lines);
      const mix = models.length > 2 ? `${models.length} models` : models.map((name) => `${order.lines[name]} × ${name}`).join(", ");
      const bar = h("div", { class: "bar" }, h("div", { class: "fill" }));
      bar.firstChild.style.width = `${(100 * order.good) / wanted}%`;
      return h("li", {}, h("p", {}, h("strong", {}, order.order), ` ${mix}`, h("span", { class: "right" }, `${order.good} of ${wanted}${order.rejected ? `, ${order.rejected} rejected` : ""}`)), bar);
    }));
    if (!part.length) list.append(h("li", { class: "calm" }, "No orders: the cell has nothing to make."));
    if (part.length > 5) list.append(h("li", { class: "calm" }, `and ${part.length - 5} more`));
  }
  return { element, draw };
}

function ganttCard() {
  const canvas = h("canvas", { class: "gantt", role: "img", "aria-label": "Plan and actual" });
  const critical = h("span", { class: "note" });
  const hint = h("p", { class: "note hint" });
  const element = card("Plan (outline) and actual (fill)", critical, canvas, hint);
  let boxes = [], told_at = 0;
  canvas.addEventListener("pointermove", (event) => {
    const box = boxes.find((each) => event.offsetX >= each.left && event.offsetX <= each.right && event.offsetY >= each.top && event.offsetY <= each.bottom);
    canvas.title = box ? told(box.span) : "";
  });
  function draw() {
    const part = model.parts.plan;
    if (!part || !model.now) return;
    const rows = [...model.now.arms.map((arm) => arm.id), "dial"];
    const height = `${heightFor(rows)}px`;
    if (canvas.style.height !== height) canvas.style.height = height;
    const passed = isOld() ? 0 : (model.now.utc_ms - part.at_utc_ms) / 1000;
    const narrow = canvas.clientWidth < 700;
    const waits = Object.fromEntries(model.now.arms.filter((arm) => arm.waits_for && !arm.operation).map((arm) => [arm.id, arm.waits_for]));
    boxes = drawGantt(canvas, { spans: part.spans, rows, from_s: narrow ? -10 : -BEHIND_S, to_s: narrow ? 14 : AHEAD_S, now_s: 0, waits, shift_s: -passed });
    if (performance.now() - told_at < 1000) return;
    told_at = performance.now();
    const path = part.spans.filter((span) => span.critical && span.planned_end_s > 0 && span.planned_s < AHEAD_S && /^R/.test(span.resource))
      .sort((a, b) => a.planned_s - b.planned_s).slice(0, 5).map((span) => `${span.resource} ${span.label}`);
    setText(critical, path.length ? `critical path, thick outline: ${path.join(" → ")}` : "");
    const late = part.spans.filter((span) => span.late).length;
    setText(hint, `Blue with a bar at its left: began late and added to it. The cell is ${Math.abs(part.drift_s).toFixed(1)} s ${part.drift_s < 0 ? "ahead of" : "behind"} its plan.`);
    setAttribute(canvas, "aria-label", `Plan and actual of the last and the next half minute, ${late} operations late. ${hint.textContent}`);
  }
  return { element, draw };
}
