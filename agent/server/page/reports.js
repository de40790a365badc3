// Reports as they were written, with their plots, and the schedules that write them.

import { get, post, remove } from "./api.js";
import { announce, h, show } from "./dom.js";
import { problemView } from "./problem.js";
import { openSheet } from "./sheet.js";
import { moment, word } from "./words.js";

export function reportsView(main) {
  const reports = h("div", {});
  const schedules = h("div", {});
  const trouble = h("div", {});
  const draw = async () => {
    await Promise.all([
      fill(reports, "/api/reports", (found) => reportList(found.reports ?? found)),
      fill(schedules, "/api/schedules", (found) => scheduleList(found.schedules ?? found, trouble, draw)),
    ]);
  };
  show(main, h("h1", {}, word("reports")), h("p", { class: "lead" }, word("reportsMore")), reports,
    h("section", { "aria-labelledby": "plans" }, h("h2", { id: "plans" }, word("schedules")), schedules, trouble, addForm(trouble, draw)));
  draw();
  return () => {};
}

async function fill(place, path, view) {
  try {
    show(place, view(await get(path)));
  } catch (error) {
    show(place, problemView(error));
  }
}

function reportList(reports) {
  if (!reports.length) return h("p", { class: "nothing" }, word("noReports"));
  return h("ul", { class: "rows" }, reports.map((report) => h("li", {},
    h("span", { class: "grow" }, h("strong", {}, report.machine), report.start ? ` ${day(report.start)} – ${day(report.end)} ` : " ", h("span", { class: "quiet-text" }, moment(report.at))),
    report.formats.includes("html") ? h("button", { type: "button", "data-key": `open-${report.id}`, onclick: () => openReport(report) }, word("open")) : null,
    report.formats.includes("pdf") ? h("a", { class: "button", href: `/api/reports/${encodeURIComponent(report.id)}.pdf`, download: "" }, word("pdf")) : null)));
}

/** A report is a page of its own, without scripts. */
function openReport(report) {
  const path = `/api/reports/${encodeURIComponent(report.id)}.html`;
  return openSheet(report.machine, async () =>
    h("iframe", { class: "report", src: path, sandbox: "allow-popups", title: report.machine }), { wide: true });
}

const day = (digits) => digits.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3");

function scheduleList(schedules, trouble, draw) {
  if (!schedules.length) return h("p", { class: "nothing" }, word("noSchedules"));
  return h("ul", { class: "rows" }, schedules.map((plan) => h("li", {},
    h("span", { class: "grow" }, h("strong", {}, plan.id), ` ${plan.said} `, h("span", { class: "quiet-text" }, plan.next ? word("nextRun", moment(plan.next)) : "")),
    sureButton(word("removeIt"), `remove-${plan.id}`, () => tried(trouble, draw, () => remove(`/api/schedules/${encodeURIComponent(plan.id)}`))))));
}

/** A button that has to be pressed twice. */
export function sureButton(label, key, act) {
  let asked = false;
  const button = h("button", { type: "button", "data-key": key, onclick: () => {
    if (asked) return act();
    asked = true;
    button.textContent = word("sure");
    announce(word("sure"));
    setTimeout(() => {
      asked = false;
      button.textContent = label;
    }, 5000);
  } }, label);
  return button;
}

async function tried(trouble, draw, act) {
  try {
    await act();
    show(trouble);
  } catch (error) {
    show(trouble, problemView(error));
  }
  await draw();
}

function addForm(trouble, draw) {
  const field = (id, hint) => h("label", { class: "field" }, h("span", {}, word(id)), h("input", { name: id, required: true, placeholder: hint, autocomplete: "off" }));
  const form = h("form", { class: "inline", onsubmit: (event) => {
    event.preventDefault();
    const given = new FormData(form);
    const body = { name: given.get("name"), when: given.get("when"), machines: given.get("machine").split(/[,,\s]+/).filter(Boolean) };
    tried(trouble, draw, async () => {
      await post("/api/schedules", body);
      form.reset();
    });
  } }, field("name", "monday"), field("machine", word("machineHint")), field("when", word("whenHint")), h("button", { type: "submit" }, word("add")));
  return form;
}
