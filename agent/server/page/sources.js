// Where an answer comes from: the page of the manual with the quote marked, the event with its neighbours, the photo.

import { get } from "./api.js";
import { h, s } from "./dom.js";
import { bringIntoPane, panelView } from "./overlay.js";
import { openSheet } from "./sheet.js";
import { moment, word } from "./words.js";

/** Open what a citation stands for. */
export function openSource(citation, quote, turn) {
  if (/^E\d+$/.test(citation)) return openEvent(citation);
  if (/^[RLA]\d+$/.test(citation) && turn?.photo) return openPhoto(turn, citation);
  return openPassage(citation, quote);
}

/** The photo of a turn with what was read on it. */
export function openPhoto(turn, chosen = "") {
  return openSheet(word("seen"), async () => {
    turn.perception ??= await get(`/api/turns/${turn.id}/perception`);
    return panelView(`/api/turns/${turn.id}/photo`, turn.perception, chosen);
  }, { wide: true });
}

function openPassage(citation, quote) {
  const [document, ...rest] = citation.split(" ");
  const place = encodeURIComponent(rest.join(" ") || "-");
  return openSheet(word("source", citation), async () => {
    const found = await get(`/api/citations/${encodeURIComponent(document)}/${place}?quote=${encodeURIComponent(quote.slice(0, 1500))}`);
    const heading = [found.section && (/^第/.test(found.section) ? found.section : `§${found.section}`), found.heading].filter(Boolean).join(" ");
    return [
      h("p", { class: "where" }, h("strong", {}, found.title), heading ? ` · ${heading}` : "", found.page ? ` · ${word("page", found.page)}` : ""),
      found.image ? pageImage(found) : null,
      h("div", { class: "passage", lang: found.language === "zh" ? "zh-CN" : found.language }, marked(found.text, found.quotes)),
    ];
  });
}

function pageImage(found) {
  const marks = found.boxes.map(([left, top, right, bottom]) =>
    s("rect", { class: "mark", x: left, y: top, width: right - left, height: bottom - top }));
  const image = h("img", { src: found.image, alt: word("pageImage", found.title, found.page), onload: () => {
    // On a phone a whole page cannot be read.
    pane.classList.toggle("big", pane.clientWidth < NARROW_PX);
    if (found.boxes.length) bringIntoPane(pane, picture, found.boxes[0], 1, 1);
  } });
  const picture = h("div", { class: "picture" }, image, s("svg", { class: "boxes", viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" }, marks));
  const pane = h("div", { class: "pane page-pane", tabindex: 0, role: "group", "aria-label": word("pageImage", found.title, found.page) }, picture);
  const zoom = h("button", { type: "button", class: "quiet", onclick: () => pane.classList.toggle("big") }, `${word("bigger")} / ${word("smaller")}`);
  return [pane, h("p", {}, zoom)];
}

/** A text with some stretches of it marked; `places` are [start, end] in characters, in order. */
function marked(text, places) {
  const characters = [...text];
  const pieces = [];
  let at = 0;
  for (const [start, end] of places) {
    pieces.push(characters.slice(at, start).join(""), h("mark", {}, characters.slice(start, end).join("")));
    at = end;
  }
  pieces.push(characters.slice(at).join(""));
  return pieces;
}

function openEvent(id) {
  return openSheet(word("event", id), async () => {
    const found = await get(`/api/events?around=${id}`);
    return [h("h3", {}, word("neighbours")), eventTable(found.events, id)];
  }, { wide: true });
}

const NARROW_PX = 560;
const URGENT = /高|紧急|严重|high|critical|urgent|^1$/i;

/** Events as a table; the chosen one is marked and scrolled to. */
export function eventTable(events, chosen = "") {
  if (!events.length) return h("p", { class: "quiet-text" }, word("noEvents"));
  const columns = ["time", "tag", "text", "priority", "state"];
  const rows = events.map((event) => {
    const told = event.fields ?? event;
    const stands = told.cleared === null && !told.minutes;
    const row = h("tr", { class: stands ? (URGENT.test(told.priority ?? "") ? "stands urgent" : "stands") : null, "aria-current": event.id === chosen ? "true" : null },
      h("td", { class: "id" }, event.id), columns.map((column) => h("td", { class: column, "data-label": word(column) },
        column === "time" ? moment(told.time ?? told.at) : String(told[column] ?? ""))));
    if (event.id === chosen) requestAnimationFrame(() => row.scrollIntoView({ block: "center" }));
    return row;
  });
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": word("latestEvents") }, h("table", { class: "events" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "#"), columns.map((column) => h("th", { scope: "col" }, word(column))))),
    h("tbody", {}, rows)));
}
