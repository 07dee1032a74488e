// Serves an application folder with the real binary and hands out unmodified
// supabase-js clients for it: one per kind of caller.
//
// The folder is copied first, so that no test writes into the checkout, and every
// server has keys, rows and a port of its own. What a failing test needs to be
// understood, the last requests and the server's log, is printed when it fails.

import { spawn, execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { after, afterEach } from "node:test";
import { createClient } from "@supabase/supabase-js";
import { freePort } from "../free-port.mjs";
import { Exchanges, decoded } from "./exchanges.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const READY_MS_MAX = 30_000;
const READY_POLL_MS = 25;
const STOP_MS_MAX = 10_000;
const LOG_BYTES_MAX = 16_384;
const REQUESTS_KEPT = 6;
const STARTS_MAX = 3;
/** Keeps every byte of an answer, or refuses it. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The app made for these tests: every kind of field, relation and rule. */
export const JOURNAL = join(HERE, "app");
/** The example that the README serves. */
export const BLOG = join(HERE, "../../examples/blog");

/** The binary under test: `MAINSTAY_BIN`, else the debug build of this checkout. */
function binary() {
  const path = process.env.MAINSTAY_BIN ?? join(HERE, "../../target/debug/mainstay");
  if (!existsSync(path)) {
    throw new Error(`there is no binary at ${path}: build it, or set MAINSTAY_BIN`);
  }
  return path;
}

/** A new database on the PostgreSQL server that `SCENARIOS_POSTGRES_URL` names, if it does. */
class Database {
  static async create() {
    const server = process.env.SCENARIOS_POSTGRES_URL;
    if (!server) return null;
    const name = `scenarios_${process.pid}_${randomBytes(4).toString("hex")}`;
    const database = new Database(server, name);
    await database.#ask(`CREATE DATABASE ${name} TEMPLATE template0`);
    return database;
  }

  constructor(server, name) {
    this.server = server;
    this.name = name;
    const url = new URL(server);
    url.pathname = `/${name}`;
    this.url = url.href;
  }

  drop() {
    return this.#ask(`DROP DATABASE ${this.name} WITH (FORCE)`);
  }

  #ask(sql) {
    const psql = process.env.SCENARIOS_PSQL ?? "psql";
    return promisify(execFile)(psql, ["-X", "-q", "-d", this.server, "-c", sql], { timeout: READY_MS_MAX });
  }
}

/**
 * Serves a copy of `folder` for the tests of the calling file, and stops it after
 * the last of them.
 *
 * `gaps` names models whose generated int keys the file shows after a write to them was
 * taken back. PostgreSQL's sequences do not give a number back and SQLite's counter does,
 * so the two must agree on which row has which key, and not on its digits. `settings` are
 * variables that the app is served with.
 */
export async function serve(folder, { gaps = [], settings = {} } = {}) {
  const server = await Server.start(folder, gaps, settings);
  let failures = 0;
  afterEach((test) => {
    if (!test.passed) {
      failures += 1;
      server.printRequests();
    }
    server.forgetRequests();
  });
  after(async () => {
    await server.stop();
    if (failures > 0) server.printLog();
  });
  return server;
}

class Server {
  #child;
  #database;
  #directory;
  #environment;
  #exchanges;
  #log = "";
  #requests = [];
  #tokens = new Map();

  static async start(folder, gaps, settings) {
    for (let attempt = 1; ; attempt += 1) {
      const server = new Server();
      try {
        await server.#start(folder, gaps, settings);
        return server;
      } catch (error) {
        // Between finding a free port and listening on it, somebody may have taken it.
        const retry = attempt < STARTS_MAX && server.#log.includes("in use");
        await server.stop();
        if (retry) continue;
        server.printLog();
        throw error;
      }
    }
  }

  async #start(folder, gaps, settings) {
    this.#directory = await mkdtemp(join(tmpdir(), "mainstay-supabase-js-"));
    this.folder = join(this.#directory, "app");
    await cp(folder, this.folder, {
      recursive: true,
      // What is served as it is says when it was last changed.
      preserveTimestamps: true,
      filter: (path) => !path.endsWith(".mainstay"),
    });
    const address = `127.0.0.1:${await freePort()}`;
    this.url = `http://${address}`;
    this.#exchanges = new Exchanges(this.url, gaps);
    this.#database = await Database.create();
    this.#environment = { ...process.env, ...settings };
    if (this.#database) this.#environment.MAINSTAY_DATABASE__URL = this.#database.url;
    this.#child = spawn(binary(), ["dev", this.folder, "--listen", address], {
      stdio: ["ignore", "pipe", "pipe"],
      env: this.#environment,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        this.#log = (this.#log + text).slice(-LOG_BYTES_MAX);
      });
    }
    const child = this.#child;
    process.once("exit", () => child.kill("SIGKILL"));
    await this.#ready();
    this.keys = JSON.parse(await this.run("keys", this.folder, "--json"));
  }

  async #ready() {
    const deadline = Date.now() + READY_MS_MAX;
    let exited = false;
    this.#child.once("exit", () => { exited = true; });
    this.#child.once("error", () => { exited = true; });
    while (!exited && Date.now() < deadline) {
      try {
        const answer = await fetch(`${this.url}/readyz`);
        await answer.text();
        if (answer.ok) return;
      } catch {
        // Not listening yet.
      }
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
    throw new Error(exited ? "the server ended before it was ready" : "the server was not ready in time");
  }

  /** Runs a command of the binary and answers what it printed. */
  async run(...args) {
    const { stdout } = await promisify(execFile)(binary(), args, {
      timeout: READY_MS_MAX,
      env: this.#environment,
    });
    return stdout.trim();
  }

  /** A bearer token for a user, made by the binary. */
  async token(id, ...roles) {
    const key = JSON.stringify([id, ...roles]);
    if (!this.#tokens.has(key)) {
      const options = roles.flatMap((role) => ["--role", role]);
      this.#tokens.set(key, await this.run("token", this.folder, "--user", id, ...options));
    }
    return this.#tokens.get(key);
  }

  /** A client with the anon key and nothing else. */
  anonymous() {
    return this.#client(this.keys.anon);
  }

  /** A client with the anon key and the access token of a user who has these roles. */
  async user(id, ...roles) {
    const token = await this.token(id, ...roles);
    return this.#client(this.keys.anon, { accessToken: async () => token });
  }

  /** A client with the service key. */
  service() {
    return this.#client(this.keys.service);
  }

  /** A client with a key and options of one's own. */
  client(key, options) {
    return this.#client(key, options);
  }

  /** Asks for a path as any client of HTTP does, with no key. */
  fetch(path, init = {}) {
    return this.#recorded(`${this.url}${path}`, init);
  }

  #client(key, options = {}) {
    const { global, ...others } = options;
    return createClient(this.url, key, {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      // An option of the client's own; it changes nothing but that we can tell what was sent.
      global: { ...global, fetch: (input, init) => this.#recorded(input, init) },
      ...others,
    });
  }

  async #recorded(input, init) {
    const path = String(input).slice(this.url.length);
    const sent = new Headers(init.headers);
    const lines = [`${init.method ?? "GET"} ${decoded(path)}`];
    for (const name of ["accept", "prefer"]) {
      if (sent.has(name)) lines.push(`  ${name}: ${sent.get(name)}`);
    }
    if (init.body !== undefined) lines.push(`  ${init.body}`);
    const entry = { lines };
    this.#requests = [...this.#requests.slice(1 - REQUESTS_KEPT), entry];
    const answer = await fetch(input, init);
    const body = UTF8.decode(await answer.clone().arrayBuffer());
    const range = answer.headers.get("content-range");
    lines.push(`  → ${answer.status}${range === null ? "" : ` ${range}`} ${body.slice(0, 2000)}`);
    this.#exchanges.record(path, init, answer, body);
    return answer;
  }

  forgetRequests() {
    this.#requests = [];
  }

  printRequests() {
    const shown = this.#requests.map((entry) => entry.lines.join("\n"));
    console.error(`\nThe last requests of the test that failed:\n${shown.join("\n")}\n`);
  }

  printLog() {
    console.error(`\nThe server's log:\n${this.#log}`);
  }

  async stop() {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null && child.pid) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
      await ended;
      clearTimeout(late);
    }
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true });
    if (this.#database) await this.#database.drop();
  }
}
