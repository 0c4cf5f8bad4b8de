// Logging in, and making the first user with the link that the terminal showed.

import { post } from "./api.js";
import { field, h } from "./dom.js";

export function loginPage(entered) {
  const setup = location.pathname === "/setup";
  const secret = setup ? location.hash.slice(1) : "";
  const name = h("input", { name: "name", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false", maxLength: 32 });
  const password = h("input", { type: "password", name: "password", required: true, maxLength: 200, autocomplete: setup ? "new-password" : "current-password" });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const button = h("button", { type: "submit", class: "primary" }, setup ? "Make the first user" : "Log in");
  if (setup) password.minLength = 10;
  const form = h("form", { class: "login card", on: { submit: async (event) => {
    event.preventDefault();
    button.disabled = true;
    wrong.textContent = "";
    const body = { name: name.value.trim().toLowerCase(), password: password.value };
    const answer = await (setup ? post("/setup", { secret, ...body }, { patience: 15000 }) : post("/sessions", body, { patience: 15000 }));
    button.disabled = false;
    if (answer.ok) return entered(answer.body);
    wrong.textContent = answer.body?.detail ?? "refused";
    password.focus();
  } } }, h("h1", {}, setup ? "First user" : "Log in"),
  setup && h("p", {}, "This makes the first engineer, who can add the others. There is no default password."),
  field("Name", name), field(setup ? "Password, at least 10 characters" : "Password", password), wrong, button);
  setTimeout(() => name.focus(), 0);
  return { element: h("div", { class: "centre" }, form), title: setup ? "First user" : "Log in", close: () => {} };
}
