// New rows: one, several, with defaults, and what makes a database refuse them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JOURNAL, serve } from "./harness.mjs";
import { answers, data, fails, lists } from "./answers.mjs";

const server = await serve(JOURNAL);
const db = server.anonymous();

const items = () => db.from("items");
const stored = async (...skus) =>
  data(await items().select("sku, label, qty, active").in("sku", skus).order("sku"));

test("insert without select answers nothing and stores the row", async () => {
  answers(await items().insert({ sku: "plain", qty: 2 }), null, 201);
  assert.deepEqual(await stored("plain"), [{ sku: "plain", label: "new", qty: 2, active: true }]);
});

test("insert with select answers the row with its defaults", async () => {
  answers(
    await items().insert({ sku: "shown", price: 9.99 }).select("sku, label, qty, price, active, data"),
    [{ sku: "shown", label: "new", qty: 5, price: 9.99, active: true, data: null }],
    201,
  );
});

test("insert with single answers the row itself, its new id above every other", async () => {
  const first = data(await items().insert({ sku: "id-1" }).select("id").single(), 201);
  const second = data(await items().insert({ sku: "id-2" }).select("id").single(), 201);
  assert.equal(typeof first.id, "number");
  assert.ok(second.id > first.id);
});

test("insert with maybeSingle answers the row itself", async () => {
  answers(await items().insert({ sku: "maybe" }).select("sku").maybeSingle(), { sku: "maybe" });
});

test("insert answers what it embeds", async () => {
  const ada = await server.user("ada");
  const row = data(
    await ada
      .from("posts")
      .insert({ title: "Fresh", slug: "fresh" })
      .select("slug, published, author(handle), comments(id), tags(name)")
      .single(),
    201,
  );
  assert.deepEqual(row, {
    slug: "fresh",
    published: false,
    author: { handle: "ada" },
    comments: [],
    tags: [],
  });
});

test("a ref defaults to the caller", async () => {
  const bo = await server.user("bo");
  answers(
    await bo.from("comments").insert({ body: "Mine", post: "00000000-0000-7000-8000-000000000001" }).select("author"),
    [{ author: "bo" }],
    201,
  );
});

test("several rows are inserted at once, and what one of them lacks is null", async () => {
  answers(
    await items()
      .insert([{ sku: "bulk-1", qty: 1 }, { sku: "bulk-2", label: "old" }])
      .select("sku, label, qty, active"),
    [
      { sku: "bulk-1", label: null, qty: 1, active: true },
      { sku: "bulk-2", label: "old", qty: null, active: true },
    ],
    201,
  );
});

test("with defaultToNull false what a row lacks is its default", async () => {
  answers(
    await items()
      .insert([{ sku: "default-1", qty: 1 }, { sku: "default-2", label: "old" }], { defaultToNull: false })
      .select("sku, label, qty"),
    [
      { sku: "default-1", label: "new", qty: 1 },
      { sku: "default-2", label: "old", qty: 5 },
    ],
    201,
  );
});

test("several rows are inserted without select, and counted where that is asked", async () => {
  const answer = await items().insert([{ sku: "counted-1" }, { sku: "counted-2" }], { count: "exact" });
  answers(answer, null, 201);
  assert.equal(answer.count, 2);
  assert.deepEqual((await stored("counted-1", "counted-2")).map((row) => row.sku), ["counted-1", "counted-2"]);
});

test("no rows are inserted without complaint", async () => {
  answers(await items().insert([]), null, 201);
  answers(await items().insert([]).select(), [], 201);
});

test("an explicit null is null, not the default", async () => {
  answers(
    await items().insert({ sku: "null", label: null }).select("label"),
    [{ label: null }],
  );
});

test("values come in the text form of their type, and big integers whole", async () => {
  answers(
    await items().insert({ sku: "text", price: "9.90", qty: "7", active: "false" }).select("price::text, qty, active"),
    [{ price: "9.90", qty: 7, active: false }],
  );
  const stored = data(
    await items().insert({ sku: "big", data: { n: 1 }, slot: 9007199254740993n }).select("slot::text").single(),
  );
  assert.equal(stored.slot, "9007199254740993");
});

test("JSON is stored as it is, to any shape", async () => {
  for (const [at, value] of [{ a: [1, { b: null }], "": "x" }, [1, "two", null], "text", 4.5, true].entries()) {
    answers(await items().insert({ sku: `json-${at}`, data: value }).select("data"), [{ data: value }]);
  }
});

test("one bad row takes the whole insert back", async () => {
  fails(await items().insert([{ sku: "half-1" }, { sku: "half-2", qty: -1 }]), "23514", 400);
  assert.deepEqual(await stored("half-1", "half-2"), []);
});

test("a taken value is refused without being told", async () => {
  data(await items().insert({ sku: "twice" }), 201);
  const error = fails(await items().insert({ sku: "twice" }), "23505", 409);
  assert.ok(!JSON.stringify(error).includes("twice"), "the value is not told");
  data(await items().insert({ sku: "pair-1", shelf: "a", slot: 1 }), 201);
  fails(await items().insert({ sku: "pair-2", shelf: "a", slot: 1 }), "23505", 409);
});

test("what is missing, out of bounds or of another type is refused by its code", async () => {
  fails(await items().insert({ qty: 1 }), "23502", 400);
  fails(await items().insert({ sku: null }), "23502", 400);
  fails(await items().insert({ sku: "far", qty: 1001 }), "23514", 400);
  fails(await items().insert({ sku: "long", label: "x".repeat(21) }), "23514", 400);
  fails(await items().insert({ sku: "word", qty: "many" }), "22P02", 400);
  fails(await items().insert({ sku: "colour", colour: "red" }), "PGRST204", 400);
  fails(await items().insert([{ sku: "colour", colour: "red" }]), "PGRST204", 400);
  const ada = await server.user("ada");
  const post = (fields) => ada.from("posts").insert({ title: "T", slug: "t", ...fields });
  fails(await post({ mood: "angry" }), "23514", 400);
  fails(await post({ slug: "No Slug" }), "23514", 400);
  fails(await post({ due: "the day after" }), "22P02", 400);
  fails(await post({ ticket: "not-a-uuid" }), "22P02", 400);
  fails(await post({ reviewer: "nobody" }), "23503", 409);
  fails(await post({ created_at: "2026-01-01T00:00:00Z" }), "428C9", 400);
});

test("single takes an insert of several rows back", async () => {
  fails(
    await items().insert([{ sku: "single-1" }, { sku: "single-2" }]).select("sku").single(),
    "PGRST116",
    406,
  );
  assert.deepEqual(await stored("single-1", "single-2"), []);
});

test("a rehearsed insert answers the row and stores nothing", async () => {
  answers(
    await items().insert({ sku: "rehearsed" }).rollback().select("sku, qty"),
    [{ sku: "rehearsed", qty: 5 }],
    201,
  );
  assert.deepEqual(await stored("rehearsed"), []);
});

test("a field may not be written that its rule keeps, even with its default", async () => {
  const ada = await server.user("ada");
  fails(await ada.from("posts").insert({ title: "T", slug: "views", views: 0 }), "42501", 403);
  answers(
    await server.service().from("posts").insert({ title: "T", slug: "views", views: 3, author: "ada" }).select("views"),
    [{ views: 3 }],
    201,
  );
});

test("an answer as CSV is given of new rows too", async () => {
  const csv = data(await items().insert({ sku: "csv" }).select("sku,qty").csv());
  assert.equal(csv, "sku,qty\ncsv,5");
});

test("rows inserted at once are answered in the order they were given", async () => {
  lists(
    await items().insert([{ sku: "z" }, { sku: "y" }, { sku: "x" }]).select("sku"),
    "sku",
    ["z", "y", "x"],
  );
});
