// What went wrong, as a person reads it.

import { h } from "./dom.js";
import { said } from "./words.js";

/** An error of ours, of the server or of the browser. */
export function problemView(error) {
  const told = error.said ?? error.message ?? String(error);
  return h("div", { class: "problem", role: "alert" }, h("p", {}, said(told)), error.hint ? h("p", { class: "hint" }, said(error.hint)) : null);
}
