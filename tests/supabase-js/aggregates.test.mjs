// count, sum, avg, min and max, over all rows, in groups and in embeds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JOURNAL, serve } from "./harness.mjs";
import { answers, data, fails } from "./answers.mjs";

const server = await serve(JOURNAL);
const db = server.anonymous();

test("rows are counted, and values that are not null", async () => {
  answers(await db.from("posts").select("count()"), [{ count: 4 }]);
  answers(await db.from("posts").select("count"), [{ count: 4 }]);
  answers(await db.from("posts").select("rated:score.count(), all:count()"), [{ rated: 3, all: 4 }]);
});

test("sum, avg, min and max are computed over the rows that match", async () => {
  answers(
    await db.from("posts").select("views.sum(), views.avg(), views.min(), views.max()"),
    [{ sum: 140, avg: 35, min: 0, max: 90 }],
  );
  answers(
    await db.from("posts").select("total:price.sum(), least:price.min(), most:price.max()").gt("views", 5),
    [{ total: 16.49, least: 0.99, most: 12.5 }],
  );
  answers(
    await db.from("posts").select("first:due.min(), last:due.max(), slug.max()"),
    [{ first: "2026-03-01", last: "2026-05-20", max: "wool" }],
  );
});

test("a mean is not rounded to a whole number", async () => {
  const [{ avg }] = data(await db.from("posts").select("score.avg()"));
  assert.ok(Math.abs(avg - 10 / 3) < 1e-9, `${avg}`);
});

test("nothing sums to null and counts to nought", async () => {
  answers(
    await db.from("posts").select("count(), views.sum(), views.max()").eq("slug", "gone"),
    [{ count: 0, sum: null, max: null }],
  );
});

test("plain fields beside an aggregate group the rows", async () => {
  answers(
    await db.from("posts").select("mood, count(), views.sum()").order("mood"),
    [
      { mood: "happy", count: 2, sum: 40 },
      { mood: "sad", count: 1, sum: 10 },
      { mood: null, count: 1, sum: 90 },
    ],
  );
});

test("an aggregate is cast before and after", async () => {
  answers(
    await db.from("posts").select("total:views.sum()::text, widths:extra->size->>w::int.sum()"),
    [{ total: "140", widths: 12 }],
  );
});

test("an embed is counted and summed for each row above", async () => {
  answers(
    await db.from("posts").select("slug, comments(count), ratings:comments(rating.avg())").order("slug"),
    [
      { slug: "plan", comments: [{ count: 1 }], ratings: [{ avg: 2 }] },
      { slug: "queue", comments: [{ count: 3 }], ratings: [{ avg: 4 }] },
      { slug: "radish", comments: [{ count: 1 }], ratings: [{ avg: 4 }] },
      { slug: "wool", comments: [{ count: 0 }], ratings: [{ avg: null }] },
    ],
  );
});

test("an embed through a junction is counted", async () => {
  answers(
    await db.from("tags").select("name, posts(count)").order("name"),
    [
      { name: "craft", posts: [{ count: 2 }] },
      { name: "databases", posts: [{ count: 2 }] },
      { name: "gardening", posts: [{ count: 1 }] },
      { name: "unused", posts: [{ count: 0 }] },
    ],
  );
});

test("rows are grouped by a field of a spread, and by what that caller may see", async () => {
  const grouped = async (client) =>
    data(await client.from("posts").select("...author(handle), views.sum(), count()"))
      .toSorted((one, other) => one.handle.localeCompare(other.handle));
  assert.deepEqual(await grouped(db), [
    { handle: "ada", sum: 130, count: 2 },
    { handle: "bo", sum: 10, count: 1 },
    { handle: "cleo", sum: 0, count: 1 },
  ]);
  assert.deepEqual(await grouped(await server.user("bo")), [
    { handle: "ada", sum: 130, count: 2 },
    { handle: "bo", sum: 10, count: 2 },
    { handle: "cleo", sum: 0, count: 1 },
  ]);
});

test("only rows and fields that the caller may see are counted", async () => {
  const ada = await server.user("ada");
  answers(await ada.from("posts").select("count()"), [{ count: 5 }]);
  answers(await server.service().from("posts").select("count()"), [{ count: 6 }]);
  fails(await ada.from("posts").select("notes.max()"), "42501", 403);
  fails(await ada.from("posts").select("secret.count()"), "42501", 403);
});

test("a sum of texts is refused", async () => {
  const { error } = await db.from("posts").select("title.sum()");
  assert.equal(error.code, "42883");
});
