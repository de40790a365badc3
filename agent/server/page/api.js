// Everything that is asked of the server: one place for errors, and for knowing whether it is there. Where a token is
// needed, it lies in a cookie that no script can read.

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
    this.body = null;
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
  const sent = { Accept: accept, ...headers };
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
  const refusal = await answer.json().catch(() => ({}));
  const told = refusal.error ?? {};
  if (answer.status === 401 && path !== "/api/session") wires.dispatchEvent(new CustomEvent("token", { detail: { reason: told.message } }));
  throw Object.assign(new Refused(answer.status, told), { body: refusal });
}

export const get = async (path, options) => (await request(path, options)).json();
export const post = async (path, body) => (await request(path, { method: "POST", body })).json();
export const remove = (path) => request(path, { method: "DELETE" });

/**
 * Server-sent events, from after `last`, until the server closes. Read by fetch: an EventSource does not say why it fails.
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
