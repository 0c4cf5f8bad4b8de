// One card for each arm: what it does, for whom it waits, where its joints are within their limits.

import { h, prepared, setClass, setText } from "./dom.js";
import { model } from "./model.js";
import { ACCOUNTS, operationName } from "./words.js";

export function armCards() {
  const element = h("div", { class: "armcards" });
  const cards = new Map();
  function draw() {
    if (!model.now || !model.facts) return;
    for (const arm of model.now.arms) {
      if (!cards.has(arm.id)) {
        const made = armCard(arm.id);
        cards.set(arm.id, made);
        element.append(made.element);
      }
      cards.get(arm.id).draw(arm);
    }
  }
  return { element, draw };
}

function armCard(id) {
  const state = h("span", { class: "state" });
  const work = h("p", { class: "work" }), leg = h("p", { class: "note" });
  const progress = h("div", { class: "bar" }, h("div", { class: "fill" }));
  const canvas = h("canvas", { class: "joints", role: "img", "aria-label": `Joints of ${id} within their limits` });
  const foot = h("p", { class: "foot" });
  const element = h("section", { class: "card arm", "aria-label": `Arm ${id}` },
    h("h2", {}, h("a", { href: `/arms/${id}` }, id), state), work, leg, progress, canvas, foot);
  return {
    element,
    draw(arm) {
      const facts = model.facts.arms.find((each) => each.id === id);
      setText(state, arm.fault ? "Fault" : ACCOUNTS[arm.account] ?? arm.account);
      setClass(element, "working", arm.account === "working");
      setClass(element, "faulty", arm.fault !== "");
      setText(work, arm.operation ? `${arm.operation} ${operationName(model.facts, arm.operation)}` : arm.waits_for ? "–" : arm.status);
      setText(leg, arm.operation ? `${arm.serial}, ${arm.leg}${arm.holds ? `, holds ${arm.holds.replaceAll("_", " ")}` : ""}` : "\u00a0");
      progress.firstChild.style.width = `${Math.round(100 * arm.progress)}%`;
      setText(foot, arm.fault || (arm.waits_for ? `waits for ${arm.waits_for}` : arm.late_s > 0.3 ? `began ${arm.late_s.toFixed(1)} s late`
        : arm.feed < 0.995 ? `speed ${Math.round(100 * arm.feed)} %` : arm.link.round_trip_ms !== undefined ? `link ${arm.link.round_trip_ms.toFixed(1)} ms` : "on time"));
      drawJoints(canvas, arm.q_rad, facts);
    },
  };
}

export function drawJoints(canvas, q, facts) {
  const { context: c, width, height } = prepared(canvas);
  if (width < 10) return;
  const bottom = height - 14, top = 3, pitch = width / 6;
  c.font = "10.5px system-ui, sans-serif";
  c.textAlign = "center";
  q.forEach((angle, k) => {
    const share = (angle - facts.lower_rad[k]) / (facts.upper_rad[k] - facts.lower_rad[k]);
    const x = (k + 0.5) * pitch, y = bottom - Math.min(1, Math.max(0, share)) * (bottom - top);
    c.fillStyle = "#c9cbcd";
    c.fillRect(x - 3, top, 6, bottom - top);
    c.fillStyle = "#a7acb0";
    c.fillRect(x - 3, top, 6, 4);
    c.fillRect(x - 3, bottom - 4, 6, 4);
    const near = share < 0.04 || share > 0.96;
    c.fillStyle = near ? "#b35900" : "#23282d";
    c.beginPath();
    c.moveTo(x + 4, y);
    c.lineTo(x - 9, y - 5);
    c.lineTo(x - 9, y + 5);
    c.fill();
    c.fillStyle = "#4c545b";
    c.fillText(`J${k + 1}`, x, height - 3);
  });
}
