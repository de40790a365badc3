// A photo with what was read on it: boxes over the picture, a legend to choose kinds, and the same as a list.

import { h, s, show } from "./dom.js";
import { flagWord, said, word } from "./words.js";

const LABEL_FLAGS = new Set(["unlabelled", "ambiguous", "unit-unsure", "no-unit"]);

/** What a perception holds, as things with id, kind, box and words; ids are those that answers cite. */
export function thingsOf(perception) {
  const readings = perception.readings.map((reading, at) => ({
    id: `R${at + 1}`, kind: reading.value === null || reading.flags.some((flag) => !LABEL_FLAGS.has(flag)) ? "check" : "reading",
    group: "readings", box: reading.box, name: reading.label || word("noLabel"),
    value: reading.value === null ? word("noValue") : valueOf(reading), doubts: reading.flags.filter((flag) => flag !== "no-value").map(flagWord),
  }));
  const lamps = perception.lamps.map((lamp, at) => ({
    id: `L${at + 1}`, kind: "lamp", group: "lamps", box: lamp.box, name: lamp.label || word("noLabel"),
    value: `${word(lamp.color)} · ${word(lamp.state)}`, doubts: [], color: lamp.color, state: lamp.state,
  }));
  const alarms = perception.alarms.map((row, at) => ({
    id: `A${at + 1}`, kind: "alarm", group: "alarms", box: row.box, doubts: [],
    name: row.roles.text || Object.entries(row).filter(([key]) => key !== "box" && key !== "roles").map(([, cell]) => cell).join(" · "),
    value: [row.roles.time, row.roles.priority, row.roles.state].filter(Boolean).join(" · "),
  }));
  const buttons = (perception.buttons ?? []).map((button, at) => ({
    id: `B${at + 1}`, kind: "button", group: "buttons", box: button.box, name: button.label, value: "", doubts: [],
  }));
  const texts = perception.texts.map((text, at) => ({
    id: `T${at + 1}`, kind: "text", group: "texts", box: text.box, name: text.text, value: "", doubts: [],
  }));
  return [...readings, ...lamps, ...alarms, ...buttons, ...texts];
}

function valueOf(reading) {
  const play = reading.uncertainty === null || reading.uncertainty === undefined ? "" : ` ± ${Number(reading.uncertainty.toPrecision(3))}`;
  return `${reading.value}${play}${reading.unit ? ` ${reading.unit}` : ""}`;
}

const SMALL_PX = 12;
/* What is chosen and shown smaller than this is enlarged. */
const GROUPS = ["readings", "lamps", "alarms", "buttons", "texts"];

/**
 * Picture, legend and list.
 * @param {string} url of the upright picture.
 * @param {object} perception as the API gives it.
 * @param {string} chosen id of the thing to show first.
 */
export function panelView(url, perception, chosen = "") {
  const things = thingsOf(perception);
  const hidden = new Set(things.length > 80 ? ["texts", "buttons"] : ["texts"]);
  const [width, height] = perception.size;
  const boxes = new Map();
  const rows = new Map();
  const layer = s("svg", { class: "boxes", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const picture = h("div", { class: "picture" }, h("img", { src: url, alt: word("photoOf"), width, height }), layer);
  const pane = h("div", { class: "pane", tabindex: 0, role: "group", "aria-label": word("photoOf") }, picture);
  const list = h("div", { class: "things" });

  const zoom = h("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: () => enlarge(!pane.classList.contains("big")) }, word("bigger"));
  const enlarge = (big) => {
    pane.classList.toggle("big", big);
    zoom.setAttribute("aria-pressed", String(big));
    zoom.textContent = word(big ? "smaller" : "bigger");
  };

  const choose = (id, from) => {
    for (const [name, box] of boxes) box.classList.toggle("chosen", name === id);
    for (const [name, row] of rows) row.setAttribute("aria-pressed", String(name === id));
    const box = boxes.get(id);
    if (from !== "picture" && box?.getBoundingClientRect().height < SMALL_PX) enlarge(true);
    if (from !== "picture" && box) bringIntoPane(pane, picture, things.find((thing) => thing.id === id).box, width, height);
    if (from !== "list") rows.get(id)?.scrollIntoView({ block: "nearest" });
  };

  for (const thing of [...things].reverse()) {
    const [left, top, right, bottom] = thing.box;
    const box = s("rect", {
      class: `box ${thing.kind}`, x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top),
      rx: thing.kind === "lamp" ? 6 : 2, "data-group": thing.group, "data-color": thing.color, "data-state": thing.state,
      "data-thing": thing.id, onclick: () => choose(thing.id, "picture"),
    }, s("title", {}, `${thing.id} ${thing.name} ${thing.value}`));
    boxes.set(thing.id, box);
    layer.append(box);
  }
  const draw = () => {
    for (const group of GROUPS) layer.classList.toggle(`no-${group}`, hidden.has(group));
  };
  const legend = h("fieldset", { class: "legend" }, h("legend", {}, word("shownKinds")),
    GROUPS.filter((group) => things.some((thing) => thing.group === group)).map((group) => h("label", { class: "chip" },
      h("input", { type: "checkbox", checked: !hidden.has(group), onchange: (event) => {
        if (event.target.checked) hidden.delete(group);
        else hidden.add(group);
        draw();
      } }),
      h("span", { class: `swatch ${group}`, "aria-hidden": "true" }),
      `${word(group)} ${things.filter((thing) => thing.group === group).length}`)),
    things.some((thing) => thing.kind === "check") ? h("span", { class: "key" }, h("span", { class: "swatch check", "aria-hidden": "true" }), word("check")) : null,
    zoom);
  show(list, GROUPS.filter((group) => things.some((thing) => thing.group === group)).map((group) =>
    h("details", { open: group !== "texts" && group !== "buttons" },
      h("summary", {}, `${word(group)} (${things.filter((thing) => thing.group === group).length})`),
      h("ul", {}, things.filter((thing) => thing.group === group).map((thing) => {
        const row = h("button", { type: "button", class: `thing ${thing.kind}`, "aria-pressed": "false", "data-color": thing.color, onclick: () => choose(thing.id, "list") },
          h("span", { class: "id" }, thing.id), h("span", { class: "name" }, thing.name), h("span", { class: "value" }, thing.value),
          thing.doubts.length ? h("span", { class: "doubt" }, thing.doubts.join(" · ")) : null);
        rows.set(thing.id, row);
        return h("li", {}, row);
      })))));
  const notes = [...(perception.quality?.advice ?? []).map(said), ...(perception.unread ? [perception.unread] : [])];
  draw();
  if (chosen) requestAnimationFrame(() => choose(chosen, "start"));
  return h("div", { class: "panel" }, pane, legend, notes.map((note) => h("p", { class: "warn" }, note)), list);
}

/** Scroll a pane so that a box of its picture, whose sides measure so much, stands in the middle. */
export function bringIntoPane(pane, picture, [left, top, right, bottom], width, height) {
  const scale = { x: picture.clientWidth / width, y: picture.clientHeight / height };
  pane.scrollTo({
    left: ((left + right) / 2) * scale.x - pane.clientWidth / 2,
    top: ((top + bottom) / 2) * scale.y - pane.clientHeight / 2,
  });
}
