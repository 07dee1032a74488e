//! The rows: the same on every engine, written and read through the REST API.

use anyhow::{Context as _, ensure};
use serde_json::{Value as Json, json};

use crate::http::Connection;

/// Rows of each large model.
pub(super) const ROWS: u64 = 100_000;
/// Rows of one request, and of one page.
const PAGE: u64 = 10_000;

/// A server, and the key that passes every rule.
#[derive(Debug)]
pub(super) struct Client {
    connection: Connection,
    service: String,
}

impl Client {
    /// Connects with the key that `mainstay keys --json` printed.
    pub(super) fn open(address: &str, keys: &str) -> anyhow::Result<Self> {
        let keys: Json = serde_json::from_str(keys)?;
        let service = keys["service"].as_str().context("there is no service key")?.to_owned();
        Ok(Self { connection: Connection::open(address)?, service })
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        prefer: &str,
        body: &str,
    ) -> anyhow::Result<String> {
        let bearer = format!("Bearer {}", self.service);
        let headers = [("apikey", &*self.service), ("Authorization", &*bearer), ("Prefer", prefer)];
        let answer = self.connection.send(method, &format!("/rest/v1/{path}"), &headers, body)?;
        let said: String = answer.body.chars().take(300).collect();
        ensure!(matches!(answer.status, 200 | 201), "{method} {path}: {} {said}", answer.status);
        Ok(answer.body)
    }
}

/// A model, how many rows it gets, and what each is, by its number.
type Seed = (&'static str, u64, fn(u64) -> Json);

/// Writes the rows of the first version.
pub(super) fn seed(client: &mut Client) -> anyhow::Result<()> {
    let models: [Seed; 4] = [
        ("people", ROWS, person),
        ("posts", ROWS, post),
        ("comments", ROWS, comment),
        ("drafts", 100, |n| json!({ "id": id(9, n), "note": format!("Draft {n}") })),
    ];
    for (model, count, row) in models {
        for first in (1..=count).step_by(PAGE as usize) {
            let rows: Vec<Json> = (first..=count.min(first + PAGE - 1)).map(row).collect();
            client.send("POST", model, "return=minimal", &Json::from(rows).to_string())?;
        }
    }
    Ok(())
}

fn id(kind: u8, n: u64) -> String {
    format!("01900000-0000-7000-8{kind:03}-{n:012x}")
}

fn person(n: u64) -> Json {
    let name = if n.is_multiple_of(10) { format!("Solo{n}") } else { format!("First{n} Last{n}") };
    let email = (!n.is_multiple_of(13)).then(|| format!("p{n}@example.org"));
    let born = format!("{}-{:02}-{:02}", 1930 + n % 90, 1 + n % 12, 1 + n % 28);
    let level = (!n.is_multiple_of(5)).then_some(n % 7);
    json!({ "id": n, "name": name, "email": email, "born": born, "level": level,
        "city": format!("City{}", n % 50) })
}

fn post(n: u64) -> Json {
    let posted_at = format!("2024-{:02}-{:02}T23:{:02}:59.5Z", 1 + n % 12, 1 + n % 28, n % 60);
    // Eighths: halves of a cent, which have to be rounded alike.
    json!({ "id": id(1, n), "title": format!("Post {n}"), "body": format!("What post {n} says"),
        "author": 1 + n * 7919 % ROWS, "price": n as f64 / 8.0, "published": n % 2,
        "posted_at": posted_at })
}

fn comment(n: u64) -> Json {
    json!({ "id": format!("c{n:06}"), "post": id(1, 1 + n * 31 % ROWS), "votes": (n % 31).to_string(),
        "said": format!("Said {n}"), "meta": { "n": n, "tags": ["a", n % 3] } })
}

/// What became of a row of each model, and how many there are.
fn expected() -> [(&'static str, u64, Json); 4] {
    let user = json!({ "id": 35, "first": "First35", "last": "Last35", "email": "p35@example.org",
        "born": "1965-12-08", "level": 1, "nick": null });
    let post = json!({ "id": id(1, 35), "headline": "Post 35", "author": 77_166, "price": 4.38,
        "published": true, "posted_at": "2024-12-08", "views": 0, "tag": "5" });
    let note = json!({ "id": "c000035", "post": id(1, 1086), "votes": 4, "words": "Said 35",
        "meta": "{\"n\":35,\"tags\":[\"a\",2]}", "flagged": false });
    [
        ("members", ROWS, user),
        ("posts", ROWS, post),
        ("notes", ROWS, note),
        ("tags", 10, json!({ "id": "5", "label": "ends so" })),
    ]
}

/// Reads every row of the last version on all of these servers and compares the bodies,
/// byte for byte. Returns how many rows there are on each.
pub(super) fn compare(servers: &mut [(&'static str, Client)]) -> anyhow::Result<u64> {
    let mut compared = 0;
    for (model, count, row) in expected() {
        let id = row["id"].to_string();
        let one = format!("{model}?id=eq.{}", id.trim_matches('"'));
        let found: Json = serde_json::from_str(&asked_of_all(servers, "GET", &one, "")?)?;
        ensure!(found == json!([row]), "{one}: expected [{row}], found {found}");
        let mut read = 0;
        for offset in (0..count).step_by(PAGE as usize) {
            let page = format!("{model}?order=id&limit={PAGE}&offset={offset}");
            let rows: Vec<Json> = serde_json::from_str(&asked_of_all(servers, "GET", &page, "")?)?;
            read += rows.len() as u64;
        }
        ensure!(read == count, "{model} has {read} rows, {count} are expected");
        compared += read;
    }
    // Numbers go on where they were, and what came last has its defaults.
    let next = asked_of_all(servers, "POST", "members", r#"{"first":"Next"}"#)?;
    let next: Json = serde_json::from_str(&next)?;
    let number = &next[0]["id"];
    ensure!(*number == ROWS + 1, "the next user's number is {number}, not {}", ROWS + 1);
    Ok(compared)
}

/// Asks all alike, and returns their answer where it is one.
fn asked_of_all(
    servers: &mut [(&'static str, Client)],
    method: &str,
    path: &str,
    body: &str,
) -> anyhow::Result<String> {
    let mut answers: Vec<(&str, String)> = Vec::new();
    for (name, client) in servers {
        let answer = client.send(method, path, "return=representation", body);
        answers.push((*name, answer.with_context(|| format!("on {name}"))?));
    }
    for pair in answers.windows(2) {
        let [(one, first), (other, second)] = pair else { continue };
        if let Some(at) = first.bytes().zip(second.bytes()).position(|(one, other)| one != other) {
            let [first, second] = [first, second].map(|it| around(it, at));
            anyhow::bail!("{path} differs: {first} on {one}, {second} on {other}");
        }
        ensure!(first.len() == second.len(), "{path} is longer on one of {one} and {other}");
    }
    Ok(answers.pop().context("BUG: somebody is asked")?.1)
}

/// What stands around a place in a text.
fn around(text: &str, at: usize) -> String {
    let bytes = &text.as_bytes()[at.saturating_sub(60)..text.len().min(at + 60)];
    String::from_utf8_lossy(bytes).into_owned()
}
