// The live view: six arms as the server's kinematics has their links, the dial, and the places of work.
// Seen isometrically, from above or from the side; turned by dragging or with the arrow keys.

import { h, prepared, setAttribute } from "./dom.js";
import { isOld, model } from "./model.js";
import { ACCOUNTS } from "./words.js";

const INK = "#23282d", FLOOR = "#c3c6c8", DIAL = "#aeb3b7", NEST = "#8d949a";
const WIDTHS = [17, 17, 16, 13, 10, 8, 7]; // of a link at 100 px for a metre
const ZONE_MM = 95;
const VIEWS = { iso: [-0.62, 0.60], top: [-Math.PI / 2, Math.PI / 2], side: [-Math.PI / 2, 0.06] };

export function cellView() {
  let [yaw, tilt] = VIEWS.iso;
  const canvas = h("canvas", { class: "cellview", tabIndex: 0, role: "img", "aria-label": "Live view of the cell" });
  const buttons = Object.entries({ iso: "Iso", top: "Top", side: "Side" }).map(([name, label]) =>
    h("button", { class: "small", type: "button", "aria-pressed": String(name === "iso"), on: { click: () => choose(name) } }, label));
  const choose = (name) => {
    [yaw, tilt] = VIEWS[name];
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.textContent.toLowerCase() === name)));
    draw();
  };
  const turn = (dyaw, dtilt) => {
    yaw += dyaw;
    tilt = Math.min(Math.PI / 2, Math.max(0.03, tilt + dtilt));
    buttons.forEach((button) => button.setAttribute("aria-pressed", "false"));
    draw();
  };
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) turn(-event.movementX * 0.008, event.movementY * 0.008);
  });
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    if (step) { event.preventDefault(); turn(...step); }
  });

  function draw() {
    const { context: c, width, height } = prepared(canvas);
    if (!model.now || !model.facts || width < 10) return;
    const scale = Math.min(width / 3.15, height / (1.55 + 1.3 * Math.sin(tilt))) / 1000; // px for a mm
    const cy = Math.cos(yaw), sy = Math.sin(yaw), st = Math.sin(tilt), ct = Math.cos(tilt);
    const middle = [width / 2, height / 2 + 400 * ct * scale];
    const project = (x, y, z) => {
      const side = -x * sy + y * cy, away = x * cy + y * sy;
      return [middle[0] + side * scale, middle[1] + (away * st - z * ct) * scale, away];
    };
    floor(c, project);
    dial(c, project, model.facts.dial, scale);
    const arms = [...model.now.arms].map((arm) => ({ arm, near: project(arm.points_mm[0], arm.points_mm[1], 0)[2] }));
    places(c, project, scale);
    const faulty = new Set((model.parts.alarms?.alarms ?? []).filter((alarm) => alarm.active).map((alarm) => alarm.source));
    for (const { arm } of arms.sort((a, b) => a.near - b.near)) drawArm(c, project, arm, scale, faulty.has(arm.id));
    for (const { arm } of arms) label(c, project, arm, faulty.has(arm.id));
    if (isOld()) veil(c, width, height);
  }

  function floor(c, project) {
    c.strokeStyle = FLOOR;
    c.lineWidth = 1;
    c.beginPath();
    for (let k = -1200; k <= 1200; k += 400) {
      line(c, project(k, -1200, 0), project(k, 1200, 0));
      line(c, project(-1200, k, 0), project(1200, k, 0));
    }
    c.stroke();
  }

  function dial(c, project, facts, scale) {
    const [x, y, z, r] = [1000 * facts.x_m, 1000 * facts.y_m, 1000 * facts.z_m, 1000 * facts.radius_m];
    const ring = (radius, height) => Array.from({ length: 48 }, (_, k) =>
      project(x + radius * Math.cos((k * Math.PI) / 24), y + radius * Math.sin((k * Math.PI) / 24), height));
    fill(c, ring(r + 70, 0), "#bcc0c3", "#a0a5a9");
    fill(c, ring(r + 70, z * 0.82), "#c9ccce", "#8d949a");
    fill(c, ring(r - 110, z * 0.82), "#bfc3c5", "#a0a5a9");
    c.strokeStyle = DIAL;
    c.lineWidth = Math.max(2, 16 * scale);
    c.beginPath();
    for (let k = 0; k < facts.positions; k++) {
      const angle = model.now.dial_rad + (2 * Math.PI * k) / facts.positions;
      line(c, project(x + (r - 110) * Math.cos(angle), y + (r - 110) * Math.sin(angle), z * 0.82),
        project(x + (r + 55) * Math.cos(angle), y + (r + 55) * Math.sin(angle), z * 0.82));
    }
    c.stroke();
  }

  function places(c, project, scale) {
    for (const station of model.now.stations) {
      const corners = Array.from({ length: 16 }, (_, k) => project(
        station.x_mm + ZONE_MM * Math.cos((k * Math.PI) / 8) * 0.8, station.y_mm + ZONE_MM * Math.sin((k * Math.PI) / 8) * 0.8,
        station.z_mm * 0.9));
      const occupied = station.occupied_by !== "";
      fill(c, corners, station.busy ? "#b0b6bb" : "rgba(176,182,187,0.35)", occupied ? INK : NEST, occupied ? 2 : 0.7);
      if (occupied || /^P\d/.test(station.id)) {
        const [px, py] = project(station.x_mm, station.y_mm, station.z_mm * 0.9);
        c.fillStyle = "#4c545b";
        c.font = `${Math.max(9, 42 * scale)}px system-ui, sans-serif`;
        c.textAlign = "center";
        if (/^P\d/.test(station.id)) c.fillText(station.id, px, py + 4);
      }
    }
  }

  function drawArm(c, project, arm, scale, faulty) {
    const points = Array.from({ length: 8 }, (_, k) => project(...arm.points_mm.slice(3 * k, 3 * k + 3)));
    const working = arm.account === "working";
    const colour = arm.fault || faulty ? "#8a9096" : working ? "#6f7881" : "#b4babf";
    fill(c, Array.from({ length: 24 }, (_, k) => project(arm.points_mm[0] + 95 * Math.cos((k * Math.PI) / 12),
      arm.points_mm[1] + 95 * Math.sin((k * Math.PI) / 12), 0)), "#a8adb2", "#777f86");
    c.lineCap = c.lineJoin = "round";
    for (const [grow, stroke] of [[3, INK], [0, colour]]) {
      for (let k = 0; k < 7; k++) {
        c.strokeStyle = stroke;
        c.lineWidth = Math.max(2, WIDTHS[k] * scale * 10 * 0.62) + grow;
        c.beginPath();
        line(c, points[k], points[k + 1]);
        c.stroke();
      }
    }
    const [x, y] = points[7];
    c.fillStyle = arm.holds ? INK : "#e2e3e4";
    c.strokeStyle = INK;
    c.lineWidth = 1.2;
    c.beginPath();
    c.arc(x, y, Math.max(3, 30 * scale), 0, 2 * Math.PI);
    c.fill();
    c.stroke();
  }

  // Beside the base of arms in front, above the elbow of those behind, on a plate so that nothing runs through the words.
  function label(c, project, arm, faulty) {
    const [x0, y0] = arm.points_mm;
    const behind = tilt < 1.2 && project(x0, y0, 0)[2] < 0;
    const out = 1 + 330 / Math.max(1, Math.hypot(x0, y0));
    let [x, y] = project(x0 * out, y0 * out, 0);
    if (behind) {
      const tops = Array.from({ length: 8 }, (_, k) => project(...arm.points_mm.slice(3 * k, 3 * k + 3)));
      [x, y] = tops.reduce((a, b) => (b[1] < a[1] ? b : a));
      y -= 32;
    }
    const words = arm.account === "working" ? `op ${arm.operation}` : ACCOUNTS[arm.account].toLowerCase();
    c.font = "11px system-ui, sans-serif";
    c.textAlign = "center";
    const half = Math.max(14, c.measureText(words).width / 2) + 3;
    c.fillStyle = "rgba(218,219,220,0.85)";
    c.fillRect(x - half, y - 12, 2 * half, 30);
    c.fillStyle = "#454d54";
    c.fillText(words, x, y + 14);
    c.font = "600 13px system-ui, sans-serif";
    c.fillStyle = INK;
    c.fillText(arm.id, x, y);
    if (!arm.fault && !faulty) return;
    c.fillStyle = "#c4161c";
    c.fillRect(x - half - 17, y - 12, 16, 16);
    c.fillStyle = "#fff";
    c.font = "700 12px system-ui, sans-serif";
    c.fillText("!", x - half - 9, y);
  }

  function veil(c, width, height) {
    c.fillStyle = "rgba(212,213,214,0.72)";
    c.fillRect(0, 0, width, height);
    c.fillStyle = INK;
    c.font = "700 22px system-ui, sans-serif";
    c.textAlign = "center";
    c.fillText("Last known position", width / 2, height / 2);
  }

  function describe() {
    if (!model.now) return;
    const words = model.now.arms.map((arm) => `${arm.id} ${ACCOUNTS[arm.account].toLowerCase()}`).join(", ");
    setAttribute(canvas, "aria-label", `Live view of the cell: ${words}`);
  }

  return { element: h("div", { class: "viewport" }, canvas, h("div", { class: "views", role: "group", "aria-label": "View from" }, buttons)), draw, describe };
}

function line(c, a, b) {
  c.moveTo(a[0], a[1]);
  c.lineTo(b[0], b[1]);
}

function fill(c, points, inside, edge, width = 1) {
  c.beginPath();
  points.forEach(([x, y], k) => (k ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.closePath();
  c.fillStyle = inside;
  c.fill();
  c.strokeStyle = edge;
  c.lineWidth = width;
  c.stroke();
}
