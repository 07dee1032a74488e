// Accounts and sessions as an app's visitors have them: signing up and confirming,
// signing in by password, by code and by link, and what is theirs once they are in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOG, serve } from "./harness.mjs";
import { answers, data, fails } from "./answers.mjs";

const server = await serve(BLOG, {
  settings: { MAINSTAY_AUTH__MAIL_EVERY_S: "0", MAINSTAY_AUTH__REQUESTS_MAX: "1000" },
});
const PASSWORD = "a horse of its own";
let people = 0;

/** The newest mail to an address; the server sends them in the background. */
async function mail(address) {
  for (let waited = 0; waited < 200; waited += 1) {
    const answer = await fetch(`${server.url}/_dev/mail`, { headers: { accept: "application/json" } });
    const found = (await answer.json()).find((mail) => mail.to === address);
    if (found && !mail.seen.has(found.id)) {
      mail.seen.add(found.id);
      const link = found.text.match(/https?:\/\/\S+\/auth\/v1\/verify\?\S+/)?.[0];
      const hash = link && new URL(link).searchParams.get("token");
      return { ...found, link, hash, code: found.text.match(/\b\d{6}\b/)?.[0] };
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`no mail to ${address}`);
}
mail.seen = new Set();

/** Somebody nobody has met. */
function somebody() {
  people += 1;
  const handle = `reader-${people}`;
  return {
    email: `${handle}@example.com`,
    password: PASSWORD,
    options: { data: { handle, name: `Reader ${people}` } },
  };
}

/** A client whose user has signed up and confirmed. */
async function member() {
  const client = server.anonymous();
  const person = somebody();
  data(await client.auth.signUp(person));
  const { code } = await mail(person.email);
  data(await client.auth.verifyOtp({ email: person.email, token: code, type: "email" }));
  return { client, ...person };
}

/** Opens a link as a browser does, and says where it leads. */
async function opened(link) {
  const answer = await fetch(link, { redirect: "manual" });
  assert.equal(answer.status, 303);
  return new URL(answer.headers.get("location"));
}

function refused(answer, code, status) {
  assert.equal(answer.error?.code, code, JSON.stringify(answer.error));
  if (status !== undefined) assert.equal(answer.error.status, status);
}

test("who signs up is in once the address is confirmed, and not before", async () => {
  const client = server.anonymous();
  const person = somebody();
  const { user, session } = data(await client.auth.signUp(person));
  assert.equal(session, null);
  assert.equal(user.identities.length, 1);
  refused(await client.auth.signInWithPassword(person), "email_not_confirmed", 400);

  const { code } = await mail(person.email);
  const wrong = code === "000000" ? "000001" : "000000";
  refused(await client.auth.verifyOtp({ email: person.email, token: wrong, type: "email" }), "otp_expired", 403);
  const verified = data(await client.auth.verifyOtp({ email: person.email, token: code, type: "email" }));
  assert.equal(verified.user.id, user.id);
  assert.ok(verified.session.access_token);
  assert.equal(verified.user.user_metadata.email_verified, true);
  refused(await client.auth.verifyOtp({ email: person.email, token: code, type: "email" }), "otp_expired", 403);
});

test("data rules follow who is signed in", async () => {
  const { client } = await member();
  const { user } = data(await client.auth.getUser());
  const post = { title: "Mine", slug: `mine-${user.id}`, kind: "note" };
  data(await client.from("posts").insert(post));
  const mine = (who) => who.from("posts").select("title,author").eq("slug", post.slug);
  answers(await mine(client), [{ title: "Mine", author: user.id }]);
  answers(await mine(server.anonymous()), []);
  await client.auth.signOut();
  answers(await mine(client), []);
});

test("an address that is taken is answered like one that is not", async () => {
  const { email } = await member();
  const shape = (answer) => {
    const { user } = data(answer);
    return [Object.keys(user).sort(), user.role, user.identities.length, answer.data.session];
  };
  const known = shape(await server.anonymous().auth.signUp({ ...somebody(), email }));
  const unknown = shape(await server.anonymous().auth.signUp(somebody()));
  assert.deepEqual(known, unknown);
  for (const address of [email, "nobody@example.com"]) {
    data(await server.anonymous().auth.resetPasswordForEmail(address));
    refused(
      await server.anonymous().auth.signInWithPassword({ email: address, password: "not this one" }),
      "invalid_credentials",
      400,
    );
  }
});

test("a code that was asked for signs in, and makes an account where there is none", async () => {
  const { email } = await member();
  const client = server.anonymous();
  data(await client.auth.signInWithOtp({ email }));
  const { code } = await mail(email);
  const { user } = data(await client.auth.verifyOtp({ email, token: code, type: "email" }));
  assert.equal(user.email, email);

  const stranger = somebody();
  data(await client.auth.signInWithOtp({ email: stranger.email, options: stranger.options }));
  const sent = await mail(stranger.email);
  data(await client.auth.verifyOtp({ token_hash: sent.hash, type: "email" }));
  assert.equal(data(await client.auth.getUser()).user.email, stranger.email);
  // Answered as a known address is, and nobody is mailed.
  const nobody = { email: "nobody-at-all@example.com", options: { shouldCreateUser: false } };
  data(await client.auth.signInWithOtp(nobody));
});

test("a refresh gives new tokens, and the old ones once more at most", async () => {
  const { client } = await member();
  const first = data(await client.auth.getSession()).session;
  const second = data(await client.auth.refreshSession()).session;
  assert.notEqual(second.refresh_token, first.refresh_token);
  const [one, other] = await Promise.all(
    [0, 1].map(() => server.anonymous().auth.refreshSession({ refresh_token: second.refresh_token })),
  );
  assert.equal(data(one).session.refresh_token, data(other).session.refresh_token);
  refused(
    await server.anonymous().auth.refreshSession({ refresh_token: first.refresh_token }),
    "refresh_token_already_used",
    400,
  );
  refused(
    await server.anonymous().auth.refreshSession({ refresh_token: data(one).session.refresh_token }),
    "refresh_token_not_found",
    400,
  );
});

test("claims are verified with the published keys", async () => {
  const { client, email } = await member();
  const { claims } = data(await client.auth.getClaims());
  assert.equal(claims.email, email);
  assert.equal(claims.aal, "aal1");
  assert.equal(claims.role, "authenticated");
  assert.equal(claims.is_anonymous, false);
});

test("another password ends the other sessions, and the old one is good no more", async () => {
  const { client, email, password } = await member();
  const elsewhere = server.anonymous();
  data(await elsewhere.auth.signInWithPassword({ email, password }));
  refused(await client.auth.updateUser({ password }), "same_password", 422);
  refused(await client.auth.updateUser({ password: "password" }), "weak_password", 422);
  data(await client.auth.updateUser({ password: "another horse altogether" }));
  assert.equal((await elsewhere.auth.getUser()).error.name, "AuthSessionMissingError");
  data(await client.auth.getUser());
  refused(await elsewhere.auth.signInWithPassword({ email, password }), "invalid_credentials");
});

test("what a user says of themselves is merged, and grants nothing", async () => {
  const { client } = await member();
  const metadata = async (sent) => data(await client.auth.updateUser({ data: sent })).user.user_metadata;
  assert.equal((await metadata({ colour: "red", roles: ["editor"] })).colour, "red");
  assert.ok(!("colour" in (await metadata({ colour: null }))));
  data(await client.auth.refreshSession());
  const { claims } = data(await client.auth.getClaims());
  assert.equal(claims.app_metadata.roles, undefined);
});

test("another address counts once both have agreed", async () => {
  const { client, email } = await member();
  const next = `next-${email}`;
  const { user } = data(await client.auth.updateUser({ email: next }));
  assert.deepEqual([user.email, user.new_email], [email, next]);
  const [old, fresh] = [await mail(email), await mail(next)];
  const half = await client.auth.verifyOtp({ email, token: old.code, type: "email_change" });
  assert.deepEqual([half.error, half.data.session], [null, null]);
  const whole = data(await client.auth.verifyOtp({ email: next, token: fresh.code, type: "email_change" }));
  assert.equal(whole.user.email, next);
  assert.equal(whole.user.new_email, undefined);
});

test("a forgotten password is set anew by who reads the mail", async () => {
  const { email } = await member();
  const client = server.anonymous();
  data(await client.auth.resetPasswordForEmail(email));
  const { hash } = await mail(email);
  data(await client.auth.verifyOtp({ token_hash: hash, type: "recovery" }));
  data(await client.auth.updateUser({ password: "remembered this time" }));
  data(await server.anonymous().auth.signInWithPassword({ email, password: "remembered this time" }));
});

test("a user shows once more who they are", async () => {
  const { client, email } = await member();
  data(await client.auth.reauthenticate());
  assert.match((await mail(email)).code, /^\d{6}$/);
  refused(await server.anonymous().auth.reauthenticate(), undefined);
});

test("nobody in particular signs in, and becomes somebody under the same id", async () => {
  const client = server.anonymous();
  const person = somebody();
  const { user } = data(await client.auth.signInAnonymously({ options: person.options }));
  assert.equal(user.is_anonymous, true);
  assert.equal(data(await client.auth.getClaims()).claims.is_anonymous, true);
  data(await client.auth.updateUser({ email: person.email }));
  const { code } = await mail(person.email);
  data(await client.auth.verifyOtp({ email: person.email, token: code, type: "email_change" }));
  const known = data(await client.auth.getUser()).user;
  assert.deepEqual([known.id, known.is_anonymous, known.email], [user.id, false, person.email]);
});

test("signing out ends this session, the others, or all", async () => {
  const { client, email, password } = await member();
  const clients = await Promise.all(
    [0, 1].map(async () => {
      const other = server.anonymous();
      data(await other.auth.signInWithPassword({ email, password }));
      return other;
    }),
  );
  const [one, two] = clients;
  const isIn = async (who) => (await who.auth.getUser()).error === null;
  assert.equal((await one.auth.signOut({ scope: "local" })).error, null);
  assert.deepEqual([await isIn(client), await isIn(two)], [true, true]);
  assert.equal((await two.auth.signOut({ scope: "others" })).error, null);
  assert.deepEqual([await isIn(client), await isIn(two)], [false, true]);
  const token = data(await two.auth.getSession()).session.access_token;
  assert.equal((await two.auth.signOut()).error, null);
  const ended = await server.fetch("/rest/v1/posts?select=id&limit=1", {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(ended.status, 401);
});

test("a link leads where it may, with a session, and is good once", async () => {
  const client = server.anonymous();
  const person = somebody();
  data(await client.auth.signUp({ ...person, options: { ...person.options, emailRedirectTo: "https://evil.example/" } }));
  const { link } = await mail(person.email);
  assert.equal((await fetch(link, { method: "HEAD", redirect: "manual" })).status, 200);
  const target = await opened(link);
  assert.equal(target.origin, new URL(server.url).origin);
  const given = new URLSearchParams(target.hash.slice(1));
  assert.equal(given.get("type"), "signup");
  const { user } = data(
    await client.auth.setSession({
      access_token: given.get("access_token"),
      refresh_token: given.get("refresh_token"),
    }),
  );
  assert.equal(user.email, person.email);
  const again = new URLSearchParams((await opened(link)).hash.slice(1));
  assert.equal(again.get("error_code"), "otp_expired");
});

test("a flow with a challenge gives its code to who opens the link, and the session to who asked", async () => {
  const storage = new Map();
  const keep = {
    getItem: (key) => storage.get(key) ?? null,
    setItem: (key, value) => storage.set(key, value),
    removeItem: (key) => storage.delete(key),
  };
  const options = { auth: { flowType: "pkce", storage: keep, persistSession: true, autoRefreshToken: false, detectSessionInUrl: false } };
  const client = server.client(server.keys.anon, options);
  const person = somebody();
  data(await client.auth.signUp(person));
  const { link, hash } = await mail(person.email);
  assert.ok(hash.startsWith("pkce_"));
  const target = await opened(link);
  const code = target.searchParams.get("code");
  assert.ok(code && !target.hash.includes("access_token"));
  const unknown = await server.fetch("/auth/v1/token?grant_type=pkce", {
    method: "POST",
    body: JSON.stringify({ auth_code: "0".repeat(43), code_verifier: "x".repeat(50) }),
  });
  assert.deepEqual([unknown.status, (await unknown.json()).code], [404, "flow_state_not_found"]);
  const { user } = data(await client.auth.exchangeCodeForSession(code));
  assert.equal(user.email, person.email);
});

test("a bearer that does not verify is refused, and the refresh token is none", async () => {
  const { client } = await member();
  const { session } = data(await client.auth.getSession());
  const { refresh_token: refresh, access_token: access } = session;
  for (const token of [refresh, `${access.slice(0, -4)}AAAA`, "eyJ.eyJ.x"]) {
    const answer = await server.fetch("/auth/v1/user", { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 401);
    assert.equal((await answer.json()).code, "bad_jwt");
  }
  const none = await server.fetch("/auth/v1/user", { headers: { apikey: server.keys.anon } });
  assert.deepEqual([none.status, (await none.json()).code], [401, "no_authorization"]);
});

test("what is not there is refused in words that clients read", async () => {
  const answer = await server.fetch("/auth/v1/nothing");
  assert.equal(answer.status, 404);
  assert.equal((await answer.json()).code, "not_found");
  for (const model of ["mainstay_sessions", "mainstay_passwords", "mainstay_audit"]) {
    fails(await server.service().from(model).select(), "PGRST205", 404);
  }
});
