// Orders: what is queued, a new one with a try in simulation first, and the recipes of the joint models.

import { get, post, remove } from "./api.js";
import { controlNote, elsewhere } from "./control.js";
import { card, field, h, table } from "./dom.js";
import { may, model, watch } from "./model.js";
import { ask, say } from "./notice.js";
import { processCard } from "./process.js";
import { seconds } from "./words.js";

const PACE_MS = 2000;

export function ordersPage() {
  const queued = h("div", {}), lines = h("div", {}), result = h("p", { role: "status" });
  const name = h("input", { name: "order", required: true, maxLength: 100, autocomplete: "off" });
  const priority = h("input", { type: "number", min: "1", max: "9", value: "5", required: true }), due = h("input", { type: "date" });
  const anyway = h("input", { type: "checkbox", id: "anyway" });
  const tryButton = h("button", { type: "button", on: { click: dryRun } }, "Try in simulation");
  const queue = h("button", { type: "submit", class: "primary", disabled: true }, "Queue");
  const control = controlNote(), process = processCard();
  let tried = "", closed = false;
  const names = (model.facts?.models ?? []).map((each) => each.name);

  function addLine(wanted = names[0], count = 4) {
    const select = h("select", { on: { change: check } }, names.map((each) => h("option", { value: each, selected: each === wanted }, each)));
    const number = h("input", { type: "number", min: "1", max: "100000", value: String(count), required: true });
    const row = h("div", { class: "form line" }, field("Joint model", select), field("Joints", number),
      h("button", { type: "button", class: "small", "aria-label": "Remove this line", on: { click: () => { row.remove(); check(); } } }, "Remove"));
    lines.append(row);
    check();
  }
  function wanted() {
    const found = {};
    for (const row of lines.querySelectorAll(".line")) {
      const key = row.querySelector("select").value;
      found[key] = (found[key] ?? 0) + Number(row.querySelector("input").value);
    }
    return found;
  }
  const mixOf = (found) => Object.keys(found).sort().join(",");
  function check() {
    queue.disabled = !may("operator") || elsewhere() !== "" || !lines.children.length || !(anyway.checked || (tried !== "" && tried === mixOf(wanted())));
  }
  anyway.addEventListener("change", check);

  async function dryRun() {
    const found = wanted(), mix = mixOf(found);
    const begun = await post("/dry-runs", { lines: found });
    if (!begun.ok) return say(begun.body?.detail ?? "refused", true);
    tryButton.disabled = true;
    let run = begun.body;
    const began = performance.now();
    while (run.status === "running" && !closed) {
      result.textContent = `Planning and running ${run.models.length} model(s) without physics, ${Math.round((performance.now() - began) / 1000)} s so far; the cell is not disturbed.`;
      await new Promise((resolve) => setTimeout(resolve, PACE_MS));
      const answer = await get(`/dry-runs/${run.id}`);
      if (answer.ok) run = answer.body;
    }
    tryButton.disabled = false;
    if (run.status === "failed") result.textContent = `The try failed: ${run.reason}`;
    if (run.status !== "done") return;
    tried = mix;
    const target = model.parts.figures?.target_s ?? 30;
    result.textContent = `${run.met ? "Keeps" : "Misses"} the target of ${seconds(target)} s: cycle p95 ${seconds(run.cycle_p95_s, 2)} s, mean ${seconds(run.cycle_mean_s, 2)} s, proven bound ${seconds(run.lower_bound_s, 2)} s.`;
    check();
  }

  async function submit(event) {
    event.preventDefault();
    const body = { order: name.value.trim(), lines: wanted(), priority: Number(priority.value), due: due.value };
    const answer = await post("/orders", body);
    say(answer.ok ? `${body.order} is queued; it takes effect when the next joint enters the cell` : answer.body?.detail ?? "refused", !answer.ok);
    if (answer.ok) name.value = "";
  }

  async function withdraw(order) {
    if ((await ask(`Withdraw ${order}?`, h("p", {}, "No more joints are begun for it; those in work are finished."), "Withdraw")) === null) return;
    const answer = await remove(`/orders/${encodeURIComponent(order)}`);
    say(answer.ok ? `${order} is withdrawn` : answer.body?.detail ?? "refused", !answer.ok);
  }

  function draw() {
    const rows = (model.parts.orders ?? []).map((order) => {
      const total = Object.values(order.lines).reduce((a, b) => a + b, 0);
      return [order.order, String(order.priority), order.due || "–", h("details", {}, h("summary", {}, `${Object.keys(order.lines).length} models, ${total} joints`),
        Object.entries(order.lines).map(([key, count]) => h("div", {}, `${order.entered[key] ?? 0} begun of ${count} × ${key}`))), String(order.good), String(order.rejected),
      may("operator") ? h("button", { type: "button", class: "small", "aria-label": `Withdraw ${order.order}`, on: { click: () => withdraw(order.order) } }, "Withdraw") : ""];
    });
    queued.replaceChildren(rows.length ? table(["Order", "Priority", "Due", "Joints", "Good", "Rejected", "Action"], rows, "Orders") : h("p", { class: "calm" }, "No orders: the cell has nothing to make."));
  }

  const steps = h("div", {});
  const recipe = h("select", { on: { change: showRecipe } }, names.map((each) => h("option", { value: each }, each)));
  function showRecipe() {
    const found = (model.facts?.models ?? []).find((each) => each.name === recipe.value);
    if (!found) return;
    const about = [["Ratio", `1:${found.ratio}`], ["Rated torque", `${found.torque_rated_nm} N·m`], ["Size", `Ø ${(1000 * found.diameter_m).toFixed(0)} × ${(1000 * found.length_m).toFixed(1)} mm`], ["Mass", `${found.mass_kg} kg`]];
    steps.replaceChildren(h("dl", { class: "pairs" }, about.flatMap(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])),
      table(["No.", "Operation", "At the nest [s]", "After"], found.steps.map((step) => [step.number, step.does, seconds(step.core_s), step.after.join(", ") || "–"]), `Operations of ${found.name}`));
  }

  const stock = h("div", {}), tray = h("p", {});
  const feeder = h("input", { required: true, maxLength: 100, placeholder: "feeder_rotor" }), batch = h("input", { required: true, maxLength: 100 });
  const filled = h("input", { type: "number", min: "1", max: "1000000", value: "500", required: true });
  const tell = async (request, done) => {
    const answer = await request;
    say(answer.ok ? done : answer.body?.detail ?? "refused", !answer.ok);
  };
  const load = h("form", { class: "form", on: { submit: (event) => {
    event.preventDefault();
    tell(post("/supplies/feeders", { feeder: feeder.value.trim(), batch: batch.value.trim(), count: Number(filled.value) }), `${feeder.value} is filled`);
  } } }, field("Feeder", feeder), field("Batch", batch), field("Parts in it now", filled), h("button", { type: "submit" }, "Filled"));
  function drawSupplies() {
    const part = model.parts.supplies;
    if (!part) return;
    tray.textContent = `Out tray: ${part.tray} joints.`;
    stock.replaceChildren(part.feeders.length ? table(["Feeder", "Batch", "Parts left"], part.feeders.map((each) => [each.feeder, each.batch, String(each.left)]), "Feeders") : h("p", { class: "calm" }, "No feeder is counted: all count as full."));
  }
  const unwatch = watch((what) => (what === "orders" ? draw() : what === "supplies" ? drawSupplies() : what === "panel" && (control.draw(), check())));
  drawSupplies();
  draw();
  showRecipe();
  control.draw();
  if (may("operator")) addLine();
  const form = h("form", { on: { submit } }, h("div", { class: "form" }, field("Name of the order", name), field("Priority, 1 first", priority), field("Due", due)), lines,
    h("div", { class: "form" }, h("button", { type: "button", class: "small", on: { click: () => addLine(names[lines.children.length % names.length]) } }, "Add a line"), tryButton, queue,
      h("span", { class: "check" }, anyway, h("label", { for: "anyway" }, "queue without trying it"))), control.element, result);
  const element = h("div", { class: "page" }, h("h1", {}, "Orders and recipes"), card("Queued", "a change takes effect when the next joint enters", queued),
    h("div", { class: "columns" }, h("div", { class: "stack" }, may("operator") ? card("New order", "tried in simulation first", form) : null,
      card("Parts and tray", null, stock, may("operator") ? load : null, tray, may("operator") ? h("button", { type: "button", on: { click: () => tell(post("/supplies/tray/empty"), "The tray counts as empty") } }, "Tray emptied") : null)), card("Recipe", null, h("div", { class: "form" }, field("Joint model", recipe)), steps)), process.element);
  return { element, title: "Orders and recipes", close: () => { closed = true; process.close(); unwatch(); } };
}
