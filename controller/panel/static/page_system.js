// The controller: its health, versions, what happened, who asked for what, users and tokens.

import { get, post, remove } from "./api.js";
import { card, field, h, table } from "./dom.js";
import { may, model, watch } from "./model.js";
import { ask, confirmed, say } from "./notice.js";
import { clock, day } from "./words.js";

const PACE_MS = 3000;
const ROLES = ["viewer", "operator", "engineer"];

function detailWords(text) {
  try {
    return Object.entries(JSON.parse(text)).map(([name, value]) => `${name.replaceAll("_", " ")}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
  } catch {
    return text; // it was longer than the audit keeps
  }
}

export function systemPage() {
  const health = h("div", {}), events = h("div", {}), audit = h("div", {}), log = h("div", {}), users = h("div", {}), tokens = h("div", {});
  async function refresh() {
    const { ok, body } = await get("/system");
    if (!ok) return;
    const pairs = [["Cell", body.cell], ["Driver", `${body.driver}, ${body.simulated ? "simulation" : "REAL ARMS"}`], ["Started (UTC)", day(body.started_utc)], ["Pages watching", String(body.stream_clients)],
      ["Age of the picture", `${(1000 * body.picture_age_s).toFixed(0)} ms`], ["Last tick late by", `${(1000 * body.tick_lag_s).toFixed(1)} ms`], ["Memory", `${body.memory_mb.toFixed(0)} MB`],
      ...Object.entries(body.versions).map(([name, version]) => [name, version])];
    health.replaceChildren(body.health.length ? h("ul", {}, body.health.map((text) => h("li", { class: "bad" }, text))) : h("p", {}, "Nothing is wrong with the controller."),
      h("dl", { class: "pairs" }, pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
  }
  function drawEvents() {
    const rows = model.events.slice(0, 100).map((event) => [String(event.seq), clock(event.utc_ms), event.kind.replaceAll("_", " "), event.text]);
    events.replaceChildren(rows.length ? table(["No.", "Time", "Kind", "What"], rows, "Events") : h("p", { class: "calm" }, "Nothing has happened since the controller began."));
  }
  async function drawEngineers() {
    if (!may("engineer")) return;
    const [rows, lines, people, keys] = await Promise.all([get("/audit?most=200"), get("/log"), get("/users"), get("/tokens")]);
    if (rows.ok) audit.replaceChildren(table(["Time (UTC)", "Who", "What", "Details", "Outcome", "From"], rows.body.map((row) => [day(row.time_utc), row.name ? `${row.name}, ${row.role}` : "nobody", row.action.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase(), detailWords(row.detail), row.outcome, row.address]), "Audit"));
    if (lines.ok) log.replaceChildren(table(["Time (UTC)", "Level", "Line"], lines.body.map((line) => [day(line.time_utc), line.level, line.text]), "Log"));
    if (people.ok) users.replaceChildren(table(["Name", "Role", "Since (UTC)", "Action"], people.body.map((user) => [user.name, user.role, day(user.created_utc),
      h("button", { type: "button", class: "small", "aria-label": `Remove ${user.name}`, on: { click: () => dropUser(user.name) } }, "Remove")]), "Users"));
    if (keys.ok) tokens.replaceChildren(keys.body.length ? table(["Label", "User", "Role", "Until (UTC)", "Action"], keys.body.map((token) => [token.label, token.user, token.role, day(token.expires_utc),
      h("button", { type: "button", class: "small", "aria-label": `Revoke ${token.label}`, on: { click: () => change(() => remove(`/tokens/${token.id}`), `${token.label} is revoked`) } }, "Revoke")]), "Tokens") : h("p", { class: "calm" }, "No tokens."));
  }
  async function change(request, done) {
    const answer = await confirmed(request);
    say(answer.ok ? done : answer.body?.detail ?? "refused", !answer.ok);
    drawEngineers();
    return answer;
  }
  async function dropUser(name) {
    if ((await ask(`Remove ${name}?`, h("p", {}, "All logins and tokens of this user end."), "Remove")) !== null) change(() => remove(`/users/${name}`), `${name} is removed`);
  }
  const roleSelect = () => h("select", { name: "role" }, ROLES.map((role) => h("option", { value: role }, role)));
  function userForm() {
    const name = h("input", { required: true, maxLength: 32, pattern: "[a-z][a-z0-9._\\-]*", autocomplete: "off", title: "small letters, digits, dots" }), role = roleSelect();
    const password = h("input", { type: "password", required: true, minLength: 10, maxLength: 200, autocomplete: "new-password" });
    return h("form", { class: "form", on: { submit: async (event) => {
      event.preventDefault();
      const answer = await change(() => post("/users", { name: name.value, role: role.value, password: password.value }, { patience: 15000 }), `${name.value} is added`);
      if (answer.ok) event.target.reset();
    } } }, field("Name", name), field("Role", role), field("Password, at least 10", password), h("button", { type: "submit" }, "Add user"));
  }
  function tokenForm() {
    const label = h("input", { required: true, maxLength: 100, autocomplete: "off" }), role = roleSelect(), days = h("input", { type: "number", min: "1", max: "365", value: "90", required: true });
    return h("form", { class: "form", on: { submit: async (event) => {
      event.preventDefault();
      const answer = await change(() => post("/tokens", { label: label.value, role: role.value, days: Number(days.value) }), "The token is made");
      if (answer.ok) await ask("Copy the token now: it is not shown again", h("p", { class: "secret", tabIndex: 0 }, answer.body.token), "Done");
    } } }, field("What for", label), field("Role", role), field("Days", days), h("button", { type: "submit" }, "Make token"));
  }
  const unwatch = watch((what) => what === "event" && drawEvents());
  const timer = setInterval(refresh, PACE_MS);
  refresh();
  get("/events").then(({ ok, body }) => {
    if (ok) model.events = body.events.reverse();
    drawEvents();
  });
  drawEngineers();
  const element = h("div", { class: "page" }, h("h1", {}, "System"), h("div", { class: "columns" }, card("Health", null, health), card("Events", "the journal of the cell keeps them all", events)),
    may("engineer") ? h("div", { class: "columns" }, card("Users", null, users, userForm()), card("Tokens", "for scripts and Prometheus", tokens, tokenForm())) : null,
    may("engineer") ? card("Audit", "every command, final", audit) : null, may("engineer") ? card("Log", null, log) : null);
  return { element, title: "System", close: () => { unwatch(); clearInterval(timer); } };
}
