// How the page looks on this device, its language, and the token.

import { keepToken } from "./api.js";
import { announce, h } from "./dom.js";
import { keep, recall } from "./keep.js";
import { openSheet } from "./sheet.js";
import { language, said, useLanguage, word } from "./words.js";

/** Put on what was chosen earlier. */
export function wearLooks() {
  const root = document.documentElement;
  root.dataset.look = recall("look", "auto");
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
  const field = h("input", { type: "password", id: "token", autocomplete: "off", spellcheck: "false", value: "" });
  const take = (token) => {
    keepToken(token);
    announce(word("saved"));
    for (const open of document.querySelectorAll("dialog.sheet")) open.close();
    redraw();
  };
  return h("form", { class: "token", onsubmit: (event) => {
    event.preventDefault();
    if (field.value.trim()) take(field.value.trim());
  } },
  h("label", { for: "token" }, word("token")), h("p", { class: "quiet-text" }, reason ? `${said(reason)} ${word("tokenNeeded")}` : word("tokenMore")), field,
  h("p", { class: "row" }, h("button", { type: "submit", class: "primary" }, word("save")),
    recall("token") ? h("button", { type: "button", onclick: () => take("") }, word("forget")) : null));
}
