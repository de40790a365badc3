// The frame of the page: bar, sections, connection. Each section is a view: a function of <main> that returns its end.

import { isAway, wires } from "./api.js";
import { approvalsView, waiting } from "./approvals.js";
import { askView } from "./ask.js";
import { boxView } from "./box.js";
import { announce, h, icon, show } from "./dom.js";
import { liveView } from "./live.js";
import { openLooks, wearLooks } from "./looks.js";
import { reportsView } from "./reports.js";
import { findAgain } from "./turns.js";
import { language, useLanguage, word } from "./words.js";

const VIEWS = { ask: askView, approvals: approvalsView, live: liveView, reports: reportsView, box: boxView };
const ICONS = { ask: "ask", approvals: "approve", live: "live", reports: "report", box: "box" };
const COUNT_MS = 10_000;
const main = document.getElementById("main");
let leave = () => {};
let calls = 0;

const current = () => (location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "ask");

function drawFrame() {
  document.getElementById("skip").textContent = word("skip");
  show(document.getElementById("bar"),
    h("a", { class: "brand", href: "#ask" }, h("img", { src: "/page/icon.svg", alt: "", width: 28, height: 28 }), h("span", {}, "Watchkeeper")),
    h("button", { type: "button", class: "quiet", id: "tongue", lang: language() === "zh" ? "en" : "zh-CN", onclick: () => {
      useLanguage(language() === "zh" ? "en" : "zh", true);
      draw();
    } }, language() === "zh" ? "English" : "中文"),
    h("button", { type: "button", class: "round", id: "looks", "aria-label": word("looks"), onclick: () => openLooks(draw) }, icon("look")));
  drawTabs();
  drawLink();
}

function drawTabs() {
  const tabs = document.getElementById("tabs");
  tabs.setAttribute("aria-label", word("sections"));
  show(tabs, Object.keys(VIEWS).map((name) => h("a", { href: `#${name}`, "data-key": `tab-${name}`, "aria-current": name === current() ? "page" : null },
    icon(ICONS[name]), h("span", {}, word(name)),
    name === "approvals" && calls ? h("span", { class: "count" }, String(calls), h("span", { class: "unseen" }, ` ${word("waitingCalls")}`)) : null)));
}

function drawLink() {
  const strip = document.getElementById("link");
  strip.hidden = !isAway();
  strip.textContent = isAway() ? word("away") : "";
}

function drawView() {
  leave();
  const name = current();
  document.title = `${word(name)} · Watchkeeper`;
  main.dataset.view = name;
  leave = VIEWS[name](main);
}

function draw() {
  drawFrame();
  drawView();
}

async function countCalls() {
  if (document.hidden) return;
  try {
    const now = (await waiting()).length;
    if (now > calls) announce(`${now} ${word("waitingCalls")}`, true);
    if (now !== calls) {
      calls = now;
      drawTabs();
    }
  } catch {
    // Told by the strip, or this token may not see them.
  }
}

wearLooks();
draw();
findAgain().catch(() => {});
countCalls();
setInterval(countCalls, COUNT_MS);
window.addEventListener("hashchange", () => {
  if (!(location.hash.slice(1) in VIEWS) && location.hash) return;
  drawTabs();
  drawView();
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
});
wires.addEventListener("link", (event) => {
  drawLink();
  announce(word(event.detail.away ? "away" : "back"), event.detail.away);
  if (event.detail.away) return;
  findAgain().catch(() => {});
  if (current() !== "ask") drawView();
});
wires.addEventListener("token", (event) => {
  if (!document.querySelector("dialog.sheet")) openLooks(() => {
    draw();
    findAgain().catch(() => {});
  }, event.detail.reason);
});
if ("serviceWorker" in navigator && window.isSecureContext) {
  // The policy of the page lets no other text become the address of a script.
  const worker = window.trustedTypes?.createPolicy("worker", { createScriptURL: () => "/sw.js" }).createScriptURL("") ?? "/sw.js";
  navigator.serviceWorker.register(worker).catch(() => {});
}
