// Rows changed and rows deleted, with and without the rows as the answer.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { JOURNAL, serve } from "./harness.mjs";
import { answers, data, fails, lists } from "./answers.mjs";

const server = await serve(JOURNAL);
const db = server.anonymous();
const service = server.service();

const items = () => db.from("items");
const stored = async () => data(await items().select("sku, qty").order("sku"));

beforeEach(async () => {
  data(await service.from("items").delete().gte("id", 0));
  data(await service.from("items").insert([{ sku: "a", qty: 1 }, { sku: "b", qty: 2 }, { sku: "c", qty: 3 }]));
});

test("update without select answers nothing and changes the rows that match", async () => {
  answers(await items().update({ qty: 9 }).eq("sku", "b"), null, 204);
  assert.deepEqual(await stored(), [{ sku: "a", qty: 1 }, { sku: "b", qty: 9 }, { sku: "c", qty: 3 }]);
});

test("update with select answers the rows as they are now", async () => {
  const rows = data(await items().update({ label: "low" }).lt("qty", 3).select("sku, label, qty"), 200);
  assert.deepEqual(rows.toSorted((one, other) => one.sku.localeCompare(other.sku)), [
    { sku: "a", label: "low", qty: 1 },
    { sku: "b", label: "low", qty: 2 },
  ]);
});

test("update answers its rows in the order that is asked", async () => {
  lists(
    await items().update({ label: "x" }).gte("qty", 1).select("sku").order("sku", { ascending: false }),
    "sku",
    ["c", "b", "a"],
  );
});

test("update of rows that are not there answers none", async () => {
  answers(await items().update({ qty: 9 }).eq("sku", "gone"), null, 204);
  answers(await items().update({ qty: 9 }).eq("sku", "gone").select(), [], 200);
});

test("update with single answers the row, and changes nothing where it is not one", async () => {
  answers(await items().update({ qty: 7 }).eq("sku", "a").select("sku, qty").single(), { sku: "a", qty: 7 }, 200);
  fails(await items().update({ qty: 7 }).gte("qty", 2).select().single(), "PGRST116", 406);
  fails(await items().update({ qty: 7 }).eq("sku", "gone").select().single(), "PGRST116", 406);
  assert.deepEqual(await stored(), [{ sku: "a", qty: 7 }, { sku: "b", qty: 2 }, { sku: "c", qty: 3 }]);
});

test("update with maybeSingle answers the row or null", async () => {
  answers(await items().update({ qty: 7 }).eq("sku", "a").select("qty").maybeSingle(), { qty: 7 });
  answers(await items().update({ qty: 7 }).eq("sku", "gone").select("qty").maybeSingle(), null);
});

test("update counts the rows where that is asked", async () => {
  const quiet = await items().update({ label: "x" }, { count: "exact" }).gte("qty", 2);
  answers(quiet, null, 204);
  assert.equal(quiet.count, 2);
  const shown = await items().update({ label: "y" }, { count: "exact" }).gte("qty", 1).select("sku");
  assert.equal(shown.count, 3);
});

test("update sets null, JSON and what comes as text", async () => {
  answers(
    await items().update({ label: null, data: { a: [1] }, price: "1.50" }).eq("sku", "a").select("label, data, price::text"),
    [{ label: null, data: { a: [1] }, price: "1.50" }],
  );
});

test("update answers what it embeds", async () => {
  const ada = await server.user("ada");
  answers(
    await ada.from("posts").update({ score: 4 }).eq("slug", "queue").select("slug, author(handle), comments(count)"),
    [{ slug: "queue", author: { handle: "ada" }, comments: [{ count: 3 }] }],
  );
});

test("update sets updated_at and leaves created_at", async () => {
  const ada = await server.user("ada");
  const read = () => ada.from("posts").select("created_at, updated_at").eq("slug", "plan").single();
  const before = data(await read());
  data(await ada.from("posts").update({ score: 4 }).eq("slug", "plan"), 204);
  const after = data(await read());
  assert.equal(after.created_at, before.created_at);
  assert.ok(after.updated_at > before.updated_at, `${after.updated_at} > ${before.updated_at}`);
});

test("update refuses what the fields refuse, by code", async () => {
  fails(await items().update({ qty: -1 }).eq("sku", "a"), "23514", 400);
  fails(await items().update({ sku: null }).eq("sku", "a"), "23502", 400);
  fails(await items().update({ qty: "few" }).eq("sku", "a"), "22P02", 400);
  fails(await items().update({ colour: "red" }).eq("sku", "a"), "PGRST204", 400);
  fails(await items().update({ sku: "b" }).eq("sku", "a"), "23505", 409);
  fails(await items().update({ qty: 1 }).eq("colour", "red"), "42703", 400);
  fails(await items().update({ id: 77 }).eq("sku", "a"), "428C9", 400);
  assert.deepEqual(await stored(), [{ sku: "a", qty: 1 }, { sku: "b", qty: 2 }, { sku: "c", qty: 3 }]);
});

test("update and delete without a filter are refused", async () => {
  fails(await items().update({ qty: 9 }), "21000", 400);
  fails(await items().delete(), "21000", 400);
  assert.deepEqual(await stored(), [{ sku: "a", qty: 1 }, { sku: "b", qty: 2 }, { sku: "c", qty: 3 }]);
});

test("maxAffected refuses a write of more rows and takes it back", async () => {
  fails(await items().update({ qty: 9 }).gte("qty", 2).maxAffected(1), "PGRST124", 400);
  fails(await items().delete().gte("qty", 2).maxAffected(1).select(), "PGRST124", 400);
  assert.deepEqual(await stored(), [{ sku: "a", qty: 1 }, { sku: "b", qty: 2 }, { sku: "c", qty: 3 }]);
  answers(await items().update({ qty: 9 }).gte("qty", 2).maxAffected(2), null, 204);
  assert.deepEqual(await stored(), [{ sku: "a", qty: 1 }, { sku: "b", qty: 9 }, { sku: "c", qty: 9 }]);
});

test("maxAffected stands in for the filter of a write to all rows", async () => {
  answers(await items().update({ qty: 4 }).maxAffected(3), null, 204);
  assert.deepEqual(await stored(), [{ sku: "a", qty: 4 }, { sku: "b", qty: 4 }, { sku: "c", qty: 4 }]);
  fails(await items().delete().maxAffected(2), "PGRST124", 400);
  answers(await items().delete().maxAffected(3), null, 204);
  assert.deepEqual(await stored(), []);
});

test("a rehearsed update or delete answers the rows and changes nothing", async () => {
  answers(
    await items().update({ qty: 9 }).eq("sku", "a").rollback().select("sku, qty"),
    [{ sku: "a", qty: 9 }],
    200,
  );
  answers(await items().delete().eq("sku", "b").rollback().select("sku"), [{ sku: "b" }], 200);
  answers(await items().delete().eq("sku", "c").rollback(), null, 204);
  assert.deepEqual(await stored(), [{ sku: "a", qty: 1 }, { sku: "b", qty: 2 }, { sku: "c", qty: 3 }]);
});

test("delete without select answers nothing and removes the rows that match", async () => {
  answers(await items().delete().in("sku", ["a", "c"]), null, 204);
  assert.deepEqual(await stored(), [{ sku: "b", qty: 2 }]);
  answers(await items().delete().eq("sku", "gone"), null, 204);
});

test("delete with select answers the rows that were", async () => {
  answers(await items().delete().eq("sku", "b").select("sku, qty"), [{ sku: "b", qty: 2 }], 200);
  answers(await items().delete().eq("sku", "b").select("sku, qty"), [], 200);
  assert.deepEqual(await stored(), [{ sku: "a", qty: 1 }, { sku: "c", qty: 3 }]);
});

test("delete with single answers the row, and deletes nothing where it is not one", async () => {
  fails(await items().delete().gte("qty", 2).select("sku").single(), "PGRST116", 406);
  answers(await items().delete().eq("sku", "b").select("sku").single(), { sku: "b" }, 200);
  assert.deepEqual(await stored(), [{ sku: "a", qty: 1 }, { sku: "c", qty: 3 }]);
});

test("delete counts the rows where that is asked", async () => {
  const quiet = await items().delete({ count: "exact" }).gte("qty", 2);
  answers(quiet, null, 204);
  assert.equal(quiet.count, 2);
});

test("writes take any filter that reads take", async () => {
  lists(await items().update({ label: "f" }).or("sku.eq.a,qty.gt.2").select("sku").order("sku"), "sku", ["a", "c"]);
  lists(await items().delete().not("label", "is", null).like("sku", "a%").select("sku"), "sku", ["a"]);
  lists(await items().delete().match({ sku: "c", qty: 3 }).select("sku"), "sku", ["c"]);
});

test("deleting a row deletes, empties or is held by the rows that point at it", async () => {
  const made = (fields) => service.from("posts").insert({ title: "T", author: "deniz", ...fields }).select("id").single();
  const { id: post } = data(await made({ slug: "doomed", published: true, reviewer: "bo" }));
  const { id: comment } = data(
    await service.from("comments").insert({ body: "gone with it", post, author: "ada" }).select("id").single(),
  );
  // `restrict` is what a ref does unless it says otherwise.
  fails(await service.from("tags").delete().eq("name", "craft"), "23503", 409);
  answers(await service.from("posts").delete().eq("id", post).select("slug"), [{ slug: "doomed" }]);
  answers(await service.from("comments").select("id").eq("id", comment), []);
  data(await service.from("people").insert({ id: "eve", name: "Eve", handle: "eve" }));
  const { id: kept } = data(await made({ slug: "kept", reviewer: "eve" }));
  answers(await service.from("people").delete().eq("id", "eve").select("handle"), [{ handle: "eve" }]);
  answers(await service.from("posts").select("reviewer").eq("id", kept), [{ reviewer: null }]);
});
