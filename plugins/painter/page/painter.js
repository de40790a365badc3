// The painter's page: three kinds of cards, and a picture. It works by touch, by keyboard and with a screen reader.

import { WORDS } from "/painter/words.js";

const KINDS = ["animals", "features", "places"];
const MOST = 2;
const SIGNS = { animals: "cat", features: "hat", places: "beach" }; // for who cannot read yet
const at = (id) => document.getElementById(id);
const state = { language: "zh", kind: "animals", cards: null, animal: "", features: [], place: "", shown: null };

const say = () => WORDS[state.language];
const all = (kind) => (kind === "features" ? [...state.cards.features, ...state.cards.colors] : state.cards[kind]);
const find = (kind, name) => all(kind).find((card) => card.name === name.split(":")[0]);
const nameOf = (kind, name) => {
  const [thing, tint] = name.split(":");
  const color = tint ? `${find("features", tint)[state.language]}${state.language === "en" ? " " : ""}` : "";
  return `${color}${find(kind, thing)[state.language]}`;
};
const source = (card) => `data:image/svg+xml,${encodeURIComponent(card.svg)}`;

function make(tag, options = {}, ...inner) {
  const one = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name in one) one[name] = value;
    else one.setAttribute(name, value);
  }
  one.append(...inner);
  return one;
}

function remember(name, value) {
  try {
    if (value === undefined) return localStorage.getItem(`watchkeeper.${name}`);
    localStorage.setItem(`watchkeeper.${name}`, value);
  } catch { /* this browser keeps nothing */ }
  return null;
}

function picked(kind) {
  if (kind === "animals") return state.animal ? [state.animal] : [];
  return kind === "places" ? (state.place ? [state.place] : []) : state.features;
}

const isFull = (kind) => picked(kind).length > 0;

function pick(kind, name) {
  const had = picked(kind).some((one) => one.split(":")[0] === name);
  if (kind === "animals") state.animal = had ? "" : name;
  if (kind === "places") state.place = had ? "" : name;
  if (kind === "features") state.features = had ? state.features.filter((one) => one.split(":")[0] !== name) : withFeature(name);
  show();
  if (!had) hint(KINDS.every(isFull) ? say().ready : say().next[KINDS.find((one) => !isFull(one))]);
}

// What takes the same place goes; of three the oldest goes, so that every tap does something.
function withFeature(name) {
  const slot = find("features", name).slot;
  const left = state.features.filter((one) => slot === "hand" || find("features", one).slot !== slot);
  return [...left, name].slice(-MOST);
}

function card(kind, one) {
  const chosen = picked(kind).some((name) => name.split(":")[0] === one.name);
  return make("button", { type: "button", "aria-pressed": String(chosen), "data-card": one.name, onclick: () => {
    pick(kind, one.name);
    at("cards").querySelector(`[data-card="${one.name}"]`)?.focus({ preventScroll: true });
  } }, make("img", { src: source(one), alt: "" }), make("span", {}, one[state.language]));
}

function showCards() {
  const inner = state.kind === "features"
    ? [make("h2", {}, say().head), ...state.cards.features.map((one) => card("features", one)),
       make("h2", {}, say().colors), ...state.cards.colors.map((one) => card("features", one))]
    : state.cards[state.kind].map((one) => card(state.kind, one));
  at("cards").replaceChildren(...inner);
  at("cards").setAttribute("aria-labelledby", `step-${state.kind}`);
}

function showSteps() {
  const marks = KINDS.map((kind, n) => make("button", {
    type: "button", id: `step-${kind}`, role: "tab", "aria-selected": String(kind === state.kind), "aria-controls": "cards",
    tabIndex: kind === state.kind ? 0 : -1, onclick: () => go(kind), onkeydown: (event) => turn(event, n),
    className: kind === KINDS.find((one) => !isFull(one)) ? "next" : "",
  }, make("img", { src: source(find(kind, picked(kind).at(-1) ?? SIGNS[kind])), alt: "" }),
  make("span", {}, isFull(kind) ? `✓ ${say()[kind]}` : say()[kind])));
  at("steps").replaceChildren(...marks);
}

function turn(event, n) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  go(KINDS[(n + step + KINDS.length) % KINDS.length]);
  at(`step-${state.kind}`).focus();
}

function go(kind) {
  state.kind = kind;
  show();
}

function showChosen() {
  const chips = KINDS.flatMap((kind) => picked(kind).map((name) => {
    const label = nameOf(kind, name);
    return make("button", { type: "button", "aria-label": say().remove(label), onclick: () => pick(kind, name.split(":")[0]) },
      make("img", { src: source(find(kind, name)), alt: "" }), make("span", {}, `${label} ✕`));
  }));
  at("chosen").replaceChildren(...chips);
  at("paint").disabled = !KINDS.every(isFull);
}

function show() {
  document.documentElement.lang = state.language;
  document.title = say().title;
  for (const one of document.querySelectorAll("[data-say]")) if (one.id !== "hint") one.textContent = say()[one.dataset.say];
  for (const one of document.querySelectorAll("[data-label]")) one.setAttribute("aria-label", say()[one.dataset.label]);
  at("language").textContent = say().other;
  at("language").lang = state.language === "zh" ? "en" : "zh";
  at("wish").placeholder = say().example;
  if (!state.cards) return;
  showSteps();
  showCards();
  showChosen();
  if (state.shown) at("picture").alt = state.shown.said[state.language];
}

function hint(text) {
  at("hint").textContent = text;
}

async function ask(path, options) {
  const answer = await fetch(path, options);
  if (answer.status === 401) throw new Error(say().grown);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error?.message?.[state.language] ?? say().away);
  return told;
}

async function paint(wish) {
  at("frame").classList.add("busy");
  hint(say().painting);
  try {
    const told = wish === undefined ? chosenWish() : await ask("/api/painter/wishes", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text: wish, language: state.language }),
    });
    await showPicture(told);
  } catch (error) {
    hint(error instanceof TypeError ? say().away : error.message);
  } finally {
    at("frame").classList.remove("busy");
  }
}

function chosenWish() {
  const query = new URLSearchParams([["animal", state.animal], ...state.features.map((one) => ["feature", one]), ["place", state.place]]);
  return { animal: state.animal, features: state.features, place: state.place, picture: `/api/painter/picture?${query}` };
}

async function showPicture(told) {
  const answer = await fetch(told.picture);
  if (answer.status === 401) throw new Error(say().grown);
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error?.message?.[state.language] ?? say().away);
  const url = URL.createObjectURL(await answer.blob());
  if (at("save").href.startsWith("blob:")) URL.revokeObjectURL(at("save").href);
  const said = JSON.parse(answer.headers.get("X-Painter-Said"));
  Object.assign(state, { animal: told.animal, features: told.features, place: told.place, shown: { said } });
  at("picture").src = url;
  at("save").href = url;
  at("save").hidden = false;
  show();
  hint(said[state.language]);
  at("easel").scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function surprise() {
  const one = (list) => list[Math.floor(Math.random() * list.length)].name;
  state.animal = one(state.cards.animals);
  state.place = one(state.cards.places);
  state.features = [one(state.cards.features)];
  if (Math.random() < 0.6) state.features = withFeature(one([...state.cards.features, ...state.cards.colors]));
  state.features = [...new Set(state.features)];
  paint();
}

async function begin() {
  state.language = remember("language")?.replaceAll('"', "") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
  if (!(state.language in WORDS)) state.language = "en";
  at("language").onclick = () => {
    state.language = state.language === "zh" ? "en" : "zh";
    remember("language", JSON.stringify(state.language));
    show();
    hint(state.shown ? state.shown.said[state.language] : say().start);
  };
  at("paint").onclick = () => paint();
  at("surprise").onclick = surprise;
  at("surprise").disabled = true;
  at("typed").onsubmit = (event) => {
    event.preventDefault();
    paint(at("wish").value);
  };
  show();
  hint(say().start);
  try {
    state.cards = await ask("/api/painter/cards");
    at("surprise").disabled = false;
    show();
  } catch (error) {
    hint(error instanceof TypeError ? say().away : error.message);
  }
}

begin();
