// The shell: header, commands, which page is shown, who is logged in.

import { get, remove } from "./api.js";
import { commandBar } from "./commands.js";
import { takeControl } from "./control.js";
import { h, setClass, setText } from "./dom.js";
import { ageS, changed, inControl, isOld, may, model, watch } from "./model.js";
import { notices } from "./notice.js";
import { loginPage } from "./page_login.js";
import { runPage } from "./page_run.js";
import { follow } from "./stream.js";
import { clock, duration, MODES, STATES } from "./words.js";

const PAGES = [["/", "Run"], ["/history", "History"], ["/orders", "Orders"], ["/maintenance", "Maintenance"], ["/system", "System"]];
const head = document.getElementById("head"), main = document.getElementById("main");
let page = null, unfollow = null;

const bar = commandBar();
const state = h("strong", { class: "unit" }), mode = h("span", { class: "mode" }), kind = h("span", { class: "chip" });
const age = h("span", { class: "chip age" }), since = h("span", { class: "since" }), unseen = h("a", { href: "/", class: "unseen-count", hidden: true });
const control = h("button", { type: "button", class: "small", on: { click: takeControl } });
const who = h("span", { class: "who" }), time = h("time", { class: "clock" });
const links = PAGES.map(([path, label]) => h("a", { href: path }, label));
const spoken = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
const lost = h("p", { class: "lost", role: "alert" });

function buildHead() {
  head.replaceChildren(
    h("div", { class: "top" }, h("span", { class: "cell" }, model.cell || "jointcell"), state, since, mode, kind, age, h("span", { class: "space" }), unseen, who, control,
      h("button", { type: "button", class: "small", on: { click: leave } }, "Log out"), time),
    h("div", { class: "second" }, h("nav", { "aria-label": "Pages" }, links), bar.element), bar.reason, lost, spoken, notices);
}

let lastState = "";
function drawHead() {
  bar.draw();
  if (!model.now) return;
  const { now } = model, old = isOld();
  setText(state, STATES[now.state] ?? now.state);
  setText(since, `for ${duration(now.since_s)}${now.by ? `, ${now.cause}` : ""}${now.preparing ? ` · ${now.preparing}` : ""}`);
  setText(mode, `Mode ${MODES[now.mode]}${now.single_step ? ", single-step" : ""}`);
  setText(kind, model.simulated ? "SIMULATION" : model.driver.includes("emulated") ? "REAL ARMS (EMULATED)" : "REAL ARMS");
  setClass(kind, "real", !model.simulated);
  const seconds = ageS();
  setText(age, old ? `NO DATA ${Math.max(1, Math.floor(seconds))} s` : `data ${seconds < 0.25 ? "live" : `${seconds.toFixed(1)} s`}`);
  setClass(age, "old", old);
  setClass(document.body, "stale", old);
  const words = old ? `NO DATA for ${Math.max(1, Math.floor(seconds))} s: what is shown is old. Stop and Abort are still sent, but may not arrive.` : "";
  if (lost.textContent !== words) lost.textContent = words;
  const count = (model.parts.alarms?.alarms ?? []).filter((alarm) => !alarm.acknowledged).length;
  setText(unseen, count ? `${count} unacknowledged` : "");
  unseen.hidden = !count; // an empty link is one that nobody can name
  setText(time, clock(now.utc_ms));
  if (now.state !== lastState) {
    lastState = now.state;
    setText(spoken, `The cell is ${STATES[now.state]}`);
  }
}

function drawWho() {
  if (!model.you) return;
  setText(who, `${model.you.name}, ${model.you.role}`);
  const holder = model.panel.control;
  control.hidden = !may("operator");
  setText(control, inControl() ? "In control: give back" : holder ? `${holder} is in control: take over` : "Take control");
  setClass(control, "mine", inControl());
}

async function leave() {
  await remove("/sessions/me");
  location.assign("/login");
}

const LATER = { history: "historyPage", orders: "ordersPage", maintenance: "maintenancePage", system: "systemPage", arms: "armPage", joints: "jointPage", "3d": "view3dPage" };
async function show(path) {
  const [, name, ...parts] = path.split("/"), rest = parts.join("/");
  let make = runPage;
  if (name && LATER[name]) make = (await import(`/static/page_${name === "joints" ? "history" : name === "arms" ? "arm" : name}.js`))[LATER[name]];
  page?.close();
  page = make(rest ? decodeURIComponent(rest) : undefined);
  main.replaceChildren(page.element);
  document.title = `${page.title} – jointcell`;
  links.forEach((link) => {
    if (link.getAttribute("href") === (name ? `/${name}` : "/")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
}

function go(path) {
  history.pushState(null, "", path);
  show(location.pathname).then(() => main.focus({ preventScroll: true }));
  window.scrollTo(0, 0);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='/']");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || link.hasAttribute("download") || link.pathname.startsWith("/api/")) return;
  event.preventDefault();
  go(link.pathname);
});
document.addEventListener("go", (event) => go(event.detail));
window.addEventListener("popstate", () => show(location.pathname));

async function enter() {
  const [me, facts] = await Promise.all([get("/sessions/me"), get("/facts")]);
  if (me.status === 401 || facts.status === 401) return login();
  if (!me.ok || !facts.ok) return void setTimeout(enter, 1000);
  model.you ??= { name: me.body.name, role: me.body.role, key: "" };
  model.facts = facts.body;
  model.cell = facts.body.cell;
  document.body.classList.remove("entry");
  buildHead();
  if (location.pathname === "/login" || location.pathname === "/setup") history.replaceState(null, "", "/");
  drawWho();
  unfollow?.();
  unfollow = follow(() => location.assign("/login"));
  await show(location.pathname);
}

function login() {
  document.body.classList.add("entry");
  page?.close();
  page = loginPage(() => enter());
  head.replaceChildren(h("div", { class: "top" }, h("span", { class: "cell" }, "jointcell")));
  main.replaceChildren(page.element);
  document.title = `${page.title} – jointcell`;
}

watch((what) => {
  if (["now", "connection", "alarms", "orders"].includes(what)) drawHead();
  if (what === "panel") { drawWho(); drawHead(); }
});
setInterval(() => isOld() && (drawHead(), changed("connection")), 200);
if (location.pathname === "/setup" || location.pathname === "/login") login();
else enter();
