// Elements from data. Text is always set as text, never parsed as markup.

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [kind, act] of Object.entries(value)) element.addEventListener(kind, act);
    else if (name === "class") element.className = value;
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setClass(element, name, on) {
  if (element.classList.contains(name) !== on) element.classList.toggle(name, on);
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function card(title, note, ...children) {
  const heading = h("h2", {}, title);
  if (note) heading.append(" ", note instanceof Node ? note : h("span", { class: "note" }, note));
  return h("section", { class: "card", "aria-label": title }, heading, ...children);
}

export function table(headings, rows, caption) {
  return h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": `${caption}, table` },
    h("table", {}, h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, headings.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell) => h("td", { class: typeof cell === "string" && cell.length > 40 ? "long" : null }, cell ?? "")))))));
}

export function field(label, control) {
  const id = `f${++field.count}`;
  control.id = id;
  return h("div", { class: "field" }, h("label", { for: id }, label), control);
}
field.count = 0;

// A canvas that is as sharp as the screen; returns its context, cleared, in CSS pixels.
export function prepared(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  return { context, width, height };
}
