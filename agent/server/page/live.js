// What happens now: the latest readings and events, as the log has them.

import { get } from "./api.js";
import { h, show } from "./dom.js";
import { problemView } from "./problem.js";
import { eventTable } from "./sources.js";
import { moment, said, word } from "./words.js";

const EVERY_S = 5;

export function liveView(main) {
  const readings = h("div", {});
  const events = h("div", {});
  const told = h("p", { class: "quiet-text" });
  let paused = false;
  let drawn = ["", ""];
  const draw = async () => {
    if (document.hidden || paused) return;
    const fresh = async (at, path, place, view) => {
      try {
        const found = await get(path);
        const now = JSON.stringify(found);
        if (drawn[at] !== now) show(place, view(found));
        drawn[at] = now;
        return true;
      } catch (error) {
        if (!drawn[at]) show(place, problemView(error));
        return false;
      }
    };
    const done = await Promise.all([
      fresh(0, "/api/readings/latest", readings, (found) => readingTiles(found.readings ?? found)),
      fresh(1, "/api/events?limit=50", events, (found) => eventTable(found.events ?? found)),
    ]);
    if (done.some(Boolean)) told.textContent = word("liveMore", EVERY_S, moment(Date.now() / 1000, { date: false }));
  };
  show(main, h("div", { class: "view-head" }, h("h1", {}, word("live")),
    h("button", { type: "button", class: "quiet", "data-key": "pause", "aria-pressed": "false", onclick: (event) => {
      paused = !paused;
      event.target.setAttribute("aria-pressed", String(paused));
      event.target.textContent = word(paused ? "resume" : "pause");
      draw();
    } }, word("pause"))), told,
  h("section", { "aria-labelledby": "live-events" }, h("h2", { id: "live-events" }, word("latestEvents")), events),
  h("section", { "aria-labelledby": "live-readings" }, h("h2", { id: "live-readings" }, word("latestReadings")), readings));
  draw();
  const timer = setInterval(draw, EVERY_S * 1000);
  return () => clearInterval(timer);
}

function readingTiles(readings) {
  if (!readings.length) return h("p", { class: "nothing" }, word("noReadings"));
  return h("ul", { class: "tiles" }, readings.map((reading) => h("li", { class: "tile", "data-state": reading.state ?? null },
    h("span", { class: "name" }, reading.label ?? reading.tag ?? said(reading.line)),
    h("span", { class: "figure" }, String(reading.value ?? "–"), reading.unit ? h("small", {}, ` ${reading.unit}`) : null),
    h("span", { class: "quiet-text" }, moment(reading.time ?? reading.at)))));
}
