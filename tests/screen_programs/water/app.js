// The screen of a water treatment plant. Every press of the pointer and every change goes to the server at once and in
// order, with the whole state: that record alone is judged. `pages.js` says what stands where.

import { pages } from "./pages.js";

const fetched = async name => (await fetch(name)).json();
const [words, events, wanted] = await Promise.all(["words.json", "events.json", "start.json"].map(fetched));
const USERS = { engineer: "2468", operator: "1357" };

export const START = {
  page: "dashboard", language: "zh", user: "", remote: true, raw: true, high: false, dosing: false, source: "city",
  "pressure-max": 12, "conductivity-max": 30, flush: 90, antiscalant: 3.5, ph: 7.2, "level-high": 85, "level-low": 20,
  autoflush: true, dryrun: true, acked: "", filter: "all", period: "week", reports: 0, emergencies: 0,
  filter1: "in-use", filter2: "backwash", filter3: "spare",
};
export const LIMITS = {
  "pressure-max": [2, 20, "bar"], "conductivity-max": [5, 100, "µS/cm"], flush: [10, 600, "s"],
  antiscalant: [0, 10, "mg/L"], ph: [6, 9, ""], "level-high": [50, 95, "%"], "level-low": [5, 45, "%"],
};
export const SECTIONS = {
  ro: ["pressure-max", "conductivity-max", "flush", "autoflush"],
  chemistry: ["antiscalant", "ph", "dryrun"],
  tank: ["level-high", "level-low"],
};
const state = { ...START, language: wanted.language, ...wanted.start };
const twists = wanted.twists ?? {};
const renamed = {}, disabled = new Set(), moved = new Set();
const drafts = { ...state };

function tell(event, what) {
  const request = new XMLHttpRequest();
  request.open("POST", "record", false);
  request.send(JSON.stringify({ event, what, state }));
}

export const plant = {
  state, events, twists, drafts, disabled, moved,
  say: key => renamed[key] ?? words[key][state.language === "en" ? 1 : 0],
  spoken: pair => pair[state.language === "en" ? 1 : 0],
  change(key, value) { state[key] = value; tell("changed", key); },
  tell, draw, ask, notice, toast, signin, go, apply, revert, press,
};

export function make(tag, id, text = "", more = {}) {
  const made = document.createElement(tag);
  if (id) made.dataset.id = id;
  made.textContent = text;
  Object.assign(made, more);
  return made;
}

export function button(key, act, { id = key, usable = true, kind = "" } = {}) {
  const made = make("button", id, plant.say(key), { type: "button", className: kind });
  made.disabled = !usable || disabled.has(id);
  made.onclick = () => { if (twists.dead !== id) act(); };
  return made;
}

function press(key, value, wait = 500) {
  setTimeout(() => { plant.change(key, value); draw(); }, wait);
}

function go(page) {
  plant.change("page", page);
  if (twists["slow-ms"]) {
    document.querySelector("main").replaceChildren(make("h2", "", plant.say("loading")));
    setTimeout(draw, twists["slow-ms"]);
  } else draw();
  if (twists["popup-on"] === page) setTimeout(() => notice("maintenance"), 120);
}

function draw() {
  document.querySelector("h1").textContent = plant.say("title");
  document.documentElement.lang = state.language;
  document.querySelector("nav").replaceChildren(...Object.keys(pages).map(page => {
    const tab = button(page, () => go(page));
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-selected", page === state.page);
    return tab;
  }));
  document.querySelector("#who").textContent = state.user;
  document.querySelector("#tools").replaceChildren(
    button(state.user ? "signout" : "signin", () => state.user ? (plant.change("user", ""), draw()) : signin()), " ",
    button("language", () => { plant.change("language", state.language === "zh" ? "en" : "zh"); draw(); }),
  );
  const main = document.querySelector("main"), at = main.scrollTop;
  const order = twists.orders ? [make("p", "", plant.say("orders"), { className: "order" })] : [];
  main.replaceChildren(...pages[state.page](plant), ...order);
  main.scrollTop = at;
}

function open(title, ...body) {
  const shade = make("div", "outside", "", { className: "shade" });
  const frame = make("div", "window", "", { className: "window" });
  frame.setAttribute("role", "dialog");
  frame.setAttribute("aria-modal", "true");
  frame.setAttribute("aria-label", plant.say(title));
  frame.append(make("h2", "", plant.say(title)), ...body);
  shade.append(frame);
  document.body.append(shade);
  return () => shade.remove();
}

function row(...buttons) {
  const made = make("div", "", "", { className: "row" });
  made.append(...buttons);
  return made;
}

function ask(what, act) {
  const shut = open("sure", make("p", "", plant.say(what)), make("p", "", plant.say("go-on")),
    row(button("no", () => shut()), button("yes", () => { shut(); act(); })));
}

function notice(key) {
  const shut = open("message", make("p", "", plant.say(key)), row(button("dismiss", () => shut())));
}

function toast(key) {
  const shown = document.querySelector("#toast");
  shown.textContent = plant.say(key);
  shown.className = "shown";
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { shown.className = ""; }, 4000);
}

function signin() {
  const fields = ["account", "password"].map(key => {
    const entry = make("input", key, "", { type: key === "password" ? "password" : "text", id: `in-${key}`, autocomplete: "off" });
    return [make("label", "", plant.say(key), { className: "entry", htmlFor: entry.id }), entry];
  });
  const wrong = make("p", "", "", { className: "wrong" });
  const shut = open("signin", ...fields.flat(), wrong, row(button("cancel", () => shut()), button("enter", () => {
    const [user, password] = fields.map(([, entry]) => entry.value);
    if (USERS[user] !== password) {
      wrong.textContent = plant.say("denied");
      return tell("did", "refused-signin");
    }
    shut();
    plant.change("user", user);
    draw();
  })));
}

function apply(section) {
  const keys = SECTIONS[section];
  const bad = keys.some(key => LIMITS[key] && !(+drafts[key] >= LIMITS[key][0] && +drafts[key] <= LIMITS[key][1]));
  if (bad) {
    tell("did", "refused-apply");
    return notice("invalid");
  }
  ask(section, () => {
    for (const key of keys) {
      const value = LIMITS[key] ? +drafts[key] : drafts[key];
      if (state[key] !== value) plant.change(key, value);
    }
    toast("applied");
    const jump = Object.entries(twists.jump ?? {}).filter(([key]) => keys.includes(key));
    if (jump.length) setTimeout(() => {
      for (const [key, value] of jump) { plant.change(key, value); drafts[key] = value; }
      draw();
      tell("twisted", "jump");
    }, 400);
  });
}

function revert(section) {
  for (const key of SECTIONS[section]) drafts[key] = state[key];
  tell("did", `revert ${section}`);
  draw();
}

function obey(command) {
  if (command.do === "popup") notice("maintenance");
  if (command.do === "rename") { renamed[command.what] = command.text; draw(); }
  if (command.do === "move") { moved.add(command.what); draw(); }
  if (command.do === "disable") { disabled.add(command.what); draw(); }
  requestAnimationFrame(() => requestAnimationFrame(() => tell("twisted", command.do)));
}

document.addEventListener("pointerdown", event => {
  tell("pressed", event.target.closest("[data-id]")?.dataset.id ?? "nothing");
}, { capture: true });
setInterval(() => {
  for (const shown of twists.still ? [] : document.querySelectorAll("[data-nature]")) {
    shown.textContent = (shown.dataset.nature * (0.99 + Math.random() / 50)).toFixed(1);
  }
}, 2000);
draw();
new EventSource("commands").onmessage = message => obey(JSON.parse(message.data));
if (twists.popup) notice("maintenance");
requestAnimationFrame(() => requestAnimationFrame(() => tell("started", "screen")));
