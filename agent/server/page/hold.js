// A button that takes effect only when it is held: a touch in passing moves no machine.

import { announce, h } from "./dom.js";
import { word } from "./words.js";

const HOLD_MS = 1200;
const AGAIN_MS = 5000;

/**
 * Held by finger, mouse, Enter or Space. Where holding is not possible (a screen reader's click, a switch), a second
 * press within five seconds does the same.
 */
export function holdButton(label, key, act) {
  let timer = 0;
  let asked = 0;
  const text = h("span", { class: "hold-text" }, label);
  const begin = () => {
    if (timer || button.disabled) return;
    button.classList.add("held");
    text.textContent = word("holding");
    timer = setTimeout(() => {
      stop();
      finish();
    }, HOLD_MS);
  };
  const stop = () => {
    clearTimeout(timer);
    timer = 0;
    button.classList.remove("held");
    text.textContent = label;
  };
  const finish = async () => {
    button.disabled = true;
    try {
      await act();
    } finally {
      button.disabled = false;
    }
  };
  const isHoldKey = (event) => event.key === "Enter" || event.key === " ";
  const button = h("button", {
    type: "button", class: "primary hold", "data-key": key, "aria-description": word("held", HOLD_MS / 1000),
    onpointerdown: (event) => {
      if (event.button === 0) begin();
    },
    onpointerup: stop, onpointerleave: stop, onpointercancel: stop, onblur: stop, oncontextmenu: (event) => event.preventDefault(),
    onkeydown: (event) => {
      if (!isHoldKey(event)) return;
      event.preventDefault();
      if (!event.repeat) begin();
    },
    onkeyup: (event) => {
      if (isHoldKey(event)) stop();
    },
    onclick: (event) => {
      if (event.pointerType || event.detail > 0) return;
      if (Date.now() - asked < AGAIN_MS) return finish();
      asked = Date.now();
      text.textContent = word("pressAgain");
      announce(word("pressAgain"), true);
      setTimeout(stop, AGAIN_MS);
    },
  }, h("span", { class: "hold-fill", "aria-hidden": "true" }), text);
  return button;
}
