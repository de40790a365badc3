// An answer as a person reads it: part by part, quotes set off, facts as a list, every source to be tapped.

import { values } from "./approvals.js";
import { h } from "./dom.js";
import { openSource } from "./sources.js";
import { moment, said, word } from "./words.js";

const CITED = /\[([^[\]\n]{1,120})\]/g;
const STEP = /^\s*\d{1,2}[.、)]\s*/;

/** The parts that are known so far, or of the whole answer. */
export function partsView(turn) {
  const record = turn.answer;
  const parts = record?.parts ?? turn.parts ?? [];
  const known = new Set(record?.citations ?? parts.flatMap((part) => part.citations));
  const views = parts.map((part) => h("section", { class: "part" },
    parts.length > 1 ? h("h4", {}, part.question) : null, linesView(part.lines, known, turn)));
  if (!parts.length && turn.text) views.push(linesView(turn.text.split("\n"), known, turn));
  if (!record) return views;
  return [...views, doneView(record.done ?? []), notesView(record)];
}

function linesView(lines, known, turn) {
  const views = [];
  let facts = null;
  for (const line of lines) {
    if (line.startsWith("- ")) {
      if (!facts) views.push((facts = h("ul", { class: "facts" })));
      facts.append(h("li", {}, cited(line.slice(2), known, turn, "")));
      continue;
    }
    facts = null;
    const quoted = [...line.matchAll(CITED)].some(([, name]) => known.has(name) && /^M\d/.test(name));
    views.push(quoted ? quoteView(line, known, turn) : h("p", { class: "line" }, cited(line, known, turn, "")));
  }
  return views;
}

/** A quote keeps its lines; steps that are numbered stay what they are. */
function quoteView(text, known, turn) {
  const quote = text.replace(/\s*\[[^[\]\n]{1,120}\]\s*$/, "");
  const block = h("blockquote", {});
  for (const line of text.split("\n")) {
    const step = STEP.exec(line);
    block.append(step
      ? h("p", { class: "step" }, h("span", { class: "number" }, step[0].trim()), h("span", {}, cited(line.slice(step[0].length), known, turn, quote)))
      : h("p", {}, cited(line, known, turn, quote)));
  }
  return block;
}

function cited(text, known, turn, quote) {
  const pieces = [];
  let at = 0;
  for (const found of text.matchAll(CITED)) {
    if (!known.has(found[1])) continue;
    pieces.push(text.slice(at, found.index), sourceButton(found[1], quote || text.replace(CITED, "").trim(), turn));
    at = found.index + found[0].length;
  }
  return [...pieces, text.slice(at)];
}

function sourceButton(citation, quote, turn) {
  return h("button", {
    type: "button", class: `source ${citation[0]}`, "data-key": `source-${turn.id}-${citation}`,
    "aria-label": word("source", citation), onclick: () => openSource(citation, quote, turn),
  }, citation);
}

function doneView(done) {
  const shown = done.filter((one) => one.came !== "told");
  if (!shown.length) return null;
  return h("ul", { class: "done" }, shown.map((one) => {
    const decided = one.came === "waits" && one.later;
    const came = decided ? one.later.came : one.came;
    return h("li", { "data-came": came },
      h("span", { class: "came" }, word(`came_${came}`)), h("span", {}, decided ? values(one.call) : said(one.line)),
      one.later && !decided ? h("strong", {}, word("knownLater", word(`came_${one.later.came}`), moment(one.later.at))) : null,
      came === "waits" ? h("a", { class: "button", href: "#approvals" }, word("approvals")) : null);
  }));
}

/** What stands behind the parts in the answer's text: which rung spoke, what was cut short. */
function notesView(record) {
  const blocks = record.parts.map((part) => [...(record.parts.length > 1 ? [`▸ ${part.question}`] : []), ...part.lines].join("\n")).join("\n");
  const rest = record.answer.startsWith(blocks) ? record.answer.slice(blocks.length).trim() : "";
  const notes = [...rest.split("\n"), ...(record.problems ?? [])].filter(Boolean);
  return notes.length ? h("ul", { class: "notes", "aria-label": word("notes") }, notes.map((note) => h("li", {}, note))) : null;
}
