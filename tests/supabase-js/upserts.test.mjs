// Rows that may be there already: merged or left alone, by key or by another unique.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JOURNAL, serve } from "./harness.mjs";
import { answers, data, fails } from "./answers.mjs";

const server = await serve(JOURNAL);
const db = server.anonymous();

const items = () => db.from("items");
const stored = async (...skus) =>
  data(await items().select("sku, label, qty").in("sku", skus).order("sku"));

test("an upsert by key inserts what is new and merges what is there", async () => {
  const { id } = data(await items().insert({ sku: "key", label: "old", qty: 1 }).select("id").single());
  answers(
    await items().upsert({ id, sku: "key", qty: 2 }).select("id, sku, label, qty"),
    [{ id, sku: "key", label: "old", qty: 2 }],
    200,
  );
  answers(
    await items().upsert({ id: id + 1000, sku: "key-new" }).select("sku, label, qty"),
    [{ sku: "key-new", label: "new", qty: 5 }],
    201,
  );
});

test("an upsert without select answers nothing", async () => {
  answers(await items().upsert({ sku: "quiet" }, { onConflict: "sku" }), null, 201);
  answers(await items().upsert({ sku: "quiet", qty: 9 }, { onConflict: "sku" }), null, 200);
  assert.deepEqual(await stored("quiet"), [{ sku: "quiet", label: "new", qty: 9 }]);
});

test("an upsert on another unique sets the columns of the payload alone", async () => {
  data(await items().insert({ sku: "named", label: "old", qty: 1 }));
  answers(
    await items().upsert({ sku: "named", qty: 8 }, { onConflict: "sku" }).select("sku, label, qty"),
    [{ sku: "named", label: "old", qty: 8 }],
    200,
  );
});

test("an upsert of several rows inserts some and merges others", async () => {
  data(await items().insert({ sku: "some-1", qty: 1 }));
  const rows = data(
    await items()
      .upsert([{ sku: "some-1", qty: 10 }, { sku: "some-2", qty: 20 }], { onConflict: "sku" })
      .select("sku, qty"),
    201,
  );
  assert.deepEqual(rows.toSorted((one, other) => one.sku.localeCompare(other.sku)), [
    { sku: "some-1", qty: 10 },
    { sku: "some-2", qty: 20 },
  ]);
});

test("an upsert on several fields takes the unique of them all", async () => {
  data(await items().insert({ sku: "slot-1", shelf: "s", slot: 1, qty: 1 }));
  answers(
    await items()
      .upsert({ sku: "slot-1", shelf: "s", slot: 1, qty: 2 }, { onConflict: "shelf,slot" })
      .select("sku, qty"),
    [{ sku: "slot-1", qty: 2 }],
    200,
  );
});

test("ignoreDuplicates leaves out the rows that are there", async () => {
  data(await items().insert({ sku: "left", qty: 1 }));
  answers(
    await items()
      .upsert([{ sku: "left", qty: 2 }, { sku: "taken", qty: 3 }], { onConflict: "sku", ignoreDuplicates: true })
      .select("sku, qty"),
    [{ sku: "taken", qty: 3 }],
    201,
  );
  assert.deepEqual(await stored("left", "taken"), [
    { sku: "left", label: "new", qty: 1 },
    { sku: "taken", label: "new", qty: 3 },
  ]);
});

test("ignoreDuplicates without select answers nothing", async () => {
  data(await items().insert({ sku: "still", qty: 1 }));
  answers(
    await items().upsert({ sku: "still", qty: 2 }, { onConflict: "sku", ignoreDuplicates: true }),
    null,
    201,
  );
  assert.deepEqual(await stored("still"), [{ sku: "still", label: "new", qty: 1 }]);
});

test("ignoreDuplicates takes the key where no other unique is named", async () => {
  const { id } = data(await items().insert({ sku: "by-key", qty: 1 }).select("id").single());
  answers(
    await items().upsert({ id, sku: "by-key-2", qty: 2 }, { ignoreDuplicates: true }).select("sku"),
    [],
    201,
  );
  assert.deepEqual(await stored("by-key", "by-key-2"), [{ sku: "by-key", label: "new", qty: 1 }]);
});

test("with defaultToNull false what a new row lacks is its default", async () => {
  const rows = data(
    await items()
      .upsert([{ sku: "lack-1", qty: 1 }, { sku: "lack-2", label: "x" }], { onConflict: "sku", defaultToNull: false })
      .select("sku, label, qty"),
    201,
  );
  assert.deepEqual(rows.toSorted((one, other) => one.sku.localeCompare(other.sku)), [
    { sku: "lack-1", label: "new", qty: 1 },
    { sku: "lack-2", label: "x", qty: 5 },
  ]);
});

test("a conflict with another unique than the one named is an error", async () => {
  data(await items().insert([{ sku: "other-1" }, { sku: "other-2" }]));
  const { id } = data(await items().select("id").eq("sku", "other-1").single());
  fails(await items().upsert({ id, sku: "other-2" }), "23505", 409);
});

test("fields that are no unique cannot decide a conflict", async () => {
  fails(await items().upsert({ sku: "odd", qty: 1 }, { onConflict: "qty" }), "42P10", 400);
});

test("one row named twice is refused", async () => {
  fails(
    await items().upsert([{ sku: "double", qty: 1 }, { sku: "double", qty: 2 }], { onConflict: "sku" }),
    "21000",
    400,
  );
  assert.deepEqual(await stored("double"), []);
});

test("a rehearsed upsert changes nothing", async () => {
  data(await items().insert({ sku: "try", qty: 1 }));
  answers(
    await items().upsert({ sku: "try", qty: 2 }, { onConflict: "sku" }).rollback().select("qty"),
    [{ qty: 2 }],
    200,
  );
  assert.deepEqual(await stored("try"), [{ sku: "try", label: "new", qty: 1 }]);
});

test("a row of another's is not taken over by an upsert", async () => {
  const ada = await server.user("ada");
  const bo = await server.user("bo");
  data(await ada.from("posts").insert({ title: "Ada's", slug: "adas" }));
  // The proposed row is bo's own and would pass `create`; the stored one is not.
  fails(
    await bo.from("posts").upsert({ title: "Bo's now", slug: "adas" }, { onConflict: "slug" }),
    "42501",
    403,
  );
  answers(
    await ada.from("posts").select("title, author").eq("slug", "adas"),
    [{ title: "Ada's", author: "ada" }],
  );
  answers(
    await ada.from("posts").upsert({ title: "Ada's still", slug: "adas" }, { onConflict: "slug" }).select("title"),
    [{ title: "Ada's still" }],
    200,
  );
});
