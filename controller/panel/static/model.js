// What the page knows: the newest picture, the parts, the last events, and how old all that is.

const OLD_S = 0.8; // older pictures count as no data; said within a second of the last one
const TRAIL_S = 60;

export const model = {
  you: null, facts: null, cell: "", simulated: true, driver: "",
  now: null, parts: {}, panel: { control: "", control_key: "" }, events: [], seq: 0,
  arrived: -Infinity, connected: false, trail: new Map(), stamp: 0,
};

const listeners = new Set();

export function watch(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function changed(what) {
  model.stamp += 1;
  for (const listener of [...listeners]) listener(what);
}

export function ageS() {
  return model.now ? model.now.age_s + (performance.now() - model.arrived) / 1000 : Infinity;
}

export const isOld = () => ageS() > OLD_S;

export function take(message) {
  const { type, value } = message;
  if (type === "snapshot") {
    Object.assign(model, { cell: value.cell, simulated: value.simulated, driver: value.driver, you: value.you,
      parts: value.parts, panel: value.panel, seq: Math.max(model.seq, value.seq) });
    moment(value.moment);
    for (const part of [...Object.keys(value.parts), "panel"]) changed(part);
  } else if (type === "state") {
    moment(value);
  } else if (type === "part") {
    if (message.name === "panel") model.panel = value;
    else model.parts[message.name] = value;
    changed(message.name);
  } else if (type === "event") {
    model.seq = value.seq;
    model.events = [value, ...model.events].slice(0, 200);
    changed("event");
  }
}

function moment(value) {
  model.now = value;
  model.arrived = performance.now();
  const at = value.utc_ms / 1000;
  for (const arm of value.arms) {
    const trail = model.trail.get(arm.id) ?? [];
    if (!trail.length || at - trail[trail.length - 1].at > 0.09) trail.push({ at, q: arm.q_rad });
    while (trail.length && at - trail[0].at > TRAIL_S) trail.shift();
    model.trail.set(arm.id, trail);
  }
  changed("now");
}

export const may = (role) => {
  const order = ["viewer", "operator", "engineer"];
  return model.you !== null && order.indexOf(model.you.role) >= order.indexOf(role);
};
export const inControl = () => model.you !== null && model.panel.control_key === model.you.key;
