// Elements without markup: text is always text, so nothing that a photo, a manual or a log says can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. Properties: `class`, `on…` listeners, `data-…` and `aria-…` attributes; false and null are left out. */
export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same, in SVG. */
export function s(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Replace what an element holds, without losing the place of the focus where the same thing is drawn again. */
export function show(element, ...children) {
  const held = element.contains(document.activeElement) ? document.activeElement : null;
  const key = held?.dataset.key ?? held?.id;
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (!key || held.isConnected) return;
  const again = [...element.querySelectorAll("[data-key],[id]")].find((one) => (one.dataset.key ?? one.id) === key);
  again?.focus({ preventScroll: true });
}

/** Say something to a screen reader. */
export function announce(text, urgent = false) {
  const place = document.getElementById(urgent ? "urgent" : "polite");
  place.textContent = place.textContent === text ? `${text}\u00a0` : text;
}

const PATHS = {
  ask: "M4 5h16v11H9l-5 4z",
  approve: "M4 12.5l5 5L20 6.5",
  live: "M3 12h4l3-7 4 14 3-7h4",
  report: "M6 3h9l4 4v14H6zM9 11h7M9 15h7M9 7h3",
  box: "M4 7h16v12H4zM4 12h16M8 9.5h.01M8 15.5h.01M12 15.5h5",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 100 7 3.5 3.5 0 000-7z",
  send: "M4 12h15M13 6l6 6-6 6",
  close: "M6 6l12 12M18 6L6 18",
  look: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  back: "M15 5l-7 7 7 7",
  fresh: "M12 5v14M5 12h14",
};

/** One of our icons; what it means is said by the element around it. */
export function icon(name) {
  return s("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, s("path", { d: PATHS[name] }));
}
