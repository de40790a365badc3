// Everything that is asked of the server: one place for the token, for errors, and for knowing whether it is there.

import { keep, recall } from "./keep.js";

/** What the page hears of: `link` {away}, `token` {reason}. */
export const wires = new EventTarget();

let away = false;
let knocking = 0;

/** An answer of the server that is a refusal, with its reason in both languages. */
export class Refused extends Error {
  constructor(status, told) {
    super(told.message?.en ?? told.code ?? String(status));
    this.status = status;
    this.code = told.code ?? "";
    this.said = told.message ?? { zh: `服务器回答 ${status}`, en: `the server answered ${status}` };
    this.hint = told.hint ?? null;
  }
}

/** The server could not be reached. */
export class Away extends Error {
  constructor() {
    super("the server is away");
    this.said = { zh: "连不上服务器", en: "the server cannot be reached" };
    this.hint = null;
  }
}

export const isAway = () => away;

function setAway(now) {
  if (now === away) return;
  away = now;
  wires.dispatchEvent(new CustomEvent("link", { detail: { away } }));
  clearInterval(knocking);
  if (away) knocking = setInterval(() => request("/api/health").catch(() => {}), 3000);
}

/** A request; raises Refused or Away. */
export async function request(path, { method = "GET", body, signal, headers = {}, accept = "application/json" } = {}) {
  const token = recall("token");
  const sent = { Accept: accept, "X-Watchkeeper": "page", ...headers };
  if (token) sent.Authorization = `Bearer ${token}`;
  if (body !== undefined) sent["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method, signal, headers: sent, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    setAway(true);
    throw new Away();
  }
  if (answer.status === 502 || answer.status === 504) {
    setAway(true);
    throw new Away();
  }
  setAway(false);
  if (answer.ok) return answer;
  const told = await answer.json().then((value) => value.error ?? {}, () => ({}));
  if (answer.status === 401) wires.dispatchEvent(new CustomEvent("token", { detail: { reason: told.message } }));
  throw new Refused(answer.status, told);
}

export const get = async (path, options) => (await request(path, options)).json();
export const post = async (path, body) => (await request(path, { method: "POST", body })).json();
export const remove = (path) => request(path, { method: "DELETE" });

/** The address of a file that only a request with a token may have; to be revoked when it is not shown any more. */
export async function fileUrl(path, accept = "*/*") {
  return URL.createObjectURL(await (await request(path, { accept })).blob());
}

export const keepToken = (token) => keep("token", token || null);

/**
 * Server-sent events, from after `last`, until the server closes. Read by fetch, for an EventSource sends no token.
 * @yields {{event: string, id: string, data: object}}
 */
export async function* events(path, { last = "", signal } = {}) {
  const headers = last ? { "Last-Event-ID": last } : {};
  const answer = await request(path, { signal, headers, accept: "text/event-stream" });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest = (rest + value).replaceAll("\r\n", "\n");
      const blocks = rest.split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parseEvent(block) {
  const found = { event: "message", id: "", data: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
    if (name === "data") found.data += (found.data ? "\n" : "") + value;
    else if (name) found[name] = value;
  }
  if (!found.data) return null;
  try {
    return { ...found, data: JSON.parse(found.data) };
  } catch {
    return null;
  }
}
