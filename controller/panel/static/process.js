// Process parameters: what the cell runs with, versions of them, trying one, choosing what the next start takes.

import { get, post, put } from "./api.js";
import { card, field, h, table } from "./dom.js";
import { may } from "./model.js";
import { confirmed, say } from "./notice.js";
import { day, seconds } from "./words.js";

const PACE_MS = 2000;

export function processCard() {
  const body = h("div", {}, h("p", { class: "calm" }, "…")), trying = h("p", { role: "status" });
  const element = card("Process parameters", "of the cell's file; a change is active from the next start of the cell", body, trying);
  let closed = false, known = null, inputs = new Map();
  const named = (number) => (number ? `version ${number}` : "its file as it is");
  const valueIn = (number, name) => known.versions.find((each) => each.number === number)?.changes[name] ?? known.parameters.find((each) => each.name === name).value;
  const words = (changes) => Object.entries(changes).map(([name, value]) => {
    const parameter = known.parameters.find((each) => each.name === name);
    return parameter ? `${name}: ${parameter.value} → ${value} ${parameter.unit}` : `${name}: ${value}`;
  });
  const verdict = (trial) => (trial === null ? "not tried" : trial.reason ? `failed: ${trial.reason}` : `${trial.met ? "keeps" : "misses"} the target, p95 ${seconds(trial.cycle_p95_s, 2)} s, mean ${seconds(trial.cycle_mean_s, 2)} s`);
  const small = (label, name, act) => h("button", { type: "button", class: "small", "aria-label": name, on: { click: act } }, label);

  async function refresh(answer) {
    const found = await (answer ?? get("/process"));
    if (!found.ok) return void body.replaceChildren(h("p", { class: "calm" }, found.body?.detail ?? "no answer"));
    known = found.body;
    draw();
  }

  function draw() {
    inputs = new Map();
    const rows = known.parameters.map((each) => {
      const now = valueIn(known.running, each.name);
      const range = `${each.above_lowest ? "above" : "from"} ${each.lowest} to ${each.highest} ${each.unit}`;
      const input = may("engineer") ? h("input", { type: "number", step: "any", value: String(valueIn(known.next_start, each.name)), required: true, "aria-label": `New value of ${each.name}, ${range}` }) : null;
      if (input) inputs.set(each.name, input);
      return [each.name, each.meaning, `${each.value} ${each.unit}`, now === each.value ? "the same" : h("strong", {}, `${now} ${each.unit}`), ...(input ? [h("span", { class: "newvalue" }, input, ` ${range}`)] : [])];
    });
    const note = h("input", { required: true, maxLength: 100, autocomplete: "off" });
    const make = h("form", { class: "form", on: { submit: (event) => {
      event.preventDefault();
      const changes = {};
      for (const each of known.parameters) if (Number(inputs.get(each.name).value) !== each.value) changes[each.name] = Number(inputs.get(each.name).value);
      if (!Object.keys(changes).length) return say("nothing differs from the cell's file", true);
      send(post("/process/versions", { changes, note: note.value.trim() }), "A version is made; try it next");
    } } }, field("Why", note), h("button", { type: "submit" }, "Make a version"));
    const versions = known.versions.map((each) => [String(each.number), day(each.utc), each.author, each.note, h("div", {}, words(each.changes).map((line) => h("div", {}, line))), verdict(each.trial),
      each.number === known.running ? "runs" : each.number === known.next_start ? "from the next start" : "",
      ...(may("engineer") ? [h("div", { class: "actions" }, small("Try", `Try version ${each.number} in simulation`, () => attempt(each.number)),
        each.trial?.met && each.number !== known.next_start ? small("Use from next start", `Use version ${each.number} from the next start`, () => choose(each.number)) : null)] : [])]);
    const waits = known.next_start !== known.running;
    body.replaceChildren(
      h("p", {}, `The cell runs with ${named(known.running)}. `, waits ? h("strong", {}, `Its next start takes ${named(known.next_start)}.`) : "Its next start takes the same."),
      table(["Parameter", "What it is", "Cell's file", "Running", ...(may("engineer") ? ["New value"] : [])], rows, "Process parameters"),
      may("engineer") ? make : h("p", { class: "note" }, "Engineers change them."),
      versions.length ? table(["Version", "Made (UTC)", "By", "Why", "Differs from the file", "Trial", "State", ...(may("engineer") ? ["Action"] : [])], versions, "Versions of the process parameters") : h("p", { class: "calm" }, "There are no versions yet."),
      may("engineer") && known.next_start ? h("button", { type: "button", on: { click: () => choose(0) } }, "Use the file as it is from the next start") : "");
  }

  async function send(request, done) {
    const answer = await request;
    say(answer.ok ? done : answer.body?.detail ?? "refused", !answer.ok);
    if (answer.ok) refresh(answer);
  }
  const choose = (number) => send(confirmed(() => put("/process/next-start", { version: number })), `The next start of the cell takes ${named(number)}`);

  async function attempt(number) {
    const begun = await post(`/process/versions/${number}/trial`);
    if (!begun.ok) return say(begun.body?.detail ?? "refused", true);
    const began = performance.now();
    let run = begun.body;
    while (run.status === "running" && !closed) {
      trying.textContent = `Planning and running all ${run.models.length} models with version ${number}, ${Math.round((performance.now() - began) / 1000)} s so far; the cell is not disturbed.`;
      await new Promise((resolve) => setTimeout(resolve, PACE_MS));
      const answer = await get(`/dry-runs/${run.id}`);
      if (answer.ok) run = answer.body;
    }
    trying.textContent = run.status === "failed" ? `The trial of version ${number} failed: ${run.reason}` : "";
    if (!closed) refresh();
  }

  refresh();
  return { element, close: () => { closed = true; } };
}
