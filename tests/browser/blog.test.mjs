// The whole life of an account of the example blog, in a browser whose scripts are off.

import assert from "node:assert/strict";
import { test } from "node:test";
import { totp } from "../totp.mjs";
import { blog, otherSite } from "./harness.mjs";

const PASSWORD = "a long enough passphrase";
const { url, visitor, mailedLink } = await blog();

async function signUp(page, handle) {
  const email = `${handle}@example.com`;
  await page.goto("/sign-up.html");
  await page.getByLabel("Handle").fill(handle);
  await page.getByLabel("Name").fill("Grace H");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign up" }).click();
  assert.equal(new URL(page.url()).pathname, "/check-your-mail.html");
  return email;
}

async function openMail(page, email, kind) {
  await page.goto(await mailedLink(email, kind));
  await page.getByRole("heading", { name: `Continue as ${email}` }).waitFor();
  await page.getByRole("button", { name: "Continue" }).click();
}

async function logIn(page, email, password) {
  await page.goto("/log-in.html");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

function sessions(page) {
  return page.locator(".sessions li");
}

test("somebody signs up, confirms from the mail, logs in, ends a session and logs out", async () => {
  const page = await visitor();
  const email = await signUp(page, "grace");
  await logIn(page, email, PASSWORD);
  await page.getByText("Confirm your address first").waitFor();
  await openMail(page, email, "confirmation");
  assert.equal(new URL(page.url()).pathname, "/auth/v1/sessions");
  await page.getByText(email).waitFor();

  const phone = await visitor();
  await logIn(phone, email, "wrong");
  await phone.getByText("The address or the password is wrong.").waitFor();
  // Until its style is there the page shows every message.
  await phone.getByText("Something is missing").waitFor({ state: "hidden" });
  await logIn(phone, email, PASSWORD);
  assert.equal(await sessions(phone).count(), 2);

  await page.reload();
  const other = sessions(page).filter({ hasNotText: "This device" });
  await other.getByRole("button", { name: /Sign out/ }).click();
  assert.equal(await sessions(page).count(), 1);
  await phone.reload();
  await phone.getByRole("heading", { name: "You are not signed in" }).waitFor();

  await page.getByRole("button", { name: "Log out here" }).click();
  assert.equal(new URL(page.url()).pathname, "/");
  assert.deepEqual(await page.context().cookies(), []);
  await page.goto("/auth/v1/sessions");
  await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
});

test("a password that was forgotten is replaced from the mail", async () => {
  const page = await visitor();
  const email = await signUp(page, "edsger");
  await page.goto("/log-in.html");
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await page.getByLabel("Email").fill(email);
  await page.getByRole("button", { name: "Send a link" }).click();
  assert.equal(new URL(page.url()).pathname, "/check-your-mail.html");
  await openMail(page, email, "recovery");
  assert.equal(new URL(page.url()).pathname, "/new-password.html");
  await page.getByLabel("New password").fill("quite another passphrase");
  const before = await page.context().cookies();
  await page.getByRole("button", { name: "Change password" }).click();
  assert.equal(new URL(page.url()).pathname, "/auth/v1/sessions");
  const after = await page.context().cookies();
  assert.notEqual(before[0].value, after[0].value);
  const { httpOnly, sameSite } = after[0];
  assert.deepEqual({ httpOnly, sameSite }, { httpOnly: true, sameSite: "Lax" });
});

test("who has a second factor is asked for its code after the password", async () => {
  const page = await visitor();
  const email = await signUp(page, "radia");
  await openMail(page, email, "confirmation");
  // An app's own page would show the secret; here it is asked for as a script would.
  const post = async (path, data) => {
    const answer = await page.context().request.post(`/auth/v1/factors${path}`, { data });
    assert.ok(answer.ok(), await answer.text());
    return answer.json();
  };
  const factor = await post("", { factor_type: "totp" });
  const { id } = await post(`/${factor.id}/challenge`, {});
  await post(`/${factor.id}/verify`, { challenge_id: id, code: totp(factor.totp.secret) });

  const phone = await visitor();
  await logIn(phone, email, PASSWORD);
  await phone.getByRole("heading", { name: "Second factor" }).waitFor();
  await phone.getByLabel("Code").fill("no code");
  await phone.getByRole("button", { name: "Continue" }).click();
  await phone.getByText("The code is wrong").waitFor();
  await phone.getByLabel("Code").fill(totp(factor.totp.secret, 1));
  await phone.getByRole("button", { name: "Continue" }).click();
  assert.equal(new URL(phone.url()).pathname, "/auth/v1/sessions");
  await phone.getByText(email).waitFor();
  assert.equal((await (await phone.context().request.get("/auth/v1/sessions")).json())[0].aal, "aal2");
});

test("a page of another origin neither signs a visitor in nor out", async () => {
  const form = (action, fields) => `<form method="post" action="${url}${action}">${
    Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`).join("")
  }<button>${action}</button></form>`;
  const page = await visitor();
  const email = await signUp(page, "barbara");
  await openMail(page, email, "confirmation");
  const held = await page.context().cookies();
  const forged = ["/auth/v1/session/end", "/auth/v1/session", "/auth/v1/signup", "/auth/v1/user"];
  const fields = { email, password: PASSWORD, next: "/" };
  const site = await otherSite(forged.map((action) => form(action, fields)).join(""));
  for (const place of [site.crossSite, site.sameSite]) {
    for (const action of forged) {
      await page.goto(place);
      const answered = page.waitForResponse((answer) => answer.url() === `${url}${action}`);
      await page.getByRole("button", { name: action, exact: true }).click();
      const answer = await answered;
      assert.equal(answer.status(), 403, `${place} ${action}`);
      assert.equal((await answer.json()).code, "cross_site_request");
    }
  }
  assert.deepEqual((await page.context().cookies()).filter((it) => it.name === "session"), held);
  await page.goto(`${url}/auth/v1/sessions`);
  await page.getByText(email).waitFor();
});
