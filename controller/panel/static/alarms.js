// Alarms: shape, number and colour for the priority, what to do, and the button that says it has been seen.

import { post } from "./api.js";
import { h } from "./dom.js";
import { may, model } from "./model.js";
import { say } from "./notice.js";
import { clock } from "./words.js";

const SHAPES = { 1: "square", 2: "triangle", 3: "inverted", 4: "diamond" };

export function priorityMark(priority, active = true) {
  return h("span", { class: `mark ${SHAPES[priority]} ${active ? "" : "returned"}`, role: "img", "aria-label": `priority ${priority}` },
    h("span", { "aria-hidden": "true" }, String(priority)));
}

export function alarmList() {
  const list = h("ul", { class: "alarms" });
  const more = h("p", { class: "note" });
  let shown = null;
  function draw() {
    const part = model.parts.alarms;
    if (!part || part === shown) return;
    shown = part;
    const focused = document.activeElement?.dataset?.alarm;
    list.replaceChildren(...part.questions.map(questionItem), ...part.alarms.map(alarmItem));
    if (!list.children.length) list.append(h("li", { class: "calm" }, "No alarms."));
    more.textContent = part.consequences ? `${part.consequences} more as consequences of these.` : "";
    if (focused) list.querySelector(`[data-alarm="${CSS.escape(focused)}"]`)?.focus();
  }
  return { element: h("div", {}, list, more), draw };
}

function alarmItem(alarm) {
  const state = alarm.active ? (alarm.acknowledged ? "seen" : "unseen") : alarm.acknowledged ? "returned seen" : "returned unseen";
  const name = { kind: alarm.kind, source: alarm.source };
  const about = `${alarm.source}: ${alarm.text}`;
  const buttons = h("div", { class: "actions" });
  if (!alarm.acknowledged && may("operator")) {
    const button = h("button", { type: "button", "aria-label": `Acknowledge ${about}`, on: { click: () => tell("/alarms/acknowledge", name, "acknowledged") } }, "Ack");
    button.dataset.alarm = `${alarm.kind} ${alarm.source}`;
    buttons.append(button);
  }
  if (alarm.acknowledged && alarm.active && alarm.priority > 1 && may("engineer")) {
    buttons.append(h("button", { class: "small", type: "button", "aria-label": `Shelve ${about} for an hour`,
      on: { click: () => tell("/alarms/shelve", { ...name, for_s: 3600 }, "shelved for an hour") } }, "Shelve 1 h"));
  }
  return h("li", { class: `alarm ${state}` },
    priorityMark(alarm.priority, alarm.active),
    h("div", {},
      h("p", { class: "what" }, h("time", {}, clock(alarm.raised_utc_ms)), " ", h("strong", {}, alarm.source), ` ${alarm.text}`),
      alarm.detail && h("p", {}, alarm.detail),
      h("p", { class: "remedy" }, alarm.remedy),
      h("p", { class: "note" }, [alarm.first_out && "first", alarm.times > 1 && `${alarm.times} times`, !alarm.active && "returned to normal", alarm.acknowledged && "seen"]
        .filter(Boolean).join(", "))),
    buttons);
}

function questionItem(question) {
  const answer = (found, label) => h("button", { type: "button", class: "small",
    on: { click: () => tell("/questions/answer", { serial: question.serial, operation: question.operation, found }, `answered: ${label}`) } }, label);
  return h("li", { class: "alarm unseen" }, h("span", { class: "mark question", role: "img", "aria-label": "question" }, "?"),
    h("div", {}, h("p", { class: "what" }, h("strong", {}, `${question.serial}, operation ${question.operation}`), " Please look."), h("p", {}, question.text)),
    may("operator") ? h("div", { class: "actions" }, answer("done", "Done"), answer("not_done", "Not done"), answer("scrap", "Taken out")) : null);
}

async function tell(path, body, done) {
  const answer = await post(path, body);
  say(answer.ok ? `${body.source ?? body.serial} ${done}` : answer.body?.detail ?? "refused", !answer.ok);
}
