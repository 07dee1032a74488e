// Who may do what: the same requests from an anonymous visitor, an author, another
// author, an editor and the service.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { JOURNAL, serve } from "./harness.mjs";
import { answers, data, fails, lists } from "./answers.mjs";

// Comments are refused before others are made.
const server = await serve(JOURNAL, { gaps: ["comments"] });
const anonymous = server.anonymous();
const ada = await server.user("ada");
const bo = await server.user("bo");
const editor = await server.user("cleo", "editor");
const service = server.service();

const QUEUE = "00000000-0000-7000-8000-000000000001";
const JOINS = "00000000-0000-7000-8000-000000000005";

// Every test begins with ada's two posts of its own, one published and one not.
beforeEach(async () => {
  data(await service.from("posts").delete().like("slug", "t-%"));
  data(
    await service.from("posts").insert([
      { slug: "t-open", title: "Open", author: "ada", published: true, notes: "mine", score: 1 },
      { slug: "t-draft", title: "Draft", author: "ada", published: false, notes: "mine", score: 1 },
    ]),
  );
});

const drafts = (client) => client.from("posts").select("slug").eq("published", false).order("slug");
const title = async (slug) =>
  data(await service.from("posts").select("title").eq("slug", slug).maybeSingle())?.title;

test("each caller sees the rows their rule admits", async () => {
  lists(await drafts(anonymous), "slug", []);
  lists(await drafts(ada), "slug", ["joins", "t-draft"]);
  lists(await drafts(bo), "slug", ["frost"]);
  lists(await drafts(editor), "slug", ["frost", "joins", "t-draft"]);
  lists(await drafts(service), "slug", ["frost", "joins", "t-draft"]);
});

test("a row that is hidden is not there, also by its key", async () => {
  answers(await bo.from("posts").select("slug").eq("id", JOINS), []);
  fails(await bo.from("posts").select("slug").eq("id", JOINS).single(), "PGRST116", 406);
  answers(await ada.from("posts").select("slug").eq("id", JOINS).single(), { slug: "joins" });
});

test("the anon key is the same as no key, and no role of a user's is more than it says", async () => {
  const keyless = await server.fetch("/rest/v1/posts?select=slug&published=is.false");
  assert.equal(keyless.status, 200);
  assert.deepEqual(await keyless.json(), []);
  const pretender = await server.user("bo", "authenticated");
  lists(await drafts(pretender), "slug", ["frost"]);
  const unknown = await server.user("bo", "gardener");
  lists(await drafts(unknown), "slug", ["frost"]);
});

test("a bearer token given in the global headers decides as well", async () => {
  const token = await server.token("ada");
  const client = server.client(server.keys.anon, { global: { headers: { Authorization: `Bearer ${token}` } } });
  lists(await drafts(client), "slug", ["joins", "t-draft"]);
});

test("a bearer token beats the key it comes with", async () => {
  const token = await server.token("bo");
  const client = server.client(server.keys.service, { accessToken: async () => token });
  lists(await drafts(client), "slug", ["frost"]);
});

test("a model without rules is closed to everybody but the service", async () => {
  fails(await anonymous.from("vault").select(), "42501", 401);
  fails(await editor.from("vault").select(), "42501", 403);
  fails(await editor.from("vault").insert({ word: "hello" }), "42501", 403);
  fails(await editor.from("vault").update({ word: "hello" }).eq("word", "open sesame"), "42501", 403);
  fails(await editor.from("vault").delete().eq("word", "open sesame"), "42501", 403);
  answers(await service.from("vault").select("word"), [{ word: "open sesame" }]);
});

test("an operation without a rule is closed", async () => {
  fails(await ada.from("people").delete().eq("id", "ada"), "42501", 403);
  fails(await anonymous.from("people").delete().eq("id", "ada"), "42501", 401);
});

test("nobody writes under another's name, and nobody anonymous writes", async () => {
  fails(await anonymous.from("posts").insert({ title: "T", slug: "t-x", author: "ada" }), "42501", 401);
  // The author would default to the caller, and there is none: that they may not write comes first.
  fails(await anonymous.from("posts").insert({ title: "T", slug: "t-x" }), "42501", 401);
  fails(await bo.from("posts").insert({ title: "T", slug: "t-x", author: "ada" }), "42501", 403);
  fails(
    await bo.from("posts").insert([{ title: "T", slug: "t-x", author: "bo" }, { title: "T", slug: "t-y", author: "ada" }]),
    "42501",
    403,
  );
  answers(await service.from("posts").select("slug").in("slug", ["t-x", "t-y"]), []);
  answers(
    await bo.from("posts").insert({ title: "T", slug: "t-x" }).select("author"),
    [{ author: "bo" }],
    201,
  );
});

test("a rule that follows a ref asks the row at its other end", async () => {
  // Her own draft: she sees it, and it takes no comments all the same.
  fails(await ada.from("comments").insert({ body: "psst", post: JOINS }), "42501", 403);
  const { id } = data(
    await bo.from("comments").insert({ body: "hello", post: QUEUE }).select("id").single(),
    201,
  );
  answers(await ada.from("comments").update({ body: "changed" }).eq("id", id).select(), []);
  answers(await ada.from("comments").delete().eq("id", id).select(), []);
  answers(await bo.from("comments").update({ body: "better" }).eq("id", id).select("body"), [{ body: "better" }]);
  answers(await editor.from("comments").delete().eq("id", id).select("body"), [{ body: "better" }]);
});

test("a comment cannot be moved to another name by its author", async () => {
  const { id } = data(
    await bo.from("comments").insert({ body: "hello", post: QUEUE }).select("id").single(),
    201,
  );
  fails(await bo.from("comments").update({ author: "ada" }).eq("id", id), "42501", 403);
  answers(await service.from("comments").select("author").eq("id", id), [{ author: "bo" }]);
  data(await service.from("comments").delete().eq("id", id));
});

test("a write touches only rows that the caller may write", async () => {
  answers(await anonymous.from("posts").update({ title: "Hacked" }).like("slug", "t-%").select("slug"), []);
  answers(await bo.from("posts").update({ title: "Hacked" }).like("slug", "t-%").select("slug"), []);
  answers(await bo.from("posts").delete().like("slug", "t-%").select("slug"), []);
  assert.equal(await title("t-open"), "Open");
  answers(
    await editor.from("posts").update({ title: "Edited" }).eq("slug", "t-open").select("title"),
    [{ title: "Edited" }],
  );
  answers(await editor.from("posts").delete().eq("slug", "t-open").select("slug"), []);
  assert.equal(await title("t-open"), "Edited");
  answers(await ada.from("posts").delete().eq("slug", "t-open").select("slug"), [{ slug: "t-open" }]);
  assert.equal(await title("t-open"), undefined);
});

test("a check compares the row as it would be with the row as it was", async () => {
  fails(await ada.from("posts").update({ author: "bo" }).eq("slug", "t-draft"), "42501", 403);
  fails(await editor.from("posts").update({ author: "cleo" }).eq("slug", "t-draft"), "42501", 403);
  answers(await service.from("posts").select("author").eq("slug", "t-draft"), [{ author: "ada" }]);
});

test("a hidden field cannot be written, filtered or ordered by", async () => {
  answers(await ada.from("posts").select("notes").eq("slug", "t-open"), [{ notes: "mine" }]);
  answers(await editor.from("posts").select("notes").eq("slug", "t-open"), [{ notes: null }]);
  fails(await editor.from("posts").update({ notes: "theirs" }).eq("slug", "t-open"), "42501", 403);
  fails(await editor.from("posts").select("slug").like("notes", "m%"), "42501", 403);
  fails(await editor.from("posts").select("slug").order("notes"), "42501", 403);
  fails(await editor.from("posts").delete().eq("notes", "mine"), "42501", 403);
  answers(await ada.from("posts").update({ notes: "still mine" }).eq("slug", "t-open").select("notes"), [
    { notes: "still mine" },
  ]);
  answers(await service.from("posts").select("slug").eq("notes", "still mine"), [{ slug: "t-open" }]);
});

test("a field that nobody may write is the service's alone", async () => {
  fails(await ada.from("posts").update({ views: 1 }).eq("slug", "t-open"), "42501", 403);
  answers(await service.from("posts").update({ views: 1 }).eq("slug", "t-open").select("views"), [{ views: 1 }]);
});

test("types and constraints hold for the service too", async () => {
  fails(await service.from("posts").update({ views: -1 }).eq("slug", "t-open"), "23514", 400);
  fails(await service.from("posts").insert({ slug: "t-none", author: "ada" }), "23502", 400);
  fails(await service.from("posts").delete(), "21000", 400);
});

test("a ref to a row that is hidden is refused like one to a row that is not there", async () => {
  const gone = "00000000-0000-7000-8000-0000000000ff";
  const rows = { bookmarks: (post) => ({ post }), comments: (post) => ({ post, body: "psst" }) };
  for (const [model, row] of Object.entries(rows)) {
    const hidden = fails(await bo.from(model).insert(row(JOINS)), "23503", 409);
    const missing = fails(await bo.from(model).insert(row(gone)), "23503", 409);
    assert.deepEqual(hidden, missing, model);
  }
  answers(await bo.from("posts").select("slug, people!bookmarks(handle)").eq("slug", "joins"), []);
});

test("an embed shows the rows that the caller may see, and no others", async () => {
  const query = (client) =>
    client.from("people").select("handle, posts!author(slug)").eq("id", "bo").order("slug", { referencedTable: "posts" });
  answers(await query(anonymous), [{ handle: "bo", posts: [{ slug: "radish" }] }]);
  answers(await query(bo), [{ handle: "bo", posts: [{ slug: "frost" }, { slug: "radish" }] }]);
  answers(
    await anonymous.from("posts").select("slug, comments(id)").eq("slug", "queue").order("id", { referencedTable: "comments" }),
    [{ slug: "queue", comments: [{ id: 1 }, { id: 2 }, { id: 3 }] }],
  );
});

test("a to-one embed that is hidden is null", async () => {
  const { id } = data(
    await service.from("comments").insert({ body: "early", post: JOINS, author: "bo" }).select("id").single(),
  );
  const query = (client) => client.from("comments").select("body, posts(slug)").eq("id", id);
  answers(await query(bo), [{ body: "early", posts: null }]);
  answers(await query(ada), [{ body: "early", posts: { slug: "joins" } }]);
  answers(await query(anonymous), []);
  data(await service.from("comments").delete().eq("id", id));
});

test("a junction that is crossed is asked its own rule", async () => {
  const query = (client) => client.from("posts").select("slug, people!bookmarks(handle)").eq("slug", "queue");
  answers(await query(anonymous), [{ slug: "queue", people: [] }]);
  answers(await query(bo), [{ slug: "queue", people: [{ handle: "bo" }] }]);
  answers(await query(editor), [{ slug: "queue", people: [{ handle: "cleo" }] }]);
  const [{ people }] = data(await query(service));
  assert.deepEqual(people.map((user) => user.handle).toSorted(), ["bo", "cleo"]);
});

test("an inner embed and a count tell nothing of rows that are hidden", async () => {
  lists(
    await anonymous.from("people").select("handle, posts!author!inner(slug)").eq("posts.published", false),
    "handle",
    [],
  );
  answers(
    await anonymous.from("people").select("handle, posts!author(count)").eq("id", "bo"),
    [{ handle: "bo", posts: [{ count: 1 }] }],
  );
  answers(
    await bo.from("people").select("handle, posts!author(count)").eq("id", "bo"),
    [{ handle: "bo", posts: [{ count: 2 }] }],
  );
});

test("a plan made for one caller is not used for another", async () => {
  const query = (client) => client.from("posts").select("slug, notes").eq("slug", "t-draft");
  for (let round = 0; round < 3; round += 1) {
    answers(await query(ada), [{ slug: "t-draft", notes: "mine" }]);
    answers(await query(bo), []);
    answers(await query(editor), [{ slug: "t-draft", notes: null }]);
    fails(await query(anonymous), "42501", 401);
    answers(await query(service), [{ slug: "t-draft", notes: "mine" }]);
  }
});

test("a service key from a browser's page is refused", async () => {
  const client = server.client(server.keys.service, { global: { headers: { Origin: "http://localhost:5173" } } });
  fails(await client.from("tags").select("name"), "service_key_in_browser", 403);
});
