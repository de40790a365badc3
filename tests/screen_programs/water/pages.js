// What stands on each page. A page gets the plant and gives its elements; it is drawn anew on every change.

import { LIMITS, SECTIONS, button, make } from "./app.js";

const NATURE = { flow: [18.4, "m³/h"], pressure: [9.6, "bar"], conductivity: [12.3, "µS/cm"], recovery: [74.2, "%"], water: [16.8, "°C"] };

function box(kind, id, ...children) {
  const made = make("div", id, "", { className: kind });
  made.append(...children);
  return made;
}

function dashboard(plant) {
  const readings = Object.entries(NATURE).map(([key, [at, unit]]) => {
    const value = make("b", "", at.toFixed(1));
    value.dataset.nature = at;
    return box("card reading", "", make("span", "", plant.say(key)), value, make("i", "", unit));
  });
  const pumps = ["raw", "high", "dosing"].map(pump => {
    const runs = plant.state[pump];
    const act = wanted => () => plant.ask(pump, () => plant.press(pump, wanted));
    return box("card pump", "", make("h2", "", plant.say(pump)), make("p", "", plant.say(runs ? "runs" : "rests")),
      button("on", act(true), { id: `${pump}-on`, usable: plant.state.remote && !runs }), " ",
      button("off", act(false), { id: `${pump}-off`, usable: plant.state.remote && runs }));
  });
  const remote = toggle(plant, "remote", () => plant.ask("remote", () => plant.press("remote", !plant.state.remote)), true);
  const chosen = button(plant.state.source, () => choices(plant, chosen), { id: "source" });
  chosen.textContent += " ▾";
  chosen.setAttribute("aria-haspopup", "listbox");
  chosen.setAttribute("aria-label", plant.say("source"));
  return [
    box("cards", "", ...readings), box("cards", "", ...pumps),
    box("row", "", make("span", "", plant.say("remote")), remote, make("span", "", plant.say("source")), chosen,
      button("emergency", () => plant.change("emergencies", plant.state.emergencies + 1), { kind: "danger" })),
  ];
}

function choices(plant, anchor) {
  const list = make("div", "choices", "", { className: "choices" });
  list.setAttribute("role", "listbox");
  list.style.left = `${anchor.offsetLeft}px`;
  list.style.top = `${anchor.offsetTop + anchor.offsetHeight + 2}px`;
  for (const key of ["city", "well", "reclaimed"]) {
    const item = make("div", key, plant.say(key));
    item.setAttribute("role", "option");
    item.onclick = () => { plant.change("source", key); plant.draw(); };
    list.append(item);
  }
  document.querySelector("main").append(list);
}

function toggle(plant, key, act, on) {
  const made = make("button", key, "", { type: "button" });
  made.setAttribute("role", "switch");
  made.setAttribute("aria-label", plant.say(key));
  made.setAttribute("aria-checked", on === true ? plant.state[key] : on);
  made.onclick = act;
  return made;
}

function settings(plant) {
  const usable = Boolean(plant.state.user);
  let sections = Object.keys(SECTIONS);
  if (plant.moved.has("apply")) sections = [...sections].reverse();
  return sections.map(section => {
    const frame = make("fieldset", "");
    frame.append(make("legend", "", plant.say(section)));
    for (const key of SECTIONS[section]) frame.append(...(LIMITS[key] ? entry(plant, key, usable) : [ticked(plant, key, usable)]));
    const buttons = [
      button("apply", () => plant.apply(section), { id: `apply-${section}`, usable: usable && !plant.disabled.has("apply") }),
      button("revert", () => plant.revert(section), { id: `revert-${section}`, usable }),
    ];
    if (plant.twists.twin === section) buttons.push(button("apply", () => plant.tell("did", "twin"), { id: "twin" }));
    if (plant.twists.hidden === section) {
      buttons.push(button("factory", () => plant.tell("did", "factory"), { id: "factory", kind: "unseen" }));
    }
    frame.append(box("row", "", ...buttons));
    if (plant.twists.cover === section) requestAnimationFrame(() => cover(buttons[0]));
    return frame;
  });
}

function cover(under) {
  const above = make("div", "cover", "", { className: "cover" });
  const main = document.querySelector("main"), place = under.getBoundingClientRect(), whole = main.getBoundingClientRect();
  above.style.cssText = `left:${place.left - whole.left}px;top:${place.top - whole.top + main.scrollTop}px;`
    + `width:${place.width}px;height:${place.height}px`;
  main.append(above);
}

function entry(plant, key, usable) {
  const field = make("input", key, "", { id: `in-${key}`, type: "text", autocomplete: "off", disabled: !usable });
  field.value = plant.drafts[key];
  field.oninput = () => { plant.drafts[key] = field.value; };
  return [make("label", "", plant.say(key), { className: "entry", htmlFor: field.id }), field, make("span", "", LIMITS[key][2], { className: "unit" })];
}

function ticked(plant, key, usable) {
  const made = toggle(plant, key, () => { plant.drafts[key] = !plant.drafts[key]; plant.draw(); }, plant.drafts[key]);
  made.disabled = !usable;
  return box("row", "", made, make("span", "", plant.say(key)));
}

function events(plant) {
  const acked = plant.state.acked.split(" ");
  const open = plant.events.filter(([, code]) => plant.state.filter === "all" || !acked.includes(code));
  const list = box("list", "event-list", ...open.map(([at, code, ...text]) => {
    const done = acked.includes(code);
    const act = () => { plant.change("acked", [...acked.filter(Boolean), code].sort().join(" ")); plant.draw(); };
    return box("event", `event ${code}`, make("span", "", at), make("span", "", code), make("span", "", plant.spoken(text)),
      make("span", "", plant.say(done ? "done" : "open")), button("ack", act, { id: `ack ${code}`, usable: !done }));
  }));
  const kept = document.querySelector(".list")?.scrollTop ?? 0;
  requestAnimationFrame(() => { list.scrollTop = kept; });
  const filter = key => button(key, () => { plant.change("filter", key); plant.draw(); });
  const every = plant.events.map(([, code]) => code).join(" ");
  return [box("row", "", filter("all"), filter("open-only"),
    button("ack-all", () => plant.ask("ack-all", () => plant.press("acked", every)))), list];
}

function history(plant) {
  const buttons = ["today", "week", "month"].map(key => button(key, () => plant.press("period", key)));
  const table = document.createElement("table");
  const count = { today: 3, week: 5, month: 7 }[plant.state.period];
  table.append(...Array.from({ length: count }, (_, at) => {
    const line = document.createElement("tr");
    line.append(make("td", "", `11-${String(20 - at).padStart(2, "0")}`), make("td", "", `${(431 - 7 * at).toFixed(0)} m³`));
    return line;
  }));
  const report = button("report", () => {
    plant.toast("making");
    setTimeout(() => { plant.toast("made"); plant.change("reports", plant.state.reports + 1); }, 1500);
  });
  return [box("row", "", ...buttons, report), make("p", "", `${plant.say("period")}: ${plant.say(plant.state.period)}`), table];
}

function filters(plant) {
  return [box("cards", "", ...["in-use", "backwash", "spare"].map(place => box("zone", place, make("h2", "", plant.say(place)),
    ...["filter1", "filter2", "filter3"].filter(key => plant.state[key] === place).map(key => tile(plant, key)))))];
}

function tile(plant, key) {
  const made = make("div", key, plant.say(key), { className: "tile" });
  made.setAttribute("role", "button");
  made.setAttribute("aria-roledescription", "draggable");
  made.onpointerdown = event => made.setPointerCapture(event.pointerId);
  made.onpointerup = event => {
    const under = document.elementsFromPoint(event.clientX, event.clientY).find(one => one.classList.contains("zone"));
    const place = under?.dataset.id;
    if (!place || place === plant.state[key]) return;
    const other = ["filter1", "filter2", "filter3"].find(one => plant.state[one] === place);
    if (other) plant.change(other, plant.state[key]);
    plant.change(key, place);
    plant.draw();
  };
  return made;
}

export const pages = { dashboard, settings, events, history, filters };
