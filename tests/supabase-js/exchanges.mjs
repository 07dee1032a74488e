// Writes down what was asked and what was answered, so that two runs of the scenarios can
// be compared byte for byte: one on SQLite, one on PostgreSQL.
//
// Where `SCENARIOS_EXCHANGES` names a folder, each test file leaves a file there with one
// line of JSON for each exchange, in the order of the requests. Only what a run makes
// itself is replaced, by what tells as much of it as two runs can share:
//
// - A UUID becomes `<id N>`, numbered in the order of appearance, so that the same one seen
//   again has the same number. Those that begin with zeros are a seed's or a test's own.
// - A time of this hour becomes `<time>`; every other is a seed's or a test's own.
// - The server's address, and the headers of `OF_ONE_RUN` and the id of the request wherever
//   it is told, become their names: they must be there, or not, in both runs.
// - A length that is the body's becomes `<of the body>`: a generated time ends without its
//   zeros, so that one in ten is shorter.
// - The new key of a row in a model of `gaps`, once an insert has answered it, becomes
//   `<key N>`: see `serve` in harness.mjs. No other number is ever replaced.

import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const FILE = freshFile(process.env.SCENARIOS_EXCHANGES);
const SENT = ["accept", "prefer"];
const OF_ONE_RUN = ["date", "etag", "server-timing", "x-request-id"];
const RUN_MS_MAX = 3_600_000;

const ID = /\b(?!00000000-)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const TIME = /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?/g;
const ZONE = /Z$|[+-]\d\d:\d\d$/;
const KEY = /(?<="id":|\bid=eq\.)\d+\b/g;

/** The exchanges with one server. `gaps` are the models whose new keys may leave numbers out. */
export class Exchanges {
  #server;
  #gaps;
  #ids = new Map();
  #keys = new Map();

  constructor(server, gaps) {
    this.#server = server;
    this.#gaps = gaps;
  }

  /** Writes down one exchange: `init` as `fetch` has it, the answer, and its body as text. */
  record(path, init, answer, body) {
    // What is answered about accounts is mostly tokens and times, which no two runs share.
    if (!FILE || path.startsWith("/auth/")) return;
    const { method = "GET" } = init;
    const model = path.match(/^\/rest\/v1\/(\w+)/)?.[1];
    if (method === "POST" && answer.ok && this.#gaps.includes(model)) {
      for (const [key] of body.matchAll(KEY)) number(this.#keys, `${model} ${key}`);
    }
    const made = (text) => this.#withoutWhatOneRunMakes(model, answer, text);
    const sent = new Headers(init.headers);
    // The request comes before its answer, as the placeholders' numbers do.
    const request = {
      method,
      path: made(decoded(path)),
      headers: Object.fromEntries(SENT.filter((name) => sent.has(name)).map((name) => [name, sent.get(name)])),
      body: init.body === undefined ? null : made(String(init.body)),
    };
    const header = ([name, value]) => {
      if (OF_ONE_RUN.includes(name)) return [name, `<${name}>`];
      if (name === "content-length" && Number(value) === Buffer.byteLength(body)) return [name, "<of the body>"];
      return [name, made(value)];
    };
    const headers = Object.fromEntries([...answer.headers].map(header));
    const exchange = { request, answer: { status: answer.status, headers, body: made(body) } };
    appendFileSync(FILE, `${JSON.stringify(exchange)}\n`);
  }

  #withoutWhatOneRunMakes(model, answer, text) {
    const key = (found) => this.#keys.get(`${model} ${found}`);
    return text
      .replaceAll(this.#server, "<server>")
      .replaceAll(answer.headers.get("x-request-id") ?? "<x-request-id>", "<x-request-id>")
      .replace(ID, (id) => `<id ${number(this.#ids, id)}>`)
      .replace(TIME, (time) => (isOfThisHour(time) ? "<time>" : time))
      .replace(KEY, (found) => (key(found) === undefined ? found : `<key ${key(found)}>`));
  }
}

/** A path as a person reads it. */
export function decoded(path) {
  try {
    return decodeURIComponent(path.replaceAll("+", " "));
  } catch {
    return path;
  }
}

/** The file of the test file that is run, emptied: nothing of an earlier run is left in it. */
function freshFile(folder) {
  if (!folder) return null;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${basename(process.argv[1], ".test.mjs")}.jsonl`);
  writeFileSync(file, "");
  return file;
}

function number(numbers, value) {
  if (!numbers.has(value)) numbers.set(value, numbers.size + 1);
  return numbers.get(value);
}

function isOfThisHour(time) {
  const at = Date.parse(ZONE.test(time.slice(10)) ? time : `${time}Z`);
  return Math.abs(Date.now() - at) < RUN_MS_MAX;
}
