// The cell in 3D, for engineers: viser's own page in a frame. Commands, state and NO DATA stay in the header above it.

import { card, h } from "./dom.js";
import { model } from "./model.js";

export function view3dPage() {
  const title = "3D view";
  const frame = model.facts.view3d
    ? h("iframe", { class: "view3d", src: "/view3d", title: "The cell in 3D" })
    : h("p", { class: "calm" }, "The 3D view is not installed: pip install 'jointcell[view3d]'.");
  const element = h("div", { class: "page" }, h("h1", {}, title), card("Cell", "drag to turn, wheel to come nearer; the first time takes some seconds", frame));
  return { element, title, close: () => {} };
}
