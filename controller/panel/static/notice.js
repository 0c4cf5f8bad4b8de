// Short messages, also for screen readers; questions that need an answer before something happens.

import { post } from "./api.js";
import { field, h } from "./dom.js";

const polite = h("div", { class: "notice", role: "status", "aria-live": "polite" });
const urgent = h("div", { class: "notice urgent", role: "alert" });
let timer = 0;

export const notices = h("div", { class: "notices" }, polite, urgent);

export function say(text, bad = false, lasting = false) {
  (bad ? polite : urgent).textContent = "";
  (bad ? urgent : polite).textContent = text;
  clearTimeout(timer);
  if (!lasting) timer = setTimeout(quiet, bad ? 9000 : 4000);
}

export function quiet() {
  polite.textContent = urgent.textContent = "";
}

// A dialog; resolves with its form's data or null when it was left.
export function ask(title, controls, action) {
  return new Promise((resolve) => {
    const form = h("form", { method: "dialog" }, h("h2", {}, title), controls,
      h("div", { class: "actions" }, h("button", { type: "submit", value: "yes", class: "primary" }, action), h("button", { type: "submit", value: "", formNoValidate: true }, "Cancel")));
    const dialog = h("dialog", { "aria-label": title }, form);
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes" ? Object.fromEntries(new FormData(form)) : null);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// Runs a request that may need the password once more, and asks for it then.
export async function confirmed(request) {
  const answer = await request();
  if (answer.status !== 403 || !answer.body?.confirm) return answer;
  const password = h("input", { type: "password", name: "password", autocomplete: "current-password", required: true });
  const typed = await ask("Type your password to go on", field("Password", password), "Go on");
  if (typed === null) return { ok: false, status: 0, body: { detail: "not done" } };
  const checked = await post("/sessions/me/confirm", { password: typed.password });
  return checked.ok ? request() : checked;
}
