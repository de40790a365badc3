// Asking: the conversation, and below it what is being typed with its photo. What is typed survives reload and outage.

import { partsView } from "./answer.js";
import { announce, h, icon, s, show } from "./dom.js";
import { keep, keepPhoto, recall, recallPhoto } from "./keep.js";
import { base64, fitting, pictureOf } from "./photo.js";
import { problemView } from "./problem.js";
import { openPhoto } from "./sources.js";
import { ask, cancel, changes, earlier, hasEnded, listed, newConversation, openConversation, turnOf } from "./turns.js";
import { moment, said, word } from "./words.js";

const cards = new Map();
const thumbs = new Map();
let draft = null;
let sending = false;

/** The view; called anew when it is shown or the language changes. */
export function askView(main) {
  cards.clear();
  const talk = h("div", { class: "talk", id: "talk" });
  const composer = composerView();
  show(main, h("h1", { class: "unseen" }, word("ask")), h("div", { class: "asking" }, talk, composer));
  const draw = () => drawTalk(talk);
  const redraw = (event) => {
    const turn = turnOf(event.detail.id);
    const card = turn && cards.get(turn.id);
    if (card) fillCard(card, turn);
    else draw();
    if (turn && hasEnded(turn) && !turn.told) {
      turn.told = true;
      announce(turn.state === "finished" ? `${word("finished")}. ${turn.answer?.answer ?? ""}`.slice(0, 600) : word(turn.state));
    }
  };
  changes.addEventListener("turn", redraw);
  changes.addEventListener("list", draw);
  draw();
  return () => {
    changes.removeEventListener("turn", redraw);
    changes.removeEventListener("list", draw);
  };
}

function drawTalk(talk) {
  const turns = listed();
  if (!turns.length) {
    cards.clear();
    show(talk, welcomeView());
    return;
  }
  if (!talk.querySelector(".turn")) {
    cards.clear();
    show(talk, h("div", { class: "talk-head" }, h("h2", {}, word("history")),
      h("button", { type: "button", class: "quiet", "data-key": "new", onclick: startAnew }, icon("fresh"), word("newTalk"))));
  }
  const shown = new Set(turns.map((turn) => turn.id));
  for (const [id, card] of cards) {
    if (!shown.has(id)) {
      card.remove();
      cards.delete(id);
    }
  }
  for (const turn of turns) {
    if (cards.has(turn.id)) continue;
    const card = h("article", { class: "turn", "data-turn": turn.id });
    cards.set(turn.id, card);
    talk.append(card);
    fillCard(card, turn);
    card.scrollIntoView({ block: "end" });
  }
}

function startAnew() {
  newConversation();
  announce(word("newTalkSaid"));
  if (!matchMedia("(pointer: coarse)").matches) document.getElementById("question")?.focus();
}

function welcomeView() {
  const before = h("section", { class: "earlier" });
  earlier().then((turns) => turns.length && show(before, h("h2", {}, word("earlier")), h("ul", {}, turns.map((turn) => h("li", {},
    h("button", { type: "button", class: "example", onclick: () => openConversation(turn.conversation).catch(() => {}) },
      h("span", { class: "grow" }, turn.question), h("span", { class: "quiet-text" }, moment(turn.at))))))), () => {});
  return h("div", { class: "welcome" }, h("h2", {}, word("welcome")), h("p", {}, word("welcomeMore")),
    h("label", { class: "button primary photograph", for: "photo" }, icon("camera"), word("photograph")),
    h("ul", { class: "examples" }, ["example1", "example2", "example3"].map((name) => h("li", {},
      h("button", { type: "button", class: "example", onclick: () => {
        const field = document.getElementById("question");
        field.value = word(name);
        field.dispatchEvent(new Event("input"));
        field.focus();
      } }, word(name))))), before);
}

function fillCard(card, turn) {
  card.dataset.state = turn.state;
  card.setAttribute("aria-busy", String(!hasEnded(turn)));
  const open = card.querySelector(".steps")?.open ?? !hasEnded(turn);
  const ended = hasEnded(turn) && card.dataset.ended !== "yes";
  if (ended) card.dataset.ended = "yes";
  show(card,
    h("div", { class: "asked" }, turn.photo ? thumbView(turn) : null, h("div", { class: "said" }, h("h3", {}, turn.question),
      turn.perception ? h("p", { class: "quiet-text" }, word("readOff", turn.perception.readings.length, turn.perception.lamps.length)) : null)),
    stateView(turn), stepsView(turn, ended ? false : open),
    h("div", { class: "answer" }, partsView(turn)),
    turn.error ? problemView({ said: turn.error.message, hint: turn.state === "interrupted" ? null : turn.error.hint }) : null,
    footView(turn));
}

function thumbView(turn) {
  const image = h("img", { alt: "", class: "thumb", src: thumbs.get(turn.id) ?? `/api/turns/${turn.id}/photo`, onerror: () => image.remove() });
  return h("button", { type: "button", class: "thumb-button", "data-key": `photo-${turn.id}`, "aria-label": word("openPhoto"), onclick: () => openPhoto(turn) }, image, marksView(turn.perception));
}

/** What was read, small, over the thumb of its photo. */
function marksView(perception) {
  if (!perception) return null;
  const [width, height] = perception.size;
  const things = [...perception.readings.map(({ box }) => ["reading", box]), ...perception.lamps.map(({ box, color }) => ["lamp", box, color]), ...perception.alarms.map(({ box }) => ["alarm", box])];
  return s("svg", { class: "boxes", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true" },
    things.map(([kind, [left, top, right, bottom], color]) => s("rect", { class: `box ${kind}`, "data-color": color, x: left, y: top, width: right - left, height: bottom - top })));
}

function stateView(turn) {
  if (hasEnded(turn)) return turn.state === "finished" ? null : h("p", { class: "state bad" }, word(turn.state));
  const ahead = turn.position > 0 ? word("ahead", turn.position, Math.max(1, Math.round(turn.estimate_s ?? 0))) : "";
  return h("p", { class: "state" }, h("span", { class: "pulse", "aria-hidden": "true" }),
    h("span", {}, word(turn.state === "queued" ? "queued" : "running")), ahead ? h("span", { class: "quiet-text" }, ahead) : null,
    h("button", { type: "button", class: "quiet", "data-key": `stop-${turn.id}`, onclick: () => cancel(turn).catch(() => {}) }, word("cancel")));
}

function stepsView(turn, open) {
  if (!turn.steps.length) return null;
  return h("details", { class: "steps", open }, h("summary", { "data-key": `steps-${turn.id}` }, word("steps", turn.steps.length)),
    h("ol", {}, turn.steps.map((step) => h("li", { class: `step-${step.kind}` }, said(step.text)))));
}

function footView(turn) {
  const record = turn.answer;
  const again = turn.state === "failed" || turn.state === "interrupted";
  if (!record && !again) return null;
  return h("p", { class: "foot" },
    record ? h("span", {}, word("answeredBy", record.rung)) : null,
    record?.ms?.total ? h("span", {}, word("secondsTaken", (record.ms.total / 1000).toFixed(1))) : null,
    turn.perception ? h("button", { type: "button", class: "quiet", "data-key": `see-${turn.id}`, onclick: () => openPhoto(turn) }, word("seen")) : null,
    again ? h("button", { type: "button", class: "quiet", "data-key": `again-${turn.id}`, onclick: () => {
      const field = document.getElementById("question");
      field.value = turn.question;
      field.dispatchEvent(new Event("input"));
      field.focus();
    } }, word("again")) : null);
}

function composerView() {
  const field = h("textarea", {
    id: "question", rows: 1, maxlength: 4000, placeholder: word("placeholder"), value: recall("question", ""), enterkeyhint: "send",
    oninput: () => {
      keep("question", field.value || null);
      field.style.height = "auto";
      field.style.height = `${Math.min(220, field.scrollHeight + 2)}px`;
    },
    onkeydown: (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    },
    onpaste: (event) => {
      const file = pictureOf([...(event.clipboardData?.files ?? [])]);
      if (file) takeFile(file);
    },
  });
  const chooser = h("input", { type: "file", id: "photo", accept: "image/*,.heic,.heif", class: "unseen", onchange: () => {
    takeFile(pictureOf(chooser.files));
    chooser.value = "";
  } });
  const preview = h("div", { class: "preview" });
  const trouble = h("div", {});
  const takeFile = async (file) => {
    if (!file) {
      show(trouble, problemView(new Error(word("notPicture"))));
      return;
    }
    show(trouble);
    draft = await fitting(file);
    keepPhoto(draft);
    drawPreview();
    announce(word("photoReady"));
  };
  const dropPhoto = () => {
    draft = null;
    keepPhoto(null);
    drawPreview();
    chooser.focus();
  };
  const drawPreview = () => {
    if (preview.dataset.url) URL.revokeObjectURL(preview.dataset.url);
    delete preview.dataset.url;
    if (!draft) return show(preview);
    preview.dataset.url = URL.createObjectURL(draft);
    const image = h("img", { src: preview.dataset.url, alt: word("photoReady"), onerror: () => image.replaceWith(word("photoReady")) });
    show(preview, image,
      h("button", { type: "button", class: "round", "aria-label": word("removePhoto"), onclick: dropPhoto }, icon("close")));
  };
  const form = h("form", { class: "composer", "aria-label": word("question"), onsubmit: (event) => {
    event.preventDefault();
    submit(field, trouble, drawPreview);
  } },
    preview, trouble,
    h("div", { class: "composer-row" },
      h("label", { class: "button camera", for: "photo" }, icon("camera"), h("span", {}, word("takePhoto"))), chooser,
      h("label", { class: "unseen", for: "question" }, word("question")), field,
      h("button", { type: "submit", class: "primary", id: "send" }, icon("send"), h("span", {}, word("send")))));
  catchDrops(form, takeFile);
  if (draft) drawPreview();
  else recallPhoto().then((kept) => {
    if (kept && !draft) {
      draft = kept;
      drawPreview();
    }
  });
  return form;
}

async function submit(field, trouble, drawPreview) {
  const question = field.value.trim();
  if (!question || sending) return field.focus();
  sending = true;
  const button = document.getElementById("send");
  button.disabled = true;
  try {
    const photo = draft;
    const turn = await ask(question, photo ? await base64(photo) : null);
    if (photo) thumbs.set(turn.id, URL.createObjectURL(photo));
    draft = null;
    keepPhoto(null);
    keep("question", null);
    field.value = "";
    field.style.height = "auto";
    show(trouble);
    drawPreview();
  } catch (error) {
    show(trouble, problemView(error));
  } finally {
    sending = false;
    button.disabled = false;
    // A finger's keyboard would cover the answer that is coming.
    if (matchMedia("(pointer: coarse)").matches) field.blur();
    else field.focus({ preventScroll: true });
  }
}

/** The whole window takes a picture that is dropped on it. */
function catchDrops(form, takeFile) {
  const over = (event) => {
    if (!form.isConnected) return;
    event.preventDefault();
    form.classList.toggle("over", event.type === "dragover");
  };
  window.ondragover = over;
  window.ondragleave = over;
  window.ondrop = (event) => {
    over(event);
    if (form.isConnected) takeFile(pictureOf(event.dataTransfer?.files));
  };
}
