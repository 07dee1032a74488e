// In which order, how many, counted or not, and in which form.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JOURNAL, serve } from "./harness.mjs";
import { answers, data, fails, lists } from "./answers.mjs";

const server = await serve(JOURNAL);
const db = server.anonymous();

const posts = (columns = "slug", options) => db.from("posts").select(columns, options);

test("order ascends unless it is told to descend", async () => {
  lists(await posts().order("views"), "slug", ["wool", "radish", "queue", "plan"]);
  lists(await posts().order("views", { ascending: false }), "slug", ["plan", "queue", "radish", "wool"]);
});

test("null is the greatest value unless it is told where to stand", async () => {
  lists(await posts("mood, slug").order("mood").order("slug"), "slug", ["queue", "wool", "radish", "plan"]);
  lists(
    await posts().order("mood", { ascending: false }).order("slug"),
    "slug",
    ["plan", "radish", "queue", "wool"],
  );
  lists(
    await posts().order("mood", { nullsFirst: true }).order("slug", { ascending: false }),
    "slug",
    ["plan", "wool", "queue", "radish"],
  );
  lists(
    await posts().order("mood", { ascending: false, nullsFirst: false }).order("slug"),
    "slug",
    ["radish", "queue", "wool", "plan"],
  );
});

test("without an order rows come by their key, and ties are broken by it", async () => {
  lists(await posts(), "slug", ["queue", "radish", "plan", "wool"]);
  lists(await posts().order("score"), "slug", ["radish", "queue", "plan", "wool"]);
  lists(await posts().order("score", { ascending: false }), "slug", ["wool", "plan", "queue", "radish"]);
});

test("rows are ordered by a field of a to-one embed", async () => {
  lists(
    await posts("slug, author(name)").order("author(name)").order("slug"),
    "slug",
    ["plan", "queue", "radish", "wool"],
  );
  lists(
    await posts("slug, author(name)").order("author(name)", { ascending: false }).order("slug"),
    "slug",
    ["wool", "radish", "plan", "queue"],
  );
});

test("rows are ordered by a place inside JSON", async () => {
  lists(
    await posts().not("extra", "is", null).order("extra->size->w", { ascending: false }),
    "slug",
    ["plan", "queue", "radish"],
  );
  lists(await posts().order("extra->>kind").order("slug"), "slug", ["plan", "queue", "radish", "wool"]);
});

test("the rows of an embed have an order, a limit and a range of their own", async () => {
  const query = () => posts("slug, comments(id)").eq("slug", "queue");
  answers(
    await query().order("rating", { referencedTable: "comments", ascending: false, nullsFirst: false }),
    [{ slug: "queue", comments: [{ id: 1 }, { id: 2 }, { id: 3 }] }],
  );
  answers(
    await query().order("id", { referencedTable: "comments", ascending: false }).limit(2, { referencedTable: "comments" }),
    [{ slug: "queue", comments: [{ id: 3 }, { id: 2 }] }],
  );
  answers(
    await query().order("id", { referencedTable: "comments" }).range(1, 1, { referencedTable: "comments" }),
    [{ slug: "queue", comments: [{ id: 2 }] }],
  );
});

test("each row above has its own limit of embedded rows", async () => {
  answers(
    await posts("slug, comments(id)").order("slug").order("id", { referencedTable: "comments" })
      .limit(1, { referencedTable: "comments" }),
    [
      { slug: "plan", comments: [{ id: 5 }] },
      { slug: "queue", comments: [{ id: 1 }] },
      { slug: "radish", comments: [{ id: 4 }] },
      { slug: "wool", comments: [] },
    ],
  );
});

test("limit takes the first rows", async () => {
  lists(await posts().order("slug").limit(2), "slug", ["plan", "queue"]);
  answers(await posts().limit(0), []);
});

test("range takes the rows from one to another, both included", async () => {
  lists(await posts().order("slug").range(1, 2), "slug", ["queue", "radish"]);
  lists(await posts().order("slug").range(3, 9), "slug", ["wool"]);
  answers(await posts().range(20, 29), []);
});

test("a page is answered 206 where the count shows that there is more", async () => {
  const page = await posts("slug", { count: "exact" }).order("slug").range(1, 2);
  lists(page, "slug", ["queue", "radish"]);
  assert.equal(page.count, 4);
  assert.equal(page.status, 206);
});

test("a page that begins beyond the last row is refused where rows are counted", async () => {
  fails(await posts("slug", { count: "exact" }).range(20, 29), "PGRST103", 416);
});

test("count tells how many rows there are beside the rows", async () => {
  const all = await posts("slug", { count: "exact" }).order("slug");
  lists(all, "slug", ["plan", "queue", "radish", "wool"]);
  assert.equal(all.count, 4);
  assert.equal(all.status, 200);
  const some = await posts("slug", { count: "exact" }).eq("score", 4);
  assert.equal(some.count, 2);
  const none = await posts("slug", { count: "exact" }).eq("slug", "gone");
  answers(none, []);
  assert.equal(none.count, 0);
});

test("count counts the rows above that an inner embed keeps", async () => {
  const kept = await posts("slug, comments!inner(id)", { count: "exact" });
  assert.equal(kept.count, 3);
});

test("head answers the count and no rows", async () => {
  const answer = await posts("*", { count: "exact", head: true });
  answers(answer, null, 200);
  assert.equal(answer.count, 4);
  const bare = await posts("slug", { head: true });
  answers(bare, null, 200);
  assert.equal(bare.count, null);
});

test("the count is of the rows that the caller may see", async () => {
  const ada = await server.user("ada");
  const counted = async (client) =>
    (await client.from("posts").select("*", { count: "exact", head: true })).count;
  assert.equal(await counted(db), 4);
  assert.equal(await counted(ada), 5);
  assert.equal(await counted(server.service()), 6);
});

test("single answers the one row itself", async () => {
  answers(await posts("slug, views").eq("slug", "plan").single(), { slug: "plan", views: 90 }, 200);
  answers(
    await posts("slug, mood").eq("slug", "plan").single().stripNulls(),
    { slug: "plan" },
    200,
  );
});

test("single fails where there is no row, or more than one", async () => {
  const none = fails(await posts().eq("slug", "gone").single(), "PGRST116", 406);
  assert.match(none.details, /0 rows/);
  const many = fails(await posts().single(), "PGRST116", 406);
  assert.match(many.details, /4 rows/);
});

test("maybeSingle answers the row, or null where there is none", async () => {
  answers(await posts().eq("slug", "plan").maybeSingle(), { slug: "plan" });
  answers(await posts().eq("slug", "gone").maybeSingle(), null);
  fails(await posts().maybeSingle(), "PGRST116", 406);
});

test("csv answers a line of names and a line for each row", async () => {
  answers(
    await posts("slug,title,views,mood").order("slug").csv(),
    [
      "slug,title,views,mood",
      "plan,\"Reading a plan, aloud (part 1)\",90,",
      "queue,A queue is a promise,40,happy",
      "radish,Three sowings of radish,10,sad",
      "wool,100% wool_ish,0,happy",
    ].join("\n"),
  );
  assert.equal(data(await posts("slug,views").eq("slug", "gone").csv()), "slug,views");
});

test("throwOnError rejects with the error", async () => {
  await assert.rejects(
    async () => posts("slug, gone").throwOnError(),
    (error) => error.code === "42703",
  );
  lists(await posts().eq("slug", "plan").throwOnError(), "slug", ["plan"]);
});
