// The box itself: health and rungs, modules with swap and roll-back, weights.

import { get, post } from "./api.js";
import { announce, h, show } from "./dom.js";
import { problemView } from "./problem.js";
import { sureButton } from "./reports.js";
import { moment, said, span, word } from "./words.js";

export function boxView(main) {
  const health = h("div", {});
  const modules = h("div", {});
  const weights = h("div", {});
  const outcome = h("div", { "aria-live": "polite" });
  const draw = () => Promise.all([
    fill(health, healthNow, healthView),
    fill(modules, () => get("/api/modules"), (found) => modulesView(found.modules, outcome, draw)),
    fill(weights, () => get("/api/weights"), weightsView),
  ]);
  show(main, h("div", { class: "view-head" }, h("h1", {}, word("box")),
    h("button", { type: "button", class: "quiet", "data-key": "refresh", onclick: draw }, word("refresh"))), health,
  h("section", { "aria-labelledby": "box-modules" }, h("h2", { id: "box-modules" }, word("modules")), outcome, modules),
  h("section", { "aria-labelledby": "box-weights" }, h("h2", { id: "box-weights" }, word("weights")), weights));
  draw();
  return () => {};
}

async function fill(place, ask, view) {
  try {
    show(place, view(await ask()));
  } catch (error) {
    show(place, problemView(error));
  }
}

/** A box that is starting says how it is, with a status that says that it is not ready. */
const healthNow = () => get("/api/health").catch((error) => {
  if (error.body?.status) return error.body;
  throw error;
});

const STATES = new Set(["present", "missing"]);
const bytes = (count) => (count >= 1e9 ? `${(count / 1e9).toFixed(1)} GB` : `${Math.round(count / 1e6)} MB`);

function healthView(found) {
  const rows = [
    ["health", h("span", { class: `status ${found.status}` }, word(`status_${found.status}`))],
    ["rung", found.rung || "–"],
    ["queue", found.queue ? word("queueTold", found.queue.waiting, found.queue.scheduled ?? 0) : null],
    ["disk", found.disk ? `${bytes(found.disk.free_bytes)} / ${bytes(found.disk.total_bytes)}` : null],
    ["heat", said(found.heat) || null],
    ["trail", found.trail?.at ? `${moment(found.trail.at)} ${said(found.trail.said ?? "")}` : null],
    ["up", found.up_seconds === undefined ? null : span(found.up_seconds)],
  ].filter(([, value]) => value !== null);
  return [h("dl", { class: "figures" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, word(name)), h("dd", {}, value)))),
    found.falls?.length ? h("section", {}, h("h3", {}, word("falls")), h("ul", { class: "notes" }, found.falls.map((fall) => h("li", {}, h("strong", {}, fall.rung), ` ${said(fall.said ?? fall.reason)}`)))) : null];
}

function modulesView(modules, outcome, draw) {
  if (!modules.length) return h("p", { class: "nothing" }, word("noModules"));
  const change = async (name, path, body) => {
    show(outcome, h("p", { class: "state" }, h("span", { class: "pulse", "aria-hidden": "true" }), word("trying")));
    try {
      const done = await post(`/api/modules/${encodeURIComponent(name)}/${path}`, body);
      const text = word("swapped", `${name} ${done.version ?? ""}`.trim());
      show(outcome, h("p", { class: "outcome yes" }, text));
      announce(text);
    } catch (error) {
      show(outcome, problemView(error));
    }
    await draw();
  };
  return h("ul", { class: "rows" }, modules.map((module) => h("li", {},
    h("span", { class: "grow" }, h("strong", {}, module.name), " ", module.current ? h("span", { class: "status ok" }, `${module.current} ${word("inUse")}`) : null,
      Object.entries(module.rejected ?? {}).map(([version, why]) => h("p", { class: "quiet-text" }, `${version}: ${why}`))),
    module.versions.filter((version) => version !== module.current && version !== module.previous)
      .map((version) => sureButton(word("swap", version), `swap-${module.name}-${version}`, () => change(module.name, "swap", { version }))),
    module.previous ? sureButton(`${word("rollback")} ${module.previous}`, `back-${module.name}`, () => change(module.name, "rollback", {})) : null)));
}

function weightsView({ weights, set_aside: aside = [] }) {
  if (!weights.length) return h("p", { class: "nothing" }, word("nothing"));
  const here = [...weights].sort((a, b) => (a.state === "missing") - (b.state === "missing"));
  const bad = aside.map((one) => h("p", { class: "warn" }, h("strong", {}, one.file), ` ${one.reason}`));
  return h("div", { class: "stack" }, bad, h("ul", { class: "rows" }, here.map((one) => h("li", {},
    h("span", { class: "grow" }, h("strong", {}, one.name)),
    h("span", { class: `status ${one.state}` }, STATES.has(one.state) ? word(`state_${one.state}`) : one.state)))));
}
