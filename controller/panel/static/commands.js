// The command bar. The server says which commands are allowed; the page only shows it. Stop and abort are never held back.

import { post } from "./api.js";
import { elsewhere } from "./control.js";
import { h, setAttribute, setText } from "./dom.js";
import { isOld, may, model } from "./model.js";
import { say } from "./notice.js";

const COMMANDS = [["reset", "Reset"], ["start", "Start"], ["hold", "Hold"], ["unhold", "Unhold"], ["suspend", "Suspend"],
  ["unsuspend", "Unsuspend"], ["complete", "Complete"], ["clear", "Clear"]];
const STOPS = [["stop", "Stop"], ["abort", "Abort"]];
const TITLES = {
  reset: "Make the cell ready; nothing moves", start: "Begin to work on the orders", hold: "Slow down on the path, stay powered",
  unhold: "Go on after a hold", suspend: "Wait for a cause outside the cell", unsuspend: "Go on after a suspension",
  complete: "Finish the joints in work, then stop", clear: "Leave Aborted once the cause is gone; nothing moves",
  stop: "Slow down on the path, then request drives off", abort: "Slow down as fast as permitted, then request drives off",
};
const ANSWER_MS = 2000;

export function commandBar() {
  const waiting = new Map(); // command -> number of the picture it was given at
  const buttons = new Map();
  const make = ([name, label]) => {
    const button = h("button", { type: "button", class: `command ${name}`, title: TITLES[name], disabled: true, on: { click: () => give(name, label) } }, label);
    buttons.set(name, button);
    return button;
  };
  const normal = h("div", { class: "normal" }, COMMANDS.map(make));
  const stops = h("div", { class: "stops" }, STOPS.map(make));
  const element = h("div", { class: "commands", role: "group", "aria-label": "Commands to the cell" }, normal, stops);
  const words = h("span", {}), remedy = h("a", { href: "/orders" });
  const reason = h("p", { class: "reason", id: "reason", role: "status" }, words, " ", remedy);

  async function give(name, label) {
    const stopping = name === "stop" || name === "abort";
    const before = model.now?.state;
    if (!stopping) waiting.set(name, performance.now());
    draw();
    const answer = await post(`/cell/commands/${name}`, undefined, { patience: ANSWER_MS + 500, headers: { "idempotency-key": crypto.randomUUID?.() ?? String(Math.random()) } });
    waiting.delete(name);
    if (answer.ok) say(`${label}: accepted`);
    else if (answer.status === 0 || answer.status === 504) {
      say(`${label.toUpperCase()} NOT CONFIRMED: ${answer.status === 0 ? "no answer from the server" : "no answer from the cell"}. `
        + (stopping ? "It was sent and may not have arrived. In danger, use the emergency-stop devices at the cell." : ""), true, true);
    } else say(`${label}: ${answer.body?.detail ?? `refused (${answer.status})`}`, true);
    if (answer.ok && before === model.now?.state) setTimeout(draw, 300);
    draw();
  }

  function draw() {
    const old = isOld();
    const allowed = new Set(model.now?.allowed ?? []);
    const holder = elsewhere(), obstacles = model.now?.obstacles ?? {};
    for (const [name, button] of buttons) {
      const stopping = name === "stop" || name === "abort";
      const usable = may("operator") && (stopping ? old || allowed.has(name) : !old && allowed.has(name) && !holder && !obstacles[name] && !waiting.has(name));
      if (button.disabled === usable) button.disabled = !usable;
      if (obstacles[name]) setAttribute(button, "aria-describedby", reason.id);
      else button.removeAttribute("aria-describedby");
    }
    const [name, obstacle] = Object.entries(obstacles)[0] ?? [];
    const label = COMMANDS.find(([command]) => command === name)?.[1];
    setText(words, !may("operator") || old ? "" : holder ? `${holder} is in control: you can Stop and Abort, or take over above.` : obstacle ? `${label} waits: ${obstacle}.` : "");
    const asked = (model.parts.alarms?.questions ?? []).length > 0, way = holder || !words.textContent ? "" : asked ? "/" : obstacle.includes("order") ? "/orders" : "";
    setText(remedy, way === "/" ? "Answer what is asked on the page Run" : way ? "Queue an order" : "");
    remedy.hidden = way === "";
    if (way) remedy.setAttribute("href", way);
  }
  return { element, reason, draw };
}
