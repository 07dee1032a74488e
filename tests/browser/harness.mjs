// Serves a copy of the example blog with the real binary, and opens browsers whose scripts
// are switched off.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, afterEach } from "node:test";
import { chromium } from "playwright-core";
import { freePort } from "../free-port.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const BLOG = join(HERE, "../../examples/blog");
const BINARY = process.env.MAINSTAY_BIN ?? join(HERE, "../../target/debug/mainstay");
const BROWSER = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";
const READY_MS_MAX = 30_000;
const POLL_MS = 25;

/** Serves the blog and opens a browser, until the last test of the calling file. */
export async function blog() {
  const directory = await mkdtemp(join(tmpdir(), "mainstay-browser-"));
  const folder = join(directory, "app");
  await cp(BLOG, folder, { recursive: true, filter: (path) => !path.endsWith(".mainstay") });
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  let log = "";
  // Nobody of the tests waits between two mails.
  const env = { ...process.env, MAINSTAY_AUTH__MAIL_EVERY_S: "0" };
  delete env.MAINSTAY_DATABASE__URL;
  const child = spawn(BINARY, ["dev", folder, "--listen", address], { env, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text) => { log += text; });
  }
  process.once("exit", () => child.kill("SIGKILL"));
  await until(async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok, () => log);
  const browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox", "--disable-gpu"] });
  const contexts = [];
  afterEach(async (test) => {
    if (!test.passed) console.error(`The server's log:\n${log}`);
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });
  after(async () => {
    await browser.close();
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
    await rm(directory, { recursive: true, force: true });
  });
  return {
    url,
    /** A visitor's browser: its own cookies, and no scripts. */
    async visitor() {
      const context = await browser.newContext({ javaScriptEnabled: false, baseURL: url });
      contexts.push(context);
      return context.newPage();
    },
    /** The link in the newest mail of a kind to an address. */
    async mailedLink(to, kind) {
      let link;
      await until(async () => {
        const answer = await fetch(`${url}/_dev/mail`, { headers: { Accept: "application/json" } });
        const mail = (await answer.json()).find((it) => it.to === to && it.kind === kind);
        link = mail?.text.match(/http\S+\/auth\/v1\/verify\S+/)?.[0];
        return link;
      }, () => `no mail to ${to}\n${log}`);
      return link;
    },
  };
}

/** Serves one page under these names of this machine, until the last test: somebody else's site. */
export async function otherSite(html) {
  const server = createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html; charset=utf-8");
    answer.end(html);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  const { port } = server.address();
  return { crossSite: `http://localhost:${port}/`, sameSite: `http://127.0.0.1:${port}/` };
}

async function until(ready, why) {
  const deadline = Date.now() + READY_MS_MAX;
  while (Date.now() < deadline) {
    if (await ready()) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(why());
}
