// What was: cycles with their Gantt charts side by side, joints with their stories, recordings.

import { get } from "./api.js";
import { card, field, h, table } from "./dom.js";
import { drawGantt, heightFor, told } from "./gantt.js";
import { model } from "./model.js";
import { say } from "./notice.js";
import { day, seconds } from "./words.js";

export function historyPage() {
  const models = h("select", { name: "model" }, h("option", { value: "" }, "all"), (model.facts?.models ?? []).map((each) => h("option", { value: each.name }, each.name)));
  const verdict = h("select", { name: "good" }, [["", "all"], ["true", "good"], ["false", "rejected"]].map(([value, text]) => h("option", { value }, text)));
  const over = h("input", { type: "number", name: "over", min: "0", max: "86400", step: "0.1", placeholder: "any" });
  const since = h("input", { type: "datetime-local", name: "since" });
  const list = h("div", {}), compared = h("div", {}), files = h("div", {});
  const chosen = [];
  let ids = [];
  const form = h("form", { class: "form", on: { submit: (event) => { event.preventDefault(); load(); } } },
    field("Model", models), field("Verdict", verdict), field("Longer than [s]", over), field("From", since), h("button", { type: "submit", class: "primary" }, "Filter"));
  const serial = h("input", { name: "serial", maxLength: 100, required: true, placeholder: "J0007" });
  const find = h("form", { class: "form", on: { submit: (event) => { event.preventDefault(); document.dispatchEvent(new CustomEvent("go", { detail: `/joints/${encodeURIComponent(serial.value.trim())}` })); } } },
    field("Serial number", serial), h("button", { type: "submit" }, "Show its story"));

  async function load() {
    const query = new URLSearchParams({ most: "200" });
    if (models.value) query.set("model", models.value);
    if (verdict.value) query.set("good", verdict.value);
    if (over.value) query.set("over_s", over.value);
    if (since.value) query.set("since", String(Math.floor(new Date(since.value).getTime() / 1000)));
    const answer = await get(`/cycles?${query}`);
    if (!answer.ok) return say(answer.body?.detail ?? "cannot be read", true);
    const target = model.parts.figures?.target_s ?? 30;
    ids = answer.body.map((row) => row.id);
    const rows = answer.body.map((row) => [
      h("input", { type: "checkbox", "aria-label": `Compare the cycle of ${row.serial}`, checked: chosen.includes(row.id), on: { change: (event) => choose(row.id, event.target.checked) } }),
      h("a", { href: `/joints/${encodeURIComponent(row.serial)}` }, row.serial), row.model, day(row.left_utc),
      h("span", { class: row.cycle_s > target ? "missed" : "" }, seconds(row.cycle_s, 2)), row.good ? "good" : h("span", { class: "bad" }, "rejected"),
    ]);
    list.replaceChildren(rows.length ? table(["Compare", "Joint", "Model", "Left (UTC)", "Cycle [s]", "Verdict"], rows, "Cycles")
      : h("p", { class: "calm" }, "No cycle fits. The panel keeps the cycles that it has seen while it ran."));
  }

  async function choose(id, on) {
    if (on) chosen.push(id);
    else chosen.splice(chosen.indexOf(id), 1);
    while (chosen.length > 2) chosen.shift();
    list.querySelectorAll("input[type=checkbox]").forEach((box, k) => { box.checked = chosen.includes(ids[k]); });
    const details = (await Promise.all(chosen.map((each) => get(`/cycles/${each}`)))).filter((answer) => answer.ok).map((answer) => answer.body);
    compared.replaceChildren(...details.map(cycleGantt));
    if (!details.length) compared.append(h("p", { class: "calm" }, "Choose one or two cycles above."));
  }

  async function loadFiles() {
    const answer = await get("/recordings");
    const rows = (answer.body ?? []).map((file) => [h("a", { href: `/api/v1/recordings/${file.name}`, download: true }, file.name), `${(file.bytes / 1e6).toFixed(1)} MB`, day(file.ended_utc)]);
    files.replaceChildren(rows.length ? table(["File", "Size", "Ended (UTC)"], rows, "Recordings") : h("p", { class: "calm" }, "No recordings yet: one is written for each run, when it has ended."));
  }

  load();
  loadFiles();
  compared.append(h("p", { class: "calm" }, "Choose one or two cycles above."));
  const element = h("div", { class: "page" }, h("h1", {}, "History"), card("Cycles", null, form, list), card("Compare", "plan as outline, actual as fill; 0 is when the joint left", compared),
    h("div", { class: "columns" }, card("Story of a joint", null, find), card("Recordings", "MCAP, for Foxglove, PlotJuggler and ros2 bag", files)));
  return { element, title: "History", close: () => {} };
}

function cycleGantt(cycle) {
  const canvas = h("canvas", { class: "gantt", role: "img", "aria-label": `Plan and actual of the cycle of ${cycle.serial}` });
  const rows = [...(model.facts?.arms ?? []).map((arm) => arm.id), "dial"];
  const length = cycle.cycle_s ?? 30;
  let boxes = [];
  const draw = () => {
    canvas.style.height = `${heightFor(rows)}px`;
    boxes = drawGantt(canvas, { spans: cycle.spans, rows, from_s: -Math.max(length, 30) - 1, to_s: 1, target_s: -length + (model.parts.figures?.target_s ?? 30) > 1 ? null : -length + (model.parts.figures?.target_s ?? 30) });
  };
  canvas.addEventListener("pointermove", (event) => {
    const box = boxes.find((each) => event.offsetX >= each.left && event.offsetX <= each.right && event.offsetY >= each.top && event.offsetY <= each.bottom);
    canvas.title = box ? told(box.span) : "";
  });
  new ResizeObserver(draw).observe(canvas);
  const late = cycle.spans.filter((span) => span.late).map((span) => `${span.resource} ${span.label}`);
  return h("figure", {}, h("figcaption", {}, h("strong", {}, `${cycle.serial}, ${cycle.model}`), ` ${seconds(cycle.cycle_s, 2)} s, ${cycle.good ? "good" : "rejected"}`,
    h("span", { class: "note" }, late.length ? ` late: ${late.slice(0, 6).join(", ")}` : " nothing late")), canvas);
}

export function jointPage(serial) {
  const body = h("div", { class: "page" }, h("h1", {}, `Joint ${serial}`), h("p", {}, h("a", { href: "/history" }, "Back to the history")));
  get(`/joints/${encodeURIComponent(serial)}`).then((answer) => {
    if (!answer.ok) return body.append(h("p", { class: "calm" }, answer.status === 404 ? "The journal knows no joint of this number." : answer.body?.detail ?? "It cannot be read."));
    const story = answer.body;
    const pairs = [["Model", story.model], ["Order", story.order], ["Left (UTC)", story.left_utc ? day(story.left_utc) : "not yet"], ["Verdict", story.reject ? `rejected: ${story.reject}` : story.left_utc ? "good" : "in the cell"]];
    const words = (facts) => Object.entries(facts).map(([name, value]) => `${name.replaceAll("_", " ")}: ${typeof value === "object" ? Object.entries(value).map(([key, entry]) => `${key} ${entry}`).join(", ") : value}`).join("; ");
    body.append(card("Joint", h("a", { href: `/api/v1/joints/${encodeURIComponent(serial)}/report.html`, download: true }, "download as a page"), h("dl", { class: "pairs" }, pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]))),
      card("What happened", "from the journal of the cell", table(["Time (UTC)", "Event", "Details"], story.entries.map((entry) => [day(entry.time_utc), entry.kind.replaceAll("_", " "), words(entry.facts)]), "What happened")));
  });
  return { element: body, title: `Joint ${serial}`, close: () => {} };
}
