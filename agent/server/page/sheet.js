// A sheet over the page: for a source, an event, a photo. Focus goes in, Escape closes, focus goes back.

import { h, icon, show } from "./dom.js";
import { problemView } from "./problem.js";
import { word } from "./words.js";

/**
 * Open a sheet and fill it.
 * @param {string} title
 * @param {() => Promise<Node|Node[]>} content made while the sheet says that it loads.
 * @param {{wide?: boolean, onclose?: () => void}} options
 */
export async function openSheet(title, content, { wide = false, onclose } = {}) {
  const body = h("div", { class: "sheet-body" }, h("p", { class: "quiet-text" }, word("loading")));
  const heading = h("h2", { id: "sheet-title", tabindex: -1 }, title);
  const sheet = h("dialog", {
    class: wide ? "sheet wide" : "sheet", "aria-labelledby": "sheet-title",
    onclose: () => {
      sheet.remove();
      onclose?.();
    },
    onclick: (event) => {
      if (event.target === sheet) sheet.close();
    },
  }, h("div", { class: "sheet-head" }, heading,
    h("button", { type: "button", class: "round", "aria-label": word("close"), onclick: () => sheet.close() }, icon("close"))), body);
  for (const open of document.querySelectorAll("dialog.sheet")) open.close();
  document.body.append(sheet);
  sheet.showModal();
  heading.focus();
  try {
    show(body, await content());
  } catch (error) {
    show(body, problemView(error));
  }
}
