// Accounts as an app's operators have them, with the service key: made, listed, changed,
// banned, deleted, invited, and given links instead of mails.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOG, serve } from "./harness.mjs";
import { data } from "./answers.mjs";

const server = await serve(BLOG, {
  settings: { MAINSTAY_AUTH__MAIL_EVERY_S: "0", MAINSTAY_AUTH__REQUESTS_MAX: "1000" },
});
const { admin } = server.service().auth;
const PASSWORD = "a horse of its own";
let people = 0;

/** What an account is made of, of somebody nobody has met. */
function somebody(more = {}) {
  people += 1;
  const handle = `staff-${people}`;
  return {
    email: `${handle}@example.com`,
    password: PASSWORD,
    email_confirm: true,
    user_metadata: { handle, name: `Staff ${people}` },
    ...more,
  };
}

async function created(more) {
  const person = somebody(more);
  return { ...person, id: data(await admin.createUser(person)).user.id };
}

async function signedIn(person) {
  const client = server.anonymous();
  data(await client.auth.signInWithPassword(person));
  return client;
}

function refused(answer, code, status) {
  assert.equal(answer.error?.code, code, JSON.stringify(answer.error));
  if (status !== undefined) assert.equal(answer.error.status, status);
}

test("an account is made, found, changed and listed", async () => {
  const person = await created();
  const found = data(await admin.getUserById(person.id)).user;
  assert.equal(found.email, person.email);
  const changed = data(
    await admin.updateUserById(person.id, { user_metadata: { colour: "red" }, app_metadata: { roles: ["editor"] } }),
  ).user;
  assert.equal(changed.user_metadata.colour, "red");
  assert.deepEqual(changed.app_metadata.roles, ["editor"]);
  const listed = data(await admin.listUsers({ page: 1, perPage: 2 }));
  assert.equal(listed.users.length, 2);
  assert.ok(listed.total >= 2 && listed.lastPage >= 1);
  refused(await admin.createUser(person), "email_exists", 422);
});

test("a role that is given counts from the next request, for the token that is there", async () => {
  const person = await created();
  const client = await signedIn(person);
  const drafts = async () => data(await client.from("posts").select("id").eq("published", false)).length;
  const before = await drafts();
  data(await admin.updateUserById(person.id, { app_metadata: { roles: ["editor"] } }));
  assert.ok((await drafts()) > before);
  data(await admin.updateUserById(person.id, { app_metadata: { roles: [] } }));
  assert.equal(await drafts(), before);
});

test("who is banned is out from the next request, and in again once it is lifted", async () => {
  const person = await created();
  const client = await signedIn(person);
  data(await client.auth.getUser());
  data(await admin.updateUserById(person.id, { ban_duration: "24h" }));
  refused(await client.auth.getUser(), "user_banned", 403);
  refused(await server.anonymous().auth.signInWithPassword(person), "user_banned", 400);
  data(await admin.updateUserById(person.id, { ban_duration: "none" }));
  data(await client.auth.getUser());
});

test("an account that is deleted is gone, with its sessions", async () => {
  const person = await created();
  const client = await signedIn(person);
  data(await admin.deleteUser(person.id));
  refused(await client.auth.getUser(), "user_not_found", 403);
  refused(await admin.getUserById(person.id), "user_not_found", 404);
  refused(await admin.deleteUser(person.id), "user_not_found", 404);
});

test("an operator signs a user out everywhere", async () => {
  const person = await created();
  const [one, two] = [await signedIn(person), await signedIn(person)];
  const { session } = data(await one.auth.getSession());
  assert.equal((await admin.signOut(session.access_token, "global")).error, null);
  for (const client of [one, two]) {
    assert.equal((await client.auth.getUser()).error.name, "AuthSessionMissingError");
  }
});

test("somebody is invited, and confirms by the invitation", async () => {
  const { email, user_metadata } = somebody();
  const { user } = data(await admin.inviteUserByEmail(email, { data: user_metadata }));
  assert.ok(user.invited_at);
  const { properties } = data(
    await admin.generateLink({ type: "invite", email, options: { data: user_metadata } }),
  );
  const client = server.anonymous();
  const joined = data(await client.auth.verifyOtp({ token_hash: properties.hashed_token, type: "invite" }));
  assert.equal(joined.user.id, user.id);
});

test("a link is given instead of a mail, of every kind", async () => {
  const person = await created();
  for (const [type, as] of [["magiclink", "magiclink"], ["recovery", "recovery"]]) {
    const { properties, user } = data(await admin.generateLink({ type, email: person.email }));
    assert.equal(user.id, person.id);
    assert.match(properties.email_otp, /^\d{6}$/);
    assert.equal(properties.verification_type, as);
    const client = server.anonymous();
    data(await client.auth.verifyOtp({ token_hash: properties.hashed_token, type: as }));
    assert.equal(data(await client.auth.getUser()).user.id, person.id);
  }
  const { email, password, user_metadata } = somebody();
  const signUp = { type: "signup", email, password, options: { data: user_metadata } };
  const { properties } = data(await admin.generateLink(signUp));
  const client = server.anonymous();
  data(await client.auth.verifyOtp({ email, token: properties.email_otp, type: "email" }));
  const change = { type: "email_change_new", email, newEmail: `next-${email}` };
  assert.equal(data(await admin.generateLink(change)).properties.verification_type, "email_change_new");
});

test("factors of an account are listed for an operator", async () => {
  const person = await created();
  const client = await signedIn(person);
  const factor = data(await client.auth.mfa.enroll({ factorType: "totp" }));
  const listed = data(await admin.mfa.listFactors({ userId: person.id }));
  assert.deepEqual(listed.factors.map((it) => it.id), [factor.id]);
  data(await admin.mfa.deleteFactor({ userId: person.id, id: factor.id }));
  assert.deepEqual(data(await admin.mfa.listFactors({ userId: person.id })).factors, []);
});

test("nobody administers without the service key", async () => {
  const person = await created();
  const client = await signedIn(person);
  const { session } = data(await client.auth.getSession());
  const asked = (token) =>
    server.fetch("/auth/v1/admin/users", { headers: token ? { authorization: `Bearer ${token}` } : {} });
  for (const [token, status, code] of [
    [session.access_token, 403, "not_admin"],
    [server.keys.anon, 403, "not_admin"],
    [null, 401, "no_authorization"],
  ]) {
    const answer = await asked(token);
    assert.deepEqual([answer.status, (await answer.json()).code], [status, code]);
  }
});
