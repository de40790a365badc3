// How the page looks on this device, its language, and the token.

import { get, post, request } from "./api.js";
import { announce, h, show } from "./dom.js";
import { keep, recall } from "./keep.js";
import { problemView } from "./problem.js";
import { openSheet } from "./sheet.js";
import { language, said, useLanguage, word } from "./words.js";

/** When the dark colours hold, as a media query. */
const DARK = { auto: "(prefers-color-scheme: dark)", dark: "all" };

/** Put on what was chosen earlier. */
export function wearLooks() {
  const root = document.documentElement;
  root.dataset.look = recall("look", "auto");
  document.getElementById("dark").media = DARK[root.dataset.look] ?? "not all";
  root.dataset.size = recall("size", "normal");
}

/** The sheet. `redraw` is called when the language changes; `reason` says why a token is asked for. */
export function openLooks(redraw, reason = null) {
  const choices = (name, now, options, take) => h("fieldset", { class: "choices" }, h("legend", {}, word(name)),
    options.map(([value, label, tongue]) => h("label", { class: "choice", lang: tongue },
      h("input", { type: "radio", name, value, checked: value === now, onchange: () => take(value) }), h("span", {}, label))));
  const look = (name) => (value) => {
    keep(name, value);
    wearLooks();
  };
  return openSheet(word("looks"), async () => [
    choices("language", language(), [["zh", "中文", "zh-CN"], ["en", "English", "en"]], (value) => {
      useLanguage(value, true);
      redraw();
      openLooks(redraw);
    }),
    choices("look", recall("look", "auto"), [["auto", word("lookAuto")], ["light", word("lookLight")], ["dark", word("lookDark")], ["contrast", word("lookContrast")]], look("look")),
    choices("size", recall("size", "normal"), [["normal", word("sizeNormal")], ["glove", word("sizeGlove")]], look("size")),
    tokenForm(redraw, reason),
  ]);
}

function tokenForm(redraw, reason) {
  const field = h("input", { type: "password", id: "token", autocomplete: "off", spellcheck: "false" });
  const who = h("p", { class: "quiet-text" });
  const trouble = h("div", {});
  const take = async (act) => {
    try {
      await act();
      announce(word("saved"));
      for (const open of document.querySelectorAll("dialog.sheet")) open.close();
      redraw();
    } catch (error) {
      show(trouble, problemView(error));
    }
  };
  const leaveButton = h("button", { type: "button", hidden: true, onclick: () => take(() => request("/api/session", { method: "DELETE" })) }, word("forget"));
  get("/api/session").then((found) => {
    who.textContent = found.role ? word("asWhom", found.name, word(`role_${found.role}`)) : "";
    leaveButton.hidden = !found.role;
  }, () => {});
  return h("form", { class: "token", onsubmit: (event) => {
    event.preventDefault();
    const token = field.value.trim();
    if (token) take(() => post("/api/session", { token }));
  } },
  h("label", { for: "token" }, word("token")), h("p", { class: "quiet-text" }, word(reason ? "tokenNeeded" : "tokenMore")), who, field, trouble,
  h("p", { class: "row" }, h("button", { type: "submit", class: "primary" }, word("save")), leaveButton));
}
