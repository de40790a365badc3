// The turns of this device: asked, followed live, found again after a reload or when the server comes back. Draws nothing.

import { events, get, post, remove } from "./api.js";
import { keep, recall } from "./keep.js";

/** `turn` {id}: something about a turn has changed. `list`: there are others now. */
export const changes = new EventTarget();

const turns = new Map();
const ENDED = new Set(["finished", "failed", "interrupted"]);
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8000;
const FIRST_LOOK = 3000;
const LONGEST_LOOK = 60000;
const SHOWN = 50;
const LOOKED_BACK = 100;
const OFFERED = 6;

export const hasEnded = (turn) => ENDED.has(turn.state);

/** Turns of the conversation that is open, oldest first. */
export function listed() {
  const open = conversation();
  return [...turns.values()].filter((turn) => turn.conversation === open).sort((a, b) => a.at - b.at);
}

export const turnOf = (id) => turns.get(id);

/** The name of the conversation that is open. */
export function conversation() {
  let open = recall("conversation");
  if (!open) {
    open = randomName();
    keep("conversation", open);
  }
  return open;
}

export function newConversation() {
  keep("conversation", randomName());
  changes.dispatchEvent(new Event("list"));
}

/** The latest conversations of this client: their first question, when, and their name. */
export async function earlier() {
  const { turns: found } = await get(`/api/turns?limit=${LOOKED_BACK}`);
  const byName = new Map(found.map((turn) => [turn.conversation, turn]));
  return [...byName.values()].filter((turn) => turn.conversation).slice(0, OFFERED);
}

/** Go on with an earlier conversation. */
export function openConversation(name) {
  keep("conversation", name);
  return findAgain();
}

function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The key under which what is typed now will be asked: sent twice, it is one turn. */
function draftKey() {
  const key = recall("key") ?? randomName();
  keep("key", key);
  return key;
}

/** Ask. Raises Away or Refused; then nothing typed is lost, and asking again does not ask twice. */
export async function ask(question, photo) {
  const body = { question, conversation: conversation(), keep: true, key: draftKey() };
  if (photo) body.photo = photo;
  const taken = await post("/api/turns", body);
  keep("key", null);
  const at = Date.now() / 1000;
  const turn = put({ ...taken, question, conversation: body.conversation, photo: Boolean(photo), at, state: "queued" });
  changes.dispatchEvent(new Event("list"));
  follow(turn);
  return turn;
}

export const cancel = (turn) => remove(`/api/turns/${turn.id}`);

/** Find our turns again, and follow those that still run. */
export async function findAgain() {
  const { turns: found } = await get(`/api/turns?limit=${SHOWN}`);
  const open = conversation();
  await Promise.all(found.filter((turn) => turn.conversation === open).map(async (short) => {
    const known = turns.get(short.turn);
    if (known && (hasEnded(known) || known.followed)) return;
    const whole = await get(`/api/turns/${short.turn}`).catch(() => short);
    const turn = put({ ...whole, photo: short.photo, at: short.at });
    if (turn.perceived || turn.photo) look(turn);
    if (!hasEnded(turn)) follow(turn);
    awaitOutcome(turn);
  }));
  changes.dispatchEvent(new Event("list"));
}

function put(told) {
  const turn = turns.get(told.turn) ?? { id: told.turn, steps: [], parts: [], text: "", last: "", perception: null };
  const { turn: id, ...rest } = told;
  Object.assign(turn, rest, { steps: rest.steps ?? turn.steps, parts: rest.parts ?? turn.parts });
  turns.set(id, turn);
  return turn;
}

function changed(turn) {
  awaitOutcome(turn);
  changes.dispatchEvent(new CustomEvent("turn", { detail: { id: turn.id } }));
}

/** Read the events of a turn to its end, however often the connection goes. */
async function follow(turn) {
  if (turn.followed) return;
  turn.followed = true;
  // Numbered events are told from the first on, so what is already here would be there twice.
  Object.assign(turn, { steps: [], text: "", last: "" });
  let pause = FIRST_PAUSE;
  while (!hasEnded(turn)) {
    let heard = false;
    try {
      for await (const event of events(`/api/turns/${turn.id}/events`, { last: turn.last })) {
        pause = FIRST_PAUSE;
        heard = true;
        if (event.id) heardOf(turn, event.id);
        take(turn, event);
        changed(turn);
      }
    } catch (error) {
      if (error.status === 404) {
        Object.assign(turn, { state: "failed", error: { message: error.said, hint: error.hint } });
        changed(turn);
        break;
      }
    }
    if (hasEnded(turn) || (!heard && (await endedElsewhere(turn)))) break;
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(LONGEST_PAUSE, pause * 2);
  }
  turn.followed = false;
}

/** What became of it is not known yet, or a person has to say. */
const isOpen = (one) => ["unsure", "waits"].includes(one.later?.came ?? one.came);
const hasOpen = (turn) => (turn.answer?.done ?? []).some(isOpen);

/** A device of which nobody knows whether it was moved may come back, and what waits is answered: then the card says so. */
async function awaitOutcome(turn) {
  if (turn.awaited || !hasOpen(turn)) return;
  turn.awaited = true;
  for (let pause = FIRST_LOOK; hasOpen(turn); pause = Math.min(LONGEST_LOOK, pause * 1.5)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (!document.hidden) await lookAgain(turn.id);
  }
  turn.awaited = false;
}

/** An id names the log that it numbers. A server that was started anew tells a turn from another one, from its first event on. */
function heardOf(turn, id) {
  if (turn.last && logOf(turn.last) !== logOf(id)) Object.assign(turn, { steps: [], text: "" });
  turn.last = id;
}

const logOf = (id) => id.slice(0, id.lastIndexOf(".") + 1);

/** Nothing new was said: perhaps it has ended, so how it stands is asked, not waited for. */
async function endedElsewhere(turn) {
  const whole = await get(`/api/turns/${turn.id}`).catch(() => null);
  if (!whole || !ENDED.has(whole.state)) return false;
  put({ ...whole, photo: turn.photo, at: turn.at });
  changed(turn);
  return true;
}

function take(turn, { event, data }) {
  if (event === "position") {
    Object.assign(turn, { position: data.position, estimate_s: data.estimate_s, state: data.position > 0 ? "queued" : "running" });
  } else if (event === "step") {
    turn.state = "running";
    turn.steps = [...turn.steps, data];
    if (data.parts) turn.parts = data.parts;
    if (data.kind === "perception") look(turn);
  } else if (event === "token") {
    turn.text += data.token ?? "";
  } else if (event === "answer") {
    Object.assign(turn, { state: "finished", answer: data.answer ?? data });
    if (turn.photo && !turn.perception) look(turn);
  } else if (event === "error") {
    Object.assign(turn, { state: data.state ?? "failed", error: data.error ?? data });
  }
}

/** What became of an answered turn since. */
export async function lookAgain(id) {
  const turn = turns.get(id);
  const whole = turn?.answer ? await get(`/api/turns/${id}`).catch(() => null) : null;
  if (!whole?.answer || JSON.stringify(whole.answer) === JSON.stringify(turn.answer)) return;
  turn.answer = whole.answer;
  changed(turn);
}

async function look(turn) {
  try {
    turn.perception = await get(`/api/turns/${turn.id}/perception`);
    changed(turn);
  } catch {
    // None was made, or it is not kept any more: the photo alone is shown.
  }
}
