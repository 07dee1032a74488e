// Second factors as an app's visitors have them: a code from an authenticator app, what it
// opens, and what is closed without it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { totp } from "../totp.mjs";
import { BLOG, serve } from "./harness.mjs";
import { data } from "./answers.mjs";

const server = await serve(BLOG, {
  settings: { MAINSTAY_AUTH__CONFIRM_EMAIL: "false", MAINSTAY_AUTH__REQUESTS_MAX: "1000" },
});
const PASSWORD = "a horse of its own";
let people = 0;

/** A client whose user has signed up, and how to sign in as them once more. */
async function member() {
  people += 1;
  const handle = `keeper-${people}`;
  const person = { email: `${handle}@example.com`, password: PASSWORD };
  const client = server.anonymous();
  data(await client.auth.signUp({ ...person, options: { data: { handle, name: handle } } }));
  const again = async () => {
    const other = server.anonymous();
    data(await other.auth.signInWithPassword(person));
    return other;
  };
  return { client, again };
}

/** The same with a factor that was shown. */
async function keeper() {
  const { client, again } = await member();
  const factor = data(await client.auth.mfa.enroll({ factorType: "totp" }));
  const shown = { factorId: factor.id, code: totp(factor.totp.secret) };
  data(await client.auth.mfa.challengeAndVerify(shown));
  return { client, again, factor, code: shown.code };
}

async function levels(client) {
  const { currentLevel, nextLevel } = data(await client.auth.mfa.getAuthenticatorAssuranceLevel());
  return [currentLevel, nextLevel];
}

function refused(answer, code, status) {
  assert.deepEqual([answer.error?.code, answer.error?.status], [code, status]);
}

test("a factor is enrolled, shown, listed and removed", async () => {
  const { client, again } = await member();
  const other = await again();
  assert.deepEqual(await levels(client), ["aal1", "aal1"]);
  const enrolment = { factorType: "totp", friendlyName: "phone", issuer: "Blog" };
  const factor = data(await client.auth.mfa.enroll(enrolment));
  assert.ok(factor.totp.qr_code.startsWith("data:image/svg+xml;utf-8,<svg "));
  assert.ok(!factor.totp.qr_code.includes("#"));
  assert.ok(factor.totp.uri.startsWith("otpauth://totp/Blog:keeper"));
  refused(await client.auth.mfa.enroll(enrolment), "mfa_factor_name_conflict", 422);

  const events = [];
  client.auth.onAuthStateChange((event) => void events.push(event));
  const shown = { factorId: factor.id, code: totp(factor.totp.secret) };
  const session = data(await client.auth.mfa.challengeAndVerify(shown));
  assert.equal(session.user.factors[0].status, "verified");
  assert.deepEqual(await levels(client), ["aal2", "aal2"]);
  assert.ok(events.includes("MFA_CHALLENGE_VERIFIED"), events.join());
  const listed = data(await client.auth.mfa.listFactors());
  assert.deepEqual(listed.totp.map((it) => it.friendly_name), ["phone"]);

  const { error } = await other.auth.getUser();
  assert.equal(error?.name, "AuthSessionMissingError", "a session of one factor has ended");
  data(await client.auth.refreshSession());
  assert.deepEqual(await levels(client), ["aal2", "aal2"]);

  assert.deepEqual(data(await client.auth.mfa.unenroll({ factorId: factor.id })).id, factor.id);
  data(await client.auth.refreshSession());
  assert.deepEqual(await levels(client), ["aal1", "aal1"]);
});

test("without its factor a session changes nothing about how its user signs in", async () => {
  const { again, factor } = await keeper();
  const client = await again();
  assert.deepEqual(await levels(client), ["aal1", "aal2"]);
  refused(await client.auth.updateUser({ password: "another horse" }), "insufficient_aal", 401);
  refused(await client.auth.mfa.enroll({ factorType: "totp", friendlyName: "b" }), "insufficient_aal", 403);
  refused(await client.auth.mfa.unenroll({ factorId: factor.id }), "insufficient_aal", 422);
  data(await client.auth.updateUser({ data: { name: "Anybody" } }));
  const shown = { factorId: factor.id, code: totp(factor.totp.secret, 1) };
  data(await client.auth.mfa.challengeAndVerify(shown));
  data(await client.auth.updateUser({ password: "another horse" }));
});

test("a code is taken once, and a challenge too", async () => {
  const { client, factor, code } = await keeper();
  const factorId = factor.id;
  refused(await client.auth.mfa.challengeAndVerify({ factorId, code }), "mfa_verification_failed", 422);
  const { id: challengeId } = data(await client.auth.mfa.challenge({ factorId }));
  const next = totp(factor.totp.secret, 1);
  data(await client.auth.mfa.verify({ factorId, challengeId, code: next }));
  refused(await client.auth.mfa.verify({ factorId, challengeId, code: next }), "mfa_ip_address_mismatch", 422);
});

test("a recovery code stands in for a factor that is lost", async () => {
  const { client, again } = await keeper();
  const ask = async (client, path, body) => {
    const { session } = data(await client.auth.getSession());
    const headers = { authorization: `Bearer ${session.access_token}` };
    if (body) headers["content-type"] = "application/json";
    const url = `${server.url}/auth/v1/factors/recovery_codes${path}`;
    const answer = await fetch(url, { method: "POST", headers, body: body && JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
  };
  const made = await ask(client, "");
  assert.equal(made.body.codes.length, 10, JSON.stringify(made));
  const lost = await again();
  const raised = await ask(lost, "/verify", { code: made.body.codes[3] });
  assert.equal(raised.status, 200, JSON.stringify(raised.body));
  data(await lost.auth.setSession(raised.body));
  assert.deepEqual(await levels(lost), ["aal2", "aal2"]);
  const used = await ask(await again(), "/verify", { code: made.body.codes[3] });
  assert.deepEqual([used.status, used.body.code], [422, "mfa_verification_failed"]);
});
