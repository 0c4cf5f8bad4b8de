// Who is in control: said where it keeps somebody from something, with the way to take it over.

import { post } from "./api.js";
import { h, setText } from "./dom.js";
import { inControl, may, model } from "./model.js";
import { say } from "./notice.js";

export const elsewhere = () => (inControl() ? "" : model.panel.control);

export async function takeControl() {
  if (inControl()) return void (await post("/control/release"));
  const answer = await post("/control/take", { instead_of: model.panel.control });
  say(answer.ok ? "You are in control" : answer.body?.detail ?? "refused", !answer.ok);
}

// A line beside what needs control; hidden while nobody else has it. To be drawn when control has changed.
export function controlNote() {
  const words = h("span", {}), button = h("button", { type: "button", class: "small", on: { click: takeControl } });
  const element = h("p", { class: "controlnote", role: "status" }, words, " ", button);
  const draw = () => {
    const holder = elsewhere();
    element.hidden = !may("operator") || holder === "";
    setText(words, `${holder} is in control, and this needs control. Ask ${holder} to give it back, or take it over.`);
    setText(button, `Take over from ${holder}`);
  };
  return { element, draw };
}
