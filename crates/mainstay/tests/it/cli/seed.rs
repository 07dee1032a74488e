//! `mainstay seed`: how rows find each other, and what is said of those that do not.

use serde_json::Value as Json;

use super::{Server, end_of, folder, mainstay, run, text, write};

/// People who name each other in a circle, their posts, and what is said of them.
const APP: &[(&str, &str)] = &[
    (
        "models/people.toml",
        "[fields]\nhandle = { type = \"text\", unique = true }\nage = { type = \"int\" }\n\
         extra = { type = \"json\" }\nboss = { type = \"ref\", to = \"people\" }\n\
         best = { type = \"ref\", to = \"posts\" }\n[rules]\nread = \"true\"\n",
    ),
    (
        "models/posts.toml",
        "[model]\nid = \"int\"\n[fields]\nslug = { type = \"text\", unique = true }\n\
         author = { type = \"ref\", to = \"people\" }\n[rules]\nread = \"true\"\n",
    ),
    (
        "models/remarks.toml",
        "[fields]\ntext = { type = \"text\", required = true }\n\
         post = { type = \"ref\", to = \"posts\" }\n[rules]\nread = \"true\"\n",
    ),
    ("seed/people.csv", "handle,age,extra,boss,best\nada,,\"{\"\"a\"\":1}\",bo,\nbo,41,,,first\n"),
    (
        "seed/posts.json",
        r#"[{"slug":"first"}, {"slug":"second","author":"ada"}, {"slug":"third","author":"bo"}]"#,
    ),
    ("seed/remarks.json", r#"[{"text":"yes","post":"second"}, {"text":"no","post":1}]"#),
];

#[test]
fn seeding_needs_no_mail_server() {
    let directory = folder(APP);
    let mut seed = mainstay(&["seed", text(&directory)]);
    let seeded = end_of(seed.env("MAINSTAY_AUTH__CONFIRM_EMAIL", "true"));
    assert_eq!((seeded.code, seeded.err.as_str()), (Some(0), ""), "{}", seeded.out);
}

#[test]
fn refs_are_found_by_a_unique_field_and_loading_twice_changes_nothing() {
    let directory = folder(APP);
    let seeded = run(&["seed", text(&directory), "--json"]);
    assert_eq!((seeded.code, seeded.err.as_str()), (Some(0), ""), "{}", seeded.out);
    let files: Json = serde_json::from_str(&seeded.out).expect("JSON");
    let inserted: Vec<Option<u64>> =
        files["files"].as_array().expect("a list").iter().map(|f| f["inserted"].as_u64()).collect();
    assert_eq!(inserted.iter().flatten().sum::<u64>(), 7, "{}", seeded.out);

    let server = Server::start("serve", directory.path());
    let shown = |server: &Server| {
        let people = server.get(
            "/rest/v1/people?select=handle,age,extra,boss(handle),best(slug)&order=handle",
            "",
        );
        let remarks =
            server.get("/rest/v1/remarks?select=text,post(slug,author(handle))&order=text", "");
        let body = |answer: &str| answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned();
        (body(&people), body(&remarks))
    };
    let first = shown(&server);
    assert_eq!(
        first.0,
        r#"[{"handle":"ada","age":null,"extra":{"a":1},"boss":{"handle":"bo"},"best":null},{"handle":"bo","age":41,"extra":null,"boss":null,"best":{"slug":"first"}}]"#
    );
    assert_eq!(
        first.1,
        r#"[{"text":"no","post":{"slug":"first","author":null}},{"text":"yes","post":{"slug":"second","author":{"handle":"ada"}}}]"#
    );

    let again = run(&["seed", text(&directory)]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert!(again.out.contains("seed/posts.json: 3 rows, 0 new, 3 updated"), "{}", again.out);
    assert!(again.out.contains("seed/remarks.json: 2 rows, 0 new, 2 left alone"), "{}", again.out);
    assert_eq!(shown(&server), first);
}

#[test]
fn a_row_that_names_nobody_or_breaks_a_constraint_is_shown_at_its_place() {
    let check = |file: &str, seed: &str, parts: &[&str]| {
        let directory = folder(&APP[..3]);
        write(directory.path(), file, seed);
        let refused = run(&["seed", text(&directory)]);
        assert_eq!(refused.code, Some(1), "{file}: {}", refused.out);
        for part in parts {
            assert!(refused.err.contains(part), "no {part} in:\n{}", refused.err);
        }
    };
    check(
        "seed/posts.json",
        "[\n  {\"slug\": \"a\", \"author\": \"adda\"}\n]",
        &["no row of people is named `adda`", "--> seed/posts.json:2:27"],
    );
    check("seed/people.csv", "handle,age\nada,1\nbo,old\n", &["--> seed/people.csv:3:", "old"]);
    check("seed/remarks.json", "[{\"text\":\"a\"},\n{\"post\":null}]", &["seed/remarks.json:2:"]);
    check("seed/posts.json", "[{\"slug\":\"a\",\"titel\":1}]", &["titel", "seed/posts.json:1:"]);
    check("seed/posts.json", "[{\"slug\":\"a\",\n]", &["not an array of objects", "posts.json:2:"]);
    check("seed/post.json", "[]", &["no model `post`", "did you mean `posts`?"]);
    check("seed/posts.yaml", "", &["MODEL.json or MODEL.csv"]);
}

#[test]
fn of_rows_loaded_together_the_one_that_is_refused_is_shown() {
    let directory = folder(&APP[..3]);
    let rows: Vec<String> = (0..50)
        .map(|n| format!("{{\"id\": {}, \"slug\": \"s{}\"}}", n + 1, if n == 37 { 3 } else { n }))
        .collect();
    write(directory.path(), "seed/posts.json", &format!("[\n{}\n]", rows.join(",\n")));
    let refused = run(&["seed", text(&directory)]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("seed/posts.json:39:"), "{}", refused.err);
}
