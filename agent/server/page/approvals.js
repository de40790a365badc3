// What waits for a person: the exact device, value and reason, and an answer that is meant.

import { get, post } from "./api.js";
import { announce, h, show } from "./dom.js";
import { holdButton } from "./hold.js";
import { problemView } from "./problem.js";
import { lookAgain, turnOf } from "./turns.js";
import { moment, said, span, word } from "./words.js";

const EVERY_MS = 4000;
const LOOK = { confirmed: "yes", unsure: "unsure", failed: "no", refused: "no" };
const LARGE = new Set(["device", "point", "value", "unit"]);

/** Calls that wait for a person. */
export const waiting = async () => (await lists()).calls;

async function lists() {
  const { approvals, unsure } = await get("/api/approvals");
  return { calls: approvals.filter((call) => call.state === "waiting"), unsure: unsure ?? [] };
}

export function approvalsView(main) {
  const list = h("div", { class: "calls" });
  const answered = h("div", { class: "calls answered", "aria-live": "polite" });
  let drawn = "";
  const draw = async (force = false) => {
    try {
      const { calls, unsure } = await lists();
      const now = JSON.stringify([calls, unsure]);
      if (now === drawn && !force) return tick(list);
      drawn = now;
      show(list, unsure.map(unsureView), calls.length ? calls.map((call) => callView(call, answered, () => draw(true))) : h("p", { class: "nothing" }, word("noCalls")));
      tick(list);
    } catch (error) {
      if (!list.childElementCount || error.status) show(list, problemView(error));
    }
  };
  show(main, h("h1", {}, word("waitingCalls")), h("p", { class: "lead" }, word("callsMore")), list, answered);
  draw();
  const timer = setInterval(draw, EVERY_MS);
  return () => clearInterval(timer);
}

function tick(list) {
  for (const place of list.querySelectorAll("[data-until]")) {
    const left = (new Date(place.dataset.until) - Date.now()) / 1000;
    place.textContent = left > 0 ? word("left", span(left)) : word("expired");
  }
}

function callView(call, answered, after) {
  const reason = said(call.reason) || call.question || turnOf(call.turn)?.question || "";
  const answer = async (approve) => {
    try {
      const told = await post(`/api/approvals/${encodeURIComponent(call.id)}`, { approve, ...(call.digest ? { digest: call.digest } : {}) });
      const came = approve ? (told.done?.came ?? "told") : "refused";
      const line = said(told.line ?? "");
      lookAgain(call.turn);
      const text = [word(approve ? "approved" : "denied"), line].filter(Boolean).join(": ");
      answered.prepend(h("p", { class: `outcome ${LOOK[came] ?? ""}` }, h("strong", {}, text), " ", h("code", {}, call.tool), ` ${values(call)}`));
      announce(text, true);
    } catch (error) {
      answered.prepend(problemView(error));
    }
    await after();
  };
  return h("article", { class: "call", "data-call": call.id, "aria-labelledby": `call-${call.id}` },
    h("h2", { id: `call-${call.id}` }, call.tool),
    h("dl", { class: "exact" },
      facts(call).map(([name, value]) => h("div", { class: LARGE.has(name) ? "large" : null }, h("dt", {}, word(name)), h("dd", {}, value))),
      reason ? h("div", { class: "reason" }, h("dt", {}, word("reason")), h("dd", {}, reason)) : null,
      h("div", {}, h("dt", {}, word("until")), h("dd", {}, `${moment(call.until)} `, h("span", { class: "left", "data-until": call.until })))),
    h("p", { class: "decide" },
      h("button", { type: "button", class: "deny", "data-key": `deny-${call.id}`, onclick: () => answer(false) }, word("deny")),
      holdButton(word("hold"), `hold-${call.id}`, () => answer(true))));
}

function unsureView(command) {
  return h("div", { class: "warn", role: "alert" }, h("strong", {}, word("unsureCalls")), " ", h("code", {}, command.tool), ` ${values(command)}`);
}

/** What would change the look of a line shows as its number: the person has to see exactly what is ordered. */
function facts(call) {
  const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value))
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (mark) => `\\u${mark.codePointAt(0).toString(16).padStart(4, "0")}`);
  const { unit, ...rest } = call.arguments ?? {};
  const joined = typeof unit === "string" && "value" in rest;
  const given = Object.entries(joined ? rest : call.arguments ?? {});
  return given.map(([name, value]) => [name, joined && name === "value" ? `${plain(value)} ${plain(unit)}` : plain(value)]);
}

/** The same in one line. */
export const values = (call) => facts(call).map(([, value]) => value.trim()).filter(Boolean).join(" · ");
