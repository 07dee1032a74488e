// The example as the README serves it, from its seed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOG, serve } from "./harness.mjs";
import { answers, data, fails, lists } from "./answers.mjs";

const server = await serve(BLOG);
const visitor = server.anonymous();

// The ids that the seed gives them.
const id = async (handle) => data(await visitor.from("users").select("id").eq("handle", handle).single()).id;
const ada = await server.user(await id("ada"));
const bo = await server.user(await id("bo"));
const cleo = await server.user(await id("cleo"), "editor");

test("an anonymous visitor reads the published posts, newest first", async () => {
  answers(
    await visitor
      .from("posts")
      .select("slug, author(handle), tags(name)")
      .order("published_at", { ascending: false })
      .order("name", { referencedTable: "tags" }),
    [
      { slug: "the-shelf-of-unread-books", author: { handle: "cleo" }, tags: [{ name: "reading" }] },
      { slug: "reading-a-query-plan-aloud", author: { handle: "ada" }, tags: [{ name: "databases" }] },
      { slug: "three-sowings-of-radish", author: { handle: "bo" }, tags: [{ name: "craft" }, { name: "gardening" }] },
      { slug: "a-queue-is-a-promise", author: { handle: "ada" }, tags: [{ name: "craft" }, { name: "databases" }] },
    ],
  );
});

test("the front page and what it is made of are served", async () => {
  const page = await server.fetch("/");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type"), /^text\/html/);
  const html = await page.text();
  for (const name of ["blog.js", "blog.css"]) {
    assert.ok(html.includes(`"${name}"`));
    const part = await server.fetch(`/${name}`);
    assert.equal(part.status, 200);
    await part.text();
  }
});

test("the requests of the front page are answered", async () => {
  const script = await (await server.fetch("/blog.js")).text();
  const select = [...script.match(/POSTS =([^;]*);/)[1].matchAll(/"([^"]*)"/g)].map(([, part]) => part).join("");
  const query = new URLSearchParams({
    select: `${select},chosen:tags!inner()`,
    published: "is.true",
    order: "published_at.desc",
    "comments.order": "created_at",
    "chosen.name": "eq.craft",
  });
  const answer = await server.fetch(`/rest/v1/posts?${query}`);
  const rows = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(rows));
  assert.deepEqual(rows.map((row) => row.slug), ["three-sowings-of-radish", "a-queue-is-a-promise"]);
  assert.deepEqual(rows[1].comments.map((comment) => comment.author.name), [
    "Bo Lindqvist",
    "Deniz Aydın",
    "Ada Okafor",
  ]);
  assert.deepEqual(rows[1].tags.map((tag) => tag.name).toSorted(), ["craft", "databases"]);
});

test("a draft is seen by its author and the editors alone", async () => {
  const drafts = (client) => client.from("posts").select("slug").eq("published", false).order("slug");
  lists(await drafts(visitor), "slug", []);
  lists(await drafts(ada), "slug", ["joins-aloud"]);
  lists(await drafts(bo), "slug", ["frost-dates-are-statistics"]);
  lists(await drafts(cleo), "slug", ["frost-dates-are-statistics", "joins-aloud"]);
});

test("an author writes a draft, and an editor publishes it", async () => {
  answers(
    await ada.from("posts").insert({ title: "On writing", slug: "on-writing" }).select("published, kind, views"),
    [{ published: false, kind: "note", views: 0 }],
    201,
  );
  fails(await ada.from("posts").update({ published: true }).eq("slug", "on-writing"), "42501", 403);
  answers(await visitor.from("posts").select("slug").eq("slug", "on-writing"), []);
  answers(
    await cleo
      .from("posts")
      .update({ published: true, published_at: "2026-11-23T10:00:00Z" })
      .eq("slug", "on-writing")
      .select("published, author(handle)"),
    [{ published: true, author: { handle: "ada" } }],
    200,
  );
  answers(await visitor.from("posts").select("slug").eq("slug", "on-writing"), [{ slug: "on-writing" }]);
});

test("a post is its author's to delete until somebody else has answered", async () => {
  const post = data(
    await bo.from("posts").insert({ title: "Slugs", slug: "slugs" }).select("id").single(),
    201,
  ).id;
  data(await cleo.from("posts").update({ published: true }).eq("id", post), 204);
  data(await bo.from("comments").insert({ post, body: "The animal, not the word." }), 201);
  answers(await bo.from("posts").delete().eq("slug", "three-sowings-of-radish").select("slug"), []);
  answers(await bo.from("posts").delete().eq("id", post).select("slug"), [{ slug: "slugs" }]);
  answers(await bo.from("posts").select("slug").eq("slug", "three-sowings-of-radish"), [
    { slug: "three-sowings-of-radish" },
  ]);
});

test("the author's notes are the author's alone", async () => {
  const notes = (client) => client.from("posts").select("notes").eq("slug", "a-queue-is-a-promise");
  answers(await notes(ada), [{ notes: "The customer was my mother. Leave that out." }]);
  answers(await notes(cleo), [{ notes: null }]);
  fails(await notes(visitor), "42501", 401);
});

test("a comment is signed, stays below its post and may be moderated", async () => {
  const post = data(await visitor.from("posts").select("id").eq("slug", "a-queue-is-a-promise").single()).id;
  fails(await visitor.from("comments").insert({ post, body: "First!" }), "42501", 401);
  const comment = data(
    await bo.from("comments").insert({ post, body: "One more thing." }).select("id, author(handle)").single(),
    201,
  );
  assert.deepEqual(comment.author, { handle: "bo" });
  const other = data(await visitor.from("posts").select("id").eq("slug", "three-sowings-of-radish").single()).id;
  fails(await bo.from("comments").update({ post: other }).eq("id", comment.id), "42501", 403);
  const moderator = await server.user(await id("deniz"), "moderator");
  answers(await moderator.from("comments").delete().eq("id", comment.id).select("body"), [
    { body: "One more thing." },
  ]);
});

test("tags are the editors' to keep, and authors put them on their own posts", async () => {
  fails(await ada.from("tags").insert({ name: "mine" }), "42501", 403);
  const tag = data(await cleo.from("tags").insert({ name: "writing" }).select("id").single(), 201).id;
  const post = async (slug) => data(await ada.from("posts").select("id").eq("slug", slug).single()).id;
  data(await ada.from("post_tags").insert({ post: await post("joins-aloud"), tag }), 201);
  fails(await ada.from("post_tags").insert({ post: await post("three-sowings-of-radish"), tag }), "42501", 403);
  answers(await ada.from("posts").select("tags(name)").eq("slug", "joins-aloud").order("name", { referencedTable: "tags" }), [
    { tags: [{ name: "databases" }, { name: "writing" }] },
  ]);
});

test("a badge is given, not taken", async () => {
  fails(await bo.from("users").update({ badge: "founder" }).eq("handle", "bo"), "42501", 403);
  answers(await bo.from("users").update({ bio: "Gardener." }).eq("handle", "bo").select("bio, badge"), [
    { bio: "Gardener.", badge: "regular" },
  ]);
});
