// Maintenance: the mode, jogging by hold-to-run, single-step, speed of all arms, going on without an arm.

import { post, put } from "./api.js";
import { elsewhere } from "./control.js";
import { card, field, h, setText } from "./dom.js";
import { isOld, may, model, watch } from "./model.js";
import { ask, confirmed, say } from "./notice.js";
import { degrees, MODES, STATES } from "./words.js";

const BEAT_MS = 100; // the server stops an arm 250 ms after the last one

export function maintenancePage() {
  const state = h("p", {}), why = h("p", { class: "note" });
  const arm = h("select", {}, (model.facts?.arms ?? []).map((each) => h("option", { value: each.id }, `${each.id}, ${each.model}`)));
  const share = h("input", { type: "range", min: "1", max: "10", step: "1", value: "5" }), shareText = h("output", {}, "5 % of the joint's speed");
  share.addEventListener("input", () => setText(shareText, `${share.value} % of the joint's speed`));
  const jog = h("div", { class: "jog" });
  const angles = [], buttons = [];
  let beat = 0, running = null, presses = Date.now(); // signs of life that arrive after letting go are told by their press

  function hold(joint, sign, button) {
    const begin = async (event) => {
      event.preventDefault();
      if (running || button.disabled) return;
      running = { joint, sign, button, press: String(++presses) };
      button.classList.add("turning");
      const send = async () => {
        const mine = running;
        if (!mine) return;
        const answer = await post("/maintenance/jog", { arm: arm.value, joint, share: (sign * Number(share.value)) / 100, press: mine.press }, { patience: 1000 });
        if (!answer.ok && running === mine) {
          end();
          say(answer.body?.detail ?? "refused", true);
        }
      };
      send();
      beat = setInterval(send, BEAT_MS);
    };
    button.addEventListener("pointerdown", begin);
    for (const kind of ["pointerup", "pointerleave", "pointercancel", "blur", "contextmenu"]) button.addEventListener(kind, () => running?.button === button && end());
    button.addEventListener("keydown", (event) => (event.key === " " || event.key === "Enter") && !event.repeat && begin(event));
    button.addEventListener("keyup", (event) => (event.key === " " || event.key === "Enter") && running?.button === button && end());
  }
  function end() {
    clearInterval(beat);
    if (!running) return;
    const { joint, button, press } = running;
    running = null;
    button.classList.remove("turning");
    post("/maintenance/jog", { arm: arm.value, joint, share: 0, press });
  }
  for (let k = 0; k < 6; k++) {
    const [less, more] = [["−", -1], ["+", 1]].map(([sign, way]) => {
      const button = h("button", { type: "button", disabled: true, "aria-label": `Hold to turn joint ${k + 1} ${way < 0 ? "down" : "up"}` }, sign);
      hold(k, way, button);
      buttons.push(button);
      return button;
    });
    const angle = h("output", {});
    angles.push(angle);
    jog.append(h("strong", {}, `J${k + 1}`), angle, less, more);
  }
  const serials = h("datalist", { id: "serials" }), serial = h("input", { required: true, maxLength: 100, autocomplete: "off", list: "serials", placeholder: "J0000012" });
  const scrap = h("form", { class: "form", on: { submit: async (event) => {
    event.preventDefault();
    const name = serial.value.trim();
    if ((await ask(`Is ${name} out of the cell?`, h("p", {}, "Take the joint and its parts out first, also those at press and bench and in a gripper. It counts as rejected and is made again for its order."), "It is out")) === null) return;
    const answer = await post(`/joints/${encodeURIComponent(name)}/take-out`);
    say(answer.ok ? `${name} is taken out` : answer.body?.detail ?? "refused", !answer.ok);
    if (answer.ok) serial.value = "";
  } } }, field("Serial number", serial), serials, h("button", { type: "submit" }, "Taken out"));
  const scrapWhy = h("p", { class: "note" }), outWhy = h("p", { class: "note" });
  const hidden = () => document.hidden && end();
  document.addEventListener("visibilitychange", hidden);

  const modes = Object.entries(MODES).map(([key, label]) => h("button", { type: "button", on: { click: async () => {
    const answer = await confirmed(() => put("/cell/mode", { mode: key.toLowerCase() }));
    say(answer.ok ? `Mode ${label}` : answer.body?.detail ?? "refused", !answer.ok);
  } } }, label));
  const feed = h("input", { type: "range", min: "1", max: "100", value: "100" }), feedText = h("output", {}, "100 %");
  feed.addEventListener("input", () => setText(feedText, `${feed.value} %`));
  const act = (label, request, done) => h("button", { type: "button", on: { click: async () => {
    const answer = await confirmed(request);
    say(answer.ok ? done : answer.body?.detail ?? "refused", !answer.ok);
  } } }, label);
  const single = act("Single-step", () => put("/cell/single-step", { on: !model.now.single_step }), "changed");
  const step = act("Next leg", () => post("/cell/step"), "every arm does one more leg");
  const out = h("select", {}, (model.facts?.arms ?? []).map((each) => h("option", { value: each.id }, each.id)));
  const takeOut = h("button", { type: "button", on: { click: async () => {
    const id = out.value;
    if ((await ask(`Go on without ${id}?`, h("p", {}, "The others take over its work. Its power and its tool are your own business, and it stays where it is."), "Go on without it")) === null) return;
    const answer = await confirmed(() => post(`/arms/${id}/take-out`));
    say(answer.ok ? `${id} is out` : answer.body?.detail ?? "refused", !answer.ok);
  } } }, "Go on without this arm");

  function draw() {
    if (!model.now) return;
    const { now } = model, calm = now.state === "STOPPED" || now.state === "IDLE", ready = now.state === "IDLE";
    const mine = elsewhere() === "";
    setText(state, `${STATES[now.state]}, mode ${MODES[now.mode]}`);
    const reason = !may("engineer") ? "Jogging is for engineers." : now.mode !== "MAINTENANCE" ? "Jogging needs mode Maintenance." : !mine ? `${model.panel.control} is in control.`
      : isOld() ? "No data." : ready ? "" : `Jogging needs the state Idle (Reset first); the cell is ${STATES[now.state]}.`;
    setText(why, reason || "Hold a button to turn a joint; it stops when you let go, and 250 ms after the last sign of this page.");
    const usable = reason === "";
    if (!usable && running) end();
    for (const button of buttons) if (button.disabled === usable) button.disabled = !usable;
    modes.forEach((button, k) => {
      button.setAttribute("aria-pressed", String(now.mode === Object.keys(MODES)[k]));
      button.disabled = !calm || !mine || isOld() || !(k === 0 ? may("operator") : may("engineer"));
    });
    single.setAttribute("aria-pressed", String(now.single_step));
    single.disabled = now.mode !== "MAINTENANCE" || !mine || isOld();
    step.disabled = !now.single_step;
    const rests = calm || now.state === "ABORTED";
    setText(scrapWhy, rests ? "A joint that cannot be finished: it counts as rejected and is made again." : `A joint is taken out in Stopped, Idle or Aborted; the cell is ${STATES[now.state]}.`);
    setText(outWhy, rests ? "The others take over the work of an arm that stands still." : `Changed in Stopped, Idle or Aborted; the cell is ${STATES[now.state]}.`);
    takeOut.disabled = scrap.querySelector("button").disabled = !rests || !mine || isOld();
    const known = [...new Set(now.stations.map((each) => each.serial).filter(Boolean))].sort().join(" ");
    if (serials.dataset.known !== known) {
      serials.dataset.known = known;
      serials.replaceChildren(...known.split(" ").filter(Boolean).map((value) => h("option", { value })));
    }
    const found = now.arms.find((each) => each.id === arm.value);
    found?.q_rad.forEach((angle, k) => setText(angles[k], `${degrees(angle).toFixed(2)}°`));
  }
  const unwatch = watch((what) => (what === "now" || what === "panel" || what === "connection") && draw());
  draw();
  const element = h("div", { class: "page" }, h("h1", {}, "Maintenance"), h("div", { class: "columns" },
    h("div", { class: "stack" }, card("Mode", "changes in Stopped or Idle; Maintenance and Manual ask for the password", state, h("div", { class: "actions", role: "group", "aria-label": "Mode" }, modes)),
      may("operator") ? card("Take a joint out", null, scrapWhy, scrap) : null,
      may("engineer") ? card("Without an arm", null, outWhy, h("div", { class: "form" }, field("Arm", out), takeOut)) : null),
    card("Jog one joint", null, why, h("div", { class: "form" }, field("Arm", arm), field("Speed", share), shareText), jog),
    may("operator") ? card("Speed of all arms", null, h("div", { class: "form" }, field("Share of the planned speed", feed), feedText, act("Set", () => put("/cell/feed", { share: Number(feed.value) / 100 }), "set")),
      h("h3", {}, "Single-step"), h("p", { class: "note" }, "In mode Maintenance: every arm waits at the end of its leg."), h("div", { class: "actions" }, single, step)) : null));
  return { element, title: "Maintenance", close: () => { end(); unwatch(); document.removeEventListener("visibilitychange", hidden); } };
}
