// Which rows are answered: every filter builder of the client's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JOURNAL, serve } from "./harness.mjs";
import { fails, lists } from "./answers.mjs";

const server = await serve(JOURNAL);
const db = server.anonymous();

/** The published posts: queue, radish, plan and wool, in the order of their slugs. */
const posts = () => db.from("posts").select("slug").order("slug");
const slugs = async (query, ...expected) => lists(await query, "slug", expected);

test("eq compares texts, numbers, booleans, uuids, dates, moments, decimals and bytes", async () => {
  await slugs(posts().eq("slug", "plan"), "plan");
  await slugs(posts().eq("score", 4), "plan", "queue");
  await slugs(posts().eq("published", true), "plan", "queue", "radish", "wool");
  await slugs(posts().eq("id", "00000000-0000-7000-8000-000000000002"), "radish");
  await slugs(posts().eq("ticket", "11111111-1111-4111-8111-111111111111"), "queue");
  await slugs(posts().eq("due", "2026-04-15"), "radish");
  await slugs(posts().eq("seen_at", "2026-03-01T09:30:00+01:00"), "queue");
  await slugs(posts().eq("price", 12.5), "queue");
  await slugs(posts().eq("ratio", 1.25), "radish");
  await slugs(posts().eq("digest", "\\x00ff"), "queue");
  await slugs(posts().eq("mood", "sad"), "radish");
  await slugs(posts().eq("author", "cleo"), "wool");
});

test("eq takes commas, parentheses, per cents, quotes and pluses as they are", async () => {
  await slugs(posts().eq("title", "Reading a plan, aloud (part 1)"), "plan");
  await slugs(posts().eq("title", "100% wool_ish"), "wool");
  await slugs(posts().eq("title", "\"A queue is a promise\""));
  await slugs(posts().eq("title", "A queue is a+promise"));
});

test("neq leaves out what is equal, and what is absent", async () => {
  await slugs(posts().neq("score", 4), "radish");
  await slugs(posts().neq("slug", "plan"), "queue", "radish", "wool");
});

test("gt, gte, lt and lte compare in the order of the type", async () => {
  await slugs(posts().gt("views", 10), "plan", "queue");
  await slugs(posts().gte("views", 10), "plan", "queue", "radish");
  await slugs(posts().lt("views", 40), "radish", "wool");
  await slugs(posts().lte("views", 40), "queue", "radish", "wool");
  await slugs(posts().gt("due", "2026-03-01"), "plan", "radish");
  await slugs(posts().lt("seen_at", "2026-04-15T23:59:59.250001Z"), "queue", "radish");
  await slugs(posts().lte("price", "3.00"), "plan", "radish");
  await slugs(posts().gte("slug", "queue").lt("slug", "wool"), "queue", "radish");
});

test("like takes % and * for any text and _ for any letter, and minds the case", async () => {
  await slugs(posts().like("title", "%queue%"), "queue");
  await slugs(posts().like("title", "*queue*"), "queue");
  await slugs(posts().like("slug", "_l%"), "plan");
  await slugs(posts().like("title", "%QUEUE%"));
  await slugs(posts().like("title", "100\\% wool\\_ish"), "wool");
});

test("ilike does not mind the case", async () => {
  await slugs(posts().ilike("title", "%QUEUE%"), "queue");
  await slugs(posts().ilike("title", "three*"), "radish");
});

test("likeAllOf and likeAnyOf take several patterns", async () => {
  await slugs(posts().likeAllOf("title", ["%a%", "%radish"]), "radish");
  await slugs(posts().likeAnyOf("title", ["A queue%", "Three%"]), "queue", "radish");
  await slugs(posts().likeAllOf("title", ["%A%", "%radish"]));
});

test("ilikeAllOf and ilikeAnyOf take several patterns and do not mind the case", async () => {
  await slugs(posts().ilikeAllOf("title", ["%A%", "%RADISH"]), "radish");
  await slugs(posts().ilikeAnyOf("title", ["a QUEUE%", "three%"]), "queue", "radish");
});

test("regexMatch and regexIMatch take regular expressions", async () => {
  await slugs(posts().regexMatch("title", "^[AT].*(promise|radish)$"), "queue", "radish");
  await slugs(posts().regexMatch("title", "^three"));
  await slugs(posts().regexIMatch("title", "^three"), "radish");
});

test("is asks for null, true and false", async () => {
  await slugs(posts().is("mood", null), "plan");
  await slugs(posts().is("published", true), "plan", "queue", "radish", "wool");
  await slugs(posts().is("published", false));
  await slugs(posts().filter("mood", "is", "not_null"), "queue", "radish", "wool");
  await slugs(posts().is("extra", null), "wool");
});

test("isDistinct counts null as a value of its own", async () => {
  await slugs(posts().isDistinct("mood", "happy"), "plan", "radish");
  await slugs(posts().isDistinct("score", 4), "radish", "wool");
});

test("in takes a list, with commas and parentheses in its values", async () => {
  await slugs(posts().in("slug", ["plan", "wool", "wool", "gone"]), "plan", "wool");
  await slugs(posts().in("title", ["Reading a plan, aloud (part 1)", "100% wool_ish"]), "plan", "wool");
  await slugs(posts().in("views", [10, 90]), "plan", "radish");
  await slugs(posts().in("slug", []));
});

test("notIn leaves out the list, and what is absent", async () => {
  await slugs(posts().notIn("slug", ["plan", "wool"]), "queue", "radish");
  await slugs(posts().notIn("score", [2]), "plan", "queue");
});

test("contains asks for what a JSON value holds", async () => {
  await slugs(posts().contains("extra", { kind: "essay" }), "plan", "queue");
  await slugs(posts().contains("extra", { size: { w: 3 }, tags: ["db"] }), "queue");
  await slugs(posts().contains("extra->tags", "[\"db\"]"), "plan", "queue");
  await slugs(posts().contains("extra", { kind: "ess" }));
});

test("containedBy asks for what a JSON value is held by", async () => {
  await slugs(posts().containedBy("extra->tags", "[\"craft\",\"soil\",\"db\"]"), "plan", "queue", "radish");
  await slugs(posts().containedBy("extra->tags", "[\"soil\"]"), "radish");
  await slugs(posts().containedBy("extra->size", { w: 8, h: 2, d: 1 }), "plan");
});

test("filters reach into JSON", async () => {
  await slugs(posts().eq("extra->>kind", "note"), "radish");
  await slugs(posts().eq("extra->size->>w", "8"), "plan");
  await slugs(posts().gt("extra->size->w", 2), "plan", "queue");
  await slugs(posts().eq("extra->tags->>0", "db"), "plan", "queue");
  await slugs(posts().is("extra->>draft", null), "plan", "radish", "wool");
  await slugs(posts().in("extra->>kind", ["note", "poem"]), "radish");
});

test("match takes several fields at once", async () => {
  await slugs(posts().match({ score: 4, mood: "happy", body: undefined }), "queue");
});

test("not turns a filter round", async () => {
  await slugs(posts().not("mood", "is", null), "queue", "radish", "wool");
  await slugs(posts().not("views", "gt", 10), "radish", "wool");
  await slugs(posts().not("slug", "in", "(plan,wool)"), "queue", "radish");
  await slugs(posts().not("title", "like", "%a%"), "wool");
  await slugs(posts().not("title", "like(any)", "{A queue%,Three%}"), "plan", "wool");
  await slugs(posts().not("score", "eq", 4), "radish");
});

test("or takes one filter of several", async () => {
  await slugs(posts().or("slug.eq.plan,views.eq.10"), "plan", "radish");
  await slugs(posts().or("title.eq.\"Reading a plan, aloud (part 1)\",slug.in.(wool,gone)"), "plan", "wool");
  await slugs(posts().or("mood.is.null,score.not.eq.4"), "plan", "radish");
  await slugs(posts().or("extra->>kind.eq.note,extra->size->w.gt.5"), "plan", "radish");
});

test("and and or nest and are turned round", async () => {
  await slugs(posts().or("and(views.gt.5,views.lt.50),mood.is.null"), "plan", "queue", "radish");
  await slugs(posts().or("not.and(published.is.true,score.eq.4),slug.eq.plan"), "plan", "radish");
  await slugs(posts().or("and(or(slug.eq.plan,slug.eq.queue),views.gt.50),slug.eq.wool"), "plan", "wool");
});

test("several ors are all asked", async () => {
  await slugs(posts().or("slug.eq.plan,slug.eq.queue").or("views.eq.40,views.eq.10"), "queue");
});

test("or on an embed narrows the embed, and the row above where it is inner", async () => {
  const query = () => db.from("posts").select("slug, comments!inner(id)").order("slug");
  await slugs(
    query().or("rating.eq.2,body.like.*quote*", { referencedTable: "comments" }),
    "plan",
    "radish",
  );
  await slugs(
    db
      .from("posts")
      .select("slug, author!inner(handle)")
      .or("handle.eq.bo,handle.eq.cleo", { referencedTable: "author" })
      .order("slug"),
    "radish",
    "wool",
  );
});

test("filter takes an operator by its name", async () => {
  await slugs(posts().filter("views", "gte", 40), "plan", "queue");
  await slugs(posts().filter("slug", "in", "(\"plan\",\"wool\")"), "plan", "wool");
  await slugs(posts().filter("slug", "not.eq", "plan"), "queue", "radish", "wool");
  await slugs(posts().filter("views", "gt(any)", "{50,80}"), "plan");
  await slugs(posts().filter("views", "lt(all)", "{50,20}"), "radish", "wool");
  await slugs(posts().filter("slug", "eq(any)", "{plan,wool}"), "plan", "wool");
});

test("filters on the fields of an embed take the path to it", async () => {
  await slugs(
    db.from("posts").select("slug, author!inner(name)").filter("author.name", "ilike", "ada*").order("slug"),
    "plan",
    "queue",
  );
});

test("two filters on one field are both asked", async () => {
  await slugs(posts().gt("views", 5).lt("views", 50), "queue", "radish");
});

test("a filter on a field whose rule depends on the row is refused", async () => {
  const ada = await server.user("ada");
  fails(await ada.from("posts").select("slug").eq("notes", "part 2?"), "42501", 403);
  fails(await db.from("posts").select("slug").eq("notes", "part 2?"), "42501", 401);
});

test("ranges, overlaps and text search are refused with a clear error", async () => {
  const refused = [
    posts().rangeGt("due", "[2026-01-01,2026-12-31]"),
    posts().rangeGte("due", "[2026-01-01,2026-12-31]"),
    posts().rangeLt("due", "[2026-01-01,2026-12-31]"),
    posts().rangeLte("due", "[2026-01-01,2026-12-31]"),
    posts().rangeAdjacent("due", "[2026-01-01,2026-12-31]"),
    posts().overlaps("slug", ["plan"]),
    posts().textSearch("title", "queue"),
    posts().textSearch("title", "queue", { type: "websearch", config: "english" }),
  ];
  for (const query of refused) {
    const error = fails(await query, "PGRST127", 400);
    assert.ok(error.message.length > 0);
  }
});

test("every filter builder of the client is exercised here", async () => {
  const exercised = [
    "eq", "neq", "gt", "gte", "lt", "lte", "like", "likeAllOf", "likeAnyOf", "ilike",
    "ilikeAllOf", "ilikeAnyOf", "regexMatch", "regexIMatch", "is", "isDistinct", "in", "notIn",
    "contains", "containedBy", "rangeGt", "rangeGte", "rangeLt", "rangeLte", "rangeAdjacent",
    "overlaps", "textSearch", "match", "not", "or", "filter",
  ];
  const prototype = Object.getPrototypeOf(posts());
  const noFilters = ["constructor", "throwOnError"];
  const offered = Object.getOwnPropertyNames(prototype).filter((name) => !noFilters.includes(name));
  assert.deepEqual(offered.filter((name) => !exercised.includes(name)), []);
  assert.deepEqual(exercised.filter((name) => !(name in prototype)), []);
});
