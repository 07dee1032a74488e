// What of each row is answered: names, aliases, casts, JSON paths and embeds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JOURNAL, serve } from "./harness.mjs";
import { answers, data, fails, lists } from "./answers.mjs";

const server = await serve(JOURNAL);
const db = server.anonymous();
const ada = await server.user("ada");

test("select without a list answers every field the caller may see", async () => {
  const [row] = data(await db.from("posts").select().eq("slug", "queue"), 200);
  const { created_at, updated_at, ...rest } = row;
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/);
  assert.match(updated_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/);
  assert.deepEqual(rest, {
    id: "00000000-0000-7000-8000-000000000001",
    title: "A queue is a promise",
    slug: "queue",
    body: "Sleep is the dividend.",
    views: 40,
    score: 4,
    price: 12.5,
    ratio: 0.5,
    published: true,
    mood: "happy",
    due: "2026-03-01",
    seen_at: "2026-03-01T08:30:00+00:00",
    ticket: "11111111-1111-4111-8111-111111111111",
    digest: "\\x00ff",
    extra: { kind: "essay", size: { w: 3, h: 4 }, tags: ["db", "craft"], draft: false },
    author: "ada",
    reviewer: "cleo",
  });
});

test("fields are answered under their aliases", async () => {
  answers(
    await db.from("posts").select("headline:title, slug, \"words\":body").eq("slug", "radish"),
    [{ headline: "Three sowings of radish", slug: "radish", words: "Some, always." }],
  );
});

test("fields are answered in the type they are cast to", async () => {
  answers(
    await db
      .from("posts")
      .select("views::text, open:published::text, price::text, score::float, due::text, w:extra->size->>w::int")
      .eq("slug", "queue"),
    [{ views: "40", open: "true", price: "12.50", score: 4, due: "2026-03-01", w: 3 }],
  );
});

test("a moment is cast to its day", async () => {
  answers(
    await db.from("posts").select("day:seen_at::date").eq("slug", "radish"),
    [{ day: "2026-04-15" }],
  );
});

test("an arrow answers JSON and a double arrow its text", async () => {
  answers(
    await db
      .from("posts")
      .select("extra->size, w:extra->size->w, width:extra->size->>w, extra->>kind, extra->>gone")
      .eq("slug", "queue"),
    [{ size: { w: 3, h: 4 }, w: 3, width: "3", kind: "essay", gone: null }],
  );
  const [{ box }] = data(await db.from("posts").select("box:extra->>size").eq("slug", "queue"));
  assert.equal(typeof box, "string");
  assert.deepEqual(JSON.parse(box), { w: 3, h: 4 });
});

test("a step into an array is a number, and the last key names the column", async () => {
  answers(
    await db.from("posts").select("extra->tags->0, second:extra->tags->>1, last:extra->tags->>-1").eq("slug", "queue"),
    [{ tags: "db", second: "craft", last: "craft" }],
  );
});

test("a ref embeds the row it points at, by the name of the field", async () => {
  answers(
    await db.from("posts").select("slug, author(name, handle)").eq("slug", "radish"),
    [{ slug: "radish", author: { name: "Bo Lindqvist", handle: "bo" } }],
  );
});

test("a ref embeds the row it points at, by the name of the model", async () => {
  answers(
    await db.from("comments").select("id, people(handle), posts(slug)").eq("id", 4),
    [{ id: 4, people: { handle: "ada" }, posts: { slug: "radish" } }],
  );
});

test("an embed beside a star takes the place of the field it is named after", async () => {
  const [row] = data(await db.from("comments").select("*, author(handle)").eq("id", 2));
  assert.deepEqual(row.author, { handle: "deniz" });
  assert.equal(row.post, "00000000-0000-7000-8000-000000000001");
  assert.equal(row.body, "How do you keep it small?");
});

test("an embed and a field of it are answered under their aliases", async () => {
  answers(
    await db.from("posts").select("slug, writer:author(called:name), reader:reviewer(called:name)").eq("slug", "queue"),
    [{ slug: "queue", writer: { called: "Ada Okafor" }, reader: { called: "Cleo Marchetti" } }],
  );
});

test("a ref that is absent embeds null", async () => {
  answers(
    await db.from("posts").select("slug, reviewer(name)").eq("slug", "plan"),
    [{ slug: "plan", reviewer: null }],
  );
});

test("two refs to one model are told apart by a hint", async () => {
  answers(
    await db
      .from("posts")
      .select("slug, people!author(handle), by:people!posts_reviewer_fkey(handle)")
      .eq("slug", "queue"),
    [{ slug: "queue", people: { handle: "ada" }, by: { handle: "cleo" } }],
  );
});

test("an embed that could mean two relations is refused with both named", async () => {
  const error = fails(await db.from("posts").select("slug, people(name)"), "PGRST201", 300);
  assert.match(error.hint, /author/);
  assert.match(error.hint, /reviewer/);
});

test("the rows that point here are embedded as a list", async () => {
  answers(
    await db.from("posts").select("slug, comments(id, body)").in("slug", ["queue", "wool"]).order("slug"),
    [
      {
        slug: "queue",
        comments: [
          { id: 1, body: "We had this with invoices" },
          { id: 2, body: "How do you keep it small?" },
          { id: 3, body: "A partition a day" },
        ],
      },
      { slug: "wool", comments: [] },
    ],
  );
});

test("a unique ref back embeds an object, not a list", async () => {
  answers(
    await db.from("people").select("handle, profiles(motto)").in("handle", ["ada", "cleo"]).order("handle"),
    [
      { handle: "ada", profiles: { motto: "Measure, then cut." } },
      { handle: "cleo", profiles: null },
    ],
  );
});

test("many are embedded through a junction, from either side", async () => {
  answers(
    await db.from("posts").select("slug, tags(name)").eq("slug", "queue").order("name", { referencedTable: "tags" }),
    [{ slug: "queue", tags: [{ name: "craft" }, { name: "databases" }] }],
  );
  answers(
    await db.from("tags").select("name, posts(slug)").order("name").order("slug", { referencedTable: "posts" }),
    [
      { name: "craft", posts: [{ slug: "queue" }, { slug: "radish" }] },
      { name: "databases", posts: [{ slug: "plan" }, { slug: "queue" }] },
      { name: "gardening", posts: [{ slug: "radish" }] },
      { name: "unused", posts: [] },
    ],
  );
});

test("a junction is named as the hint between two models that have several relations", async () => {
  answers(
    await ada.from("posts").select("slug, people!bookmarks(handle)").eq("slug", "queue"),
    [{ slug: "queue", people: [] }],
  );
  const bo = await server.user("bo");
  answers(
    await bo.from("posts").select("slug, readers:people!bookmarks(handle)").eq("slug", "queue"),
    [{ slug: "queue", readers: [{ handle: "bo" }] }],
  );
});

test("a model that points at itself embeds the row above and the rows below", async () => {
  answers(
    await db.from("people").select("handle, mentor(handle, mentor(handle))").eq("id", "deniz"),
    [{ handle: "deniz", mentor: { handle: "bo", mentor: { handle: "ada" } } }],
  );
  answers(
    await db.from("people").select("handle, taught:people(handle)").eq("id", "ada"),
    [{ handle: "ada", taught: [{ handle: "bo" }, { handle: "cleo" }] }],
  );
});

test("embeds nest", async () => {
  answers(
    await db
      .from("people")
      .select("handle, posts!author(slug, tags(name), comments(rating, author(handle, profiles(motto))))")
      .eq("id", "ada")
      .order("slug", { referencedTable: "posts" })
      .order("name", { referencedTable: "posts.tags" }),
    [
      {
        handle: "ada",
        posts: [
          {
            slug: "plan",
            tags: [{ name: "databases" }],
            comments: [{ rating: 2, author: { handle: "cleo", profiles: null } }],
          },
          {
            slug: "queue",
            tags: [{ name: "craft" }, { name: "databases" }],
            comments: [
              { rating: 5, author: { handle: "bo", profiles: { motto: "Wait for the frost." } } },
              { rating: 3, author: { handle: "deniz", profiles: null } },
              { rating: null, author: { handle: "ada", profiles: { motto: "Measure, then cut." } } },
            ],
          },
        ],
      },
    ],
  );
});

test("the same relation is embedded twice under two names", async () => {
  answers(
    await db
      .from("posts")
      .select("slug, best:comments(id), all:comments(id)")
      .eq("slug", "queue")
      .gte("best.rating", 5),
    [{ slug: "queue", best: [{ id: 1 }], all: [{ id: 1 }, { id: 2 }, { id: 3 }] }],
  );
});

test("a filter on an embed narrows the embed and keeps the row above", async () => {
  answers(
    await db
      .from("posts")
      .select("slug, comments(id), reviewer(handle)")
      .gte("comments.rating", 4)
      .eq("reviewer.handle", "ada")
      .order("slug"),
    [
      { slug: "plan", comments: [], reviewer: null },
      { slug: "queue", comments: [{ id: 1 }], reviewer: null },
      { slug: "radish", comments: [{ id: 4 }], reviewer: { handle: "ada" } },
      { slug: "wool", comments: [], reviewer: { handle: "ada" } },
    ],
  );
});

test("an inner embed leaves out the rows above that have none", async () => {
  answers(
    await db.from("posts").select("slug, comments!inner(id)").gte("comments.rating", 4).order("slug"),
    [
      { slug: "queue", comments: [{ id: 1 }] },
      { slug: "radish", comments: [{ id: 4 }] },
    ],
  );
});

test("an inner embed to one row filters by what that row holds", async () => {
  answers(
    await db.from("posts").select("slug, author!inner(handle)").eq("author.handle", "bo"),
    [{ slug: "radish", author: { handle: "bo" } }],
  );
  lists(
    await db.from("posts").select("slug, people!author!inner(handle)").eq("people.handle", "cleo"),
    "slug",
    ["wool"],
  );
});

test("an inner embed through a junction filters by the far side", async () => {
  answers(
    await db.from("posts").select("slug, tags!inner(name)").eq("tags.name", "craft").order("slug"),
    [
      { slug: "queue", tags: [{ name: "craft" }] },
      { slug: "radish", tags: [{ name: "craft" }] },
    ],
  );
});

test("an inner embed inside an inner embed reaches the row at the top", async () => {
  lists(
    await db
      .from("posts")
      .select("slug, comments!inner(id, author!inner(handle))")
      .eq("comments.author.handle", "deniz"),
    "slug",
    ["queue"],
  );
});

test("an embed without fields filters and is not answered", async () => {
  answers(
    await db.from("posts").select("slug, tags!inner()").eq("tags.name", "gardening"),
    [{ slug: "radish" }],
  );
});

test("rows are found by having no related row, or some", async () => {
  lists(await db.from("posts").select("slug, comments()").is("comments", null), "slug", ["wool"]);
  lists(
    await db.from("posts").select("slug, comments()").not("comments", "is", null).order("slug"),
    "slug",
    ["plan", "queue", "radish"],
  );
});

test("a spread lifts the fields of a to-one embed into the row", async () => {
  answers(
    await db.from("posts").select("slug, ...author(writer:name, handle)").eq("slug", "queue"),
    [{ slug: "queue", writer: "Ada Okafor", handle: "ada" }],
  );
  answers(
    await db.from("comments").select("id, ...posts(slug, ...author(by:handle))").eq("id", 4),
    [{ id: 4, slug: "radish", by: "bo" }],
  );
});

test("a spread of a row that is not there is null in each field", async () => {
  answers(
    await db.from("posts").select("slug, ...reviewer(checked_by:name)").eq("slug", "plan"),
    [{ slug: "plan", checked_by: null }],
  );
});

test("an embed in a spread stays an embed", async () => {
  answers(
    await db.from("comments").select("id, ...posts(slug, tags(name))").eq("id", 5),
    [{ id: 5, slug: "plan", tags: [{ name: "databases" }] }],
  );
});

test("a field that nobody may read is left out of the star and refused by name", async () => {
  const [row] = data(await ada.from("posts").select("*").eq("slug", "queue"));
  assert.ok(!("secret" in row));
  fails(await ada.from("posts").select("slug, secret"), "42501", 403);
  answers(
    await server.service().from("posts").select("slug, secret").eq("slug", "queue"),
    [{ slug: "queue", secret: "s1" }],
  );
});

test("a field whose rule depends on the row is null where it does not hold", async () => {
  answers(
    await ada.from("posts").select("slug, notes").order("slug"),
    [
      { slug: "joins", notes: "needs a diagram" },
      { slug: "plan", notes: "part 2?" },
      { slug: "queue", notes: "leave mother out" },
      { slug: "radish", notes: null },
      { slug: "wool", notes: null },
    ],
  );
  answers(
    await ada.from("comments").select("id, author(handle, email)").in("id", [1, 3]),
    [
      { id: 1, author: { handle: "bo", email: null } },
      { id: 3, author: { handle: "ada", email: "ada@example.com" } },
    ],
  );
});

test("nulls are left out where they are asked to be", async () => {
  answers(
    await db.from("posts").select("slug, mood, reviewer(name)").eq("slug", "plan").stripNulls(),
    [{ slug: "plan" }],
  );
});
