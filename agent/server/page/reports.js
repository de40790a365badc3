// Reports as they were written, with their plots, and the schedules that write them.

import { fileUrl, get, post, remove } from "./api.js";
import { announce, h, show } from "./dom.js";
import { recall } from "./keep.js";
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
    h("span", { class: "grow" }, h("strong", {}, report.machine ?? report.title ?? report.id), " ", h("span", { class: "quiet-text" }, moment(report.at ?? report.written))),
    (report.formats ?? ["html", "pdf"]).includes("html") ? h("button", { type: "button", "data-key": `open-${report.id}`, onclick: () => openReport(report) }, word("open")) : null,
    (report.formats ?? ["html", "pdf"]).includes("pdf") ? h("button", { type: "button", "data-key": `pdf-${report.id}`, onclick: () => saveFile(`/api/reports/${encodeURIComponent(report.id)}.pdf`, `${report.id}.pdf`) }, word("pdf")) : null)));
}

/** A report is a page of its own, without scripts. A frame sends no token, so with one it is saved as a file. */
function openReport(report) {
  const path = `/api/reports/${encodeURIComponent(report.id)}.html`;
  if (recall("token")) return saveFile(path, `${report.id}.html`);
  return openSheet(report.machine ?? report.title ?? report.id, async () =>
    h("iframe", { class: "report", src: path, sandbox: "allow-popups", title: report.machine ?? report.id }), { wide: true });
}

async function saveFile(path, name) {
  const url = await fileUrl(path);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function scheduleList(schedules, trouble, draw) {
  if (!schedules.length) return h("p", { class: "nothing" }, word("noSchedules"));
  return h("ul", { class: "rows" }, schedules.map((plan) => h("li", {},
    h("span", { class: "grow" }, h("strong", {}, plan.id), ` ${plan.said ?? plan.when ?? plan.cron} `, h("span", { class: "quiet-text" }, plan.next ? word("nextRun", moment(plan.next)) : "")),
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
