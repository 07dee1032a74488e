// Errors arrive as PostgREST's: `{code, message, details, hint}`, each with its code
// and status.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JOURNAL, serve } from "./harness.mjs";
import { answers, fails } from "./answers.mjs";

const server = await serve(JOURNAL);
const db = server.anonymous();

const posts = (columns) => db.from("posts").select(columns);

test("a model that does not exist is named, with the nearest that does", async () => {
  const error = fails(await db.from("post").select(), "PGRST205", 404);
  assert.match(error.message, /post/);
  assert.match(error.hint, /posts/);
  fails(await db.from("post").insert({ title: "T" }), "PGRST205", 404);
});

test("a field that does not exist is refused wherever it is named", async () => {
  fails(await posts("slug, titel"), "42703", 400);
  fails(await posts("slug").eq("titel", "x"), "42703", 400);
  fails(await posts("slug").order("titel"), "42703", 400);
  fails(await posts("slug").or("titel.eq.x,slug.eq.y"), "42703", 400);
  fails(await posts("slug, author(nam)"), "42703", 400);
  fails(await posts("titel.count()"), "42703", 400);
});

test("models that are not related cannot embed each other", async () => {
  const error = fails(await posts("slug, vault(word)"), "PGRST200", 400);
  assert.match(error.message, /vault/);
  fails(await posts("slug, comment(id)"), "PGRST200", 400);
  fails(await posts("slug, people!editor(name)"), "PGRST200", 400);
});

test("a filter or an order on a model that is not embedded is refused", async () => {
  fails(await posts("slug").eq("author.name", "Ada"), "PGRST108", 400);
  fails(await posts("slug").order("name", { referencedTable: "author" }), "PGRST108", 400);
});

test("an order by a to-many embed is refused", async () => {
  fails(await posts("slug, comments(id)").order("comments(id)"), "PGRST118", 400);
});

test("a value of another type is refused", async () => {
  fails(await posts("slug").eq("views", "many"), "22P02", 400);
  fails(await posts("slug").eq("id", "not-a-uuid"), "22P02", 400);
  fails(await posts("slug").in("views", ["1", "two"]), "22P02", 400);
  fails(await posts("slug").eq("published", "perhaps"), "22P02", 400);
  fails(await posts("slug").contains("extra", "{no json"), "22P02", 400);
});

test("a number that does not fit is refused", async () => {
  fails(await posts("slug").eq("views", "99999999999999999999"), "22003", 400);
});

test("a select, a filter or an order that cannot be read is refused", async () => {
  fails(await posts("slug, author(name"), "PGRST100", 400);
  fails(await posts("slug").filter("slug", "equals", "x"), "PGRST100", 400);
  fails(await posts("slug").or("slug.eq.x,and(views.gt.1"), "PGRST100", 400);
  fails(await db.from("posts").select("slug").order("slug.sideways"), "PGRST100", 400);
});

test("a cast to no type, and one that cannot be, are refused", async () => {
  fails(await posts("views::whatever"), "42704", 400);
  fails(await posts("published::date"), "42846", 400);
});

test("an expression that is no pattern is refused", async () => {
  fails(await posts("slug").regexMatch("title", "(open"), "2201B", 400);
});

test("a function and a schema that do not exist are refused", async () => {
  fails(await db.rpc("greet", { name: "Ada" }), "PGRST202", 404);
  fails(await db.schema("private").from("posts").select(), "PGRST106", 406);
  answers(await db.schema("public").from("tags").select("name").eq("id", 1), [{ name: "craft" }]);
});

test("a form that rows are not answered in is refused", async () => {
  fails(await posts("slug").geojson(), "PGRST107", 406);
  fails(await posts("slug").explain({ format: "json" }), "PGRST107", 406);
});

test("a token that does not verify is refused, whatever else is sent", async () => {
  const bearer = (token) => server.client(server.keys.anon, { accessToken: async () => token });
  const good = await server.token("ada");
  const [head, claims] = good.split(".");
  const wrong = [
    "nonsense",
    `${head}.${claims}.${"A".repeat(86)}`,
    // The claims of an editor under the signature of ada's token.
    good.replace(claims, (await server.token("ada", "editor")).split(".")[1]),
    `${Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url")}.${claims}.`,
  ];
  for (const token of wrong) {
    const error = fails(await bearer(token).from("tags").select("name"), "PGRST301", 401);
    assert.ok(!error.message.includes(claims));
  }
});

test("an error of a head request has its status", async () => {
  const answer = await db.from("posts").select("titel", { head: true });
  assert.equal(answer.status, 400);
  assert.notEqual(answer.error, null);
});

test("an error of one request says nothing of the next", async () => {
  fails(await posts("titel"), "42703", 400);
  answers(await posts("slug").eq("slug", "plan"), [{ slug: "plan" }]);
});
