//! Which rows.

use super::{answers, refuses, shelf};
use crate::support::{App, Caller, json};

/// Asserts the ids of the posts that each filter admits.
async fn admits(app: &App, table: &[(&str, &[i64])]) {
    let mut wrong = Vec::new();
    for (filter, expected) in table {
        let res = app.get(&Caller::Anonymous, &format!("/rest/v1/posts?select=id&{filter}")).await;
        let ids: Option<Vec<i64>> = json(&res)
            .as_array()
            .map(|rows| rows.iter().filter_map(|row| row["id"].as_i64()).collect());
        if ids.as_deref() != Some(*expected) {
            wrong.push(format!("{filter}: expected {expected:?}, answered {}", res.body));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn comparisons_admit_what_they_say_and_never_absent_values() {
    let app = shelf().await;
    admits(
        &app,
        &[
            ("id=eq.2", &[2]),
            ("views=neq.10", &[2]),
            ("views=not.eq.10", &[2]),
            ("views=gt.10", &[2]),
            ("views=gte.10", &[1, 2, 4]),
            ("views=lt.20", &[1, 4]),
            ("views=lte.20", &[1, 2, 4]),
            ("price=eq.1.5", &[1]),
            ("price=gt.2.25", &[4]),
            ("price=gte.2.25", &[2, 4]),
            ("score=eq.0.5", &[1]),
            ("at=lt.2026-01-03", &[1]),
            ("at=eq.2026-02-01T22:00:00Z", &[2]),
            ("token=eq.00000000-0000-0000-0000-00000000000A", &[1]),
            ("blob=eq.%5Cx00FF", &[1]),
            ("mood=eq.sad", &[2]),
            ("title=gt.a", &[2, 4]),
            ("author=eq.ada", &[1, 3]),
            ("title=eq.ALPHA", &[]),
        ],
    )
    .await;
}

#[tokio::test]
async fn is_and_isdistinct_see_absent_values() {
    let app = shelf().await;
    admits(
        &app,
        &[
            ("views=is.null", &[3]),
            ("views=not.is.null", &[1, 2, 4]),
            ("views=is.not_null", &[1, 2, 4]),
            ("published=is.true", &[1, 4]),
            ("published=is.false", &[2]),
            ("published=is.unknown", &[3]),
            ("published=not.is.true", &[2, 3]),
            ("views=isdistinct.10", &[2, 3]),
            ("views=not.isdistinct.10", &[1, 4]),
        ],
    )
    .await;
}

#[tokio::test]
async fn texts_are_searched_by_pattern() {
    let app = shelf().await;
    admits(
        &app,
        &[
            ("title=like.Alpha*", &[1]),
            ("title=like.*alpha*", &[4]),
            ("title=ilike.alpha*", &[1, 4]),
            ("title=like.Gamma_ray", &[3]),
            ("title=like.Gamma%25", &[3]),
            ("title=not.ilike.alpha*", &[2, 3]),
            ("title=match.%5EA", &[1]),
            ("title=match.a%24", &[1, 2]),
            ("title=imatch.%5Ealpha", &[1, 4]),
            ("title=like(any).{Alpha*,beta*}", &[1, 2]),
            ("title=like(all).{*a*,*h*}", &[1, 4]),
            ("title=ilike(all).{a*,*t}", &[4]),
        ],
    )
    .await;
}

#[tokio::test]
async fn lists_admit_any_or_all_of_their_items() {
    let app = shelf().await;
    admits(
        &app,
        &[
            ("id=in.(1,3)", &[1, 3]),
            ("id=not.in.(1,3)", &[2, 4]),
            ("title=in.(Alpha,\"beta\")", &[1, 2]),
            ("title=in.(\"a,b\",\"c\\\"d\")", &[]),
            ("id=in.()", &[]),
            ("token=in.(00000000-0000-0000-0000-00000000000a)", &[1]),
            ("price=in.(1.50,10)", &[1, 4]),
            ("views=eq(any).{10,20}", &[1, 2, 4]),
            ("views=gt(all).{5,15}", &[2]),
        ],
    )
    .await;
}

#[tokio::test]
async fn conditions_are_joined_and_negated() {
    let app = shelf().await;
    admits(
        &app,
        &[
            ("views=gte.10&published=is.true", &[1, 4]),
            ("or=(id.eq.1,id.eq.2)", &[1, 2]),
            ("and=(views.gte.10,views.lt.20)", &[1, 4]),
            ("or=(id.eq.3,and(views.eq.10,title.like.al*))", &[3, 4]),
            ("not.or=(id.eq.1,id.eq.2)", &[3, 4]),
            ("not.and=(id.gte.2,id.lte.3)", &[1, 4]),
            ("or=(title.in.(Alpha,beta),views.is.null)", &[1, 2, 3]),
            ("or=(views.not.eq.10,id.eq.1)", &[1, 2]),
            ("or=(title.eq.\"Alpha\",title.eq.\"a,b\")", &[1]),
        ],
    )
    .await;
}

#[tokio::test]
async fn json_is_filtered_by_path_and_containment() {
    let app = shelf().await;
    admits(
        &app,
        &[
            ("extra->>kind=eq.a", &[1, 4]),
            ("extra->n=eq.5", &[1]),
            ("extra->n=gt.5", &[2]),
            ("extra->deep->x->>1=eq.2", &[1]),
            ("extra->>kind=is.null", &[3]),
            ("extra->>kind=in.(b,c)", &[2]),
            ("extra=cs.{\"kind\":\"a\"}", &[1, 4]),
            ("extra=cs.{\"tags\":[\"y\"]}", &[4]),
            ("extra=cd.{\"kind\":\"b\",\"n\":7,\"more\":1}", &[2]),
            ("extra=not.cs.{\"kind\":\"a\"}", &[2]),
        ],
    )
    .await;
}

#[tokio::test]
async fn embedded_models_are_filtered_apart_from_the_rows_above() {
    let app = shelf().await;
    answers(
        &app,
        &[
            (
                "posts?select=id,comments(id)&comments.text=eq.first&id=lte.2",
                r#"[{"id":1,"comments":[{"id":1}]},{"id":2,"comments":[]}]"#,
            ),
            (
                "posts?select=id,comments!inner(id)&comments.text=eq.first",
                r#"[{"id":1,"comments":[{"id":1}]}]"#,
            ),
            (
                "posts?select=id,comments(id)&comments.or=(text.eq.second,text.eq.third)&id=lte.2",
                r#"[{"id":1,"comments":[{"id":2}]},{"id":2,"comments":[{"id":3}]}]"#,
            ),
            ("posts?select=id,comments()&comments=is.null", r#"[{"id":3},{"id":4}]"#),
            ("posts?select=id,comments()&comments=not.is.null", r#"[{"id":1},{"id":2}]"#),
            (
                "posts?select=id,comments(),tags()&or=(comments.not.is.null,tags.not.is.null)",
                r#"[{"id":1},{"id":2},{"id":4}]"#,
            ),
            (
                "posts?select=id,author!inner(name)&author.name=eq.Bob",
                r#"[{"id":2,"author":{"name":"Bob"}}]"#,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_could_run_for_long_is_bounded_in_length_and_number() {
    let app = shelf().await;
    let long = "x".repeat(257);
    let pattern = format!("posts?title=like.{long}");
    let json = format!("posts?extra=cs.[{}1]", "1,".repeat(512));
    let patterns = format!("posts?title=match(any).{{{}a}}", "a,".repeat(8));
    refuses(&app, &[(&pattern, 400, "54000"), (&json, 400, "54000"), (&patterns, 400, "54000")])
        .await;
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_or_typed_is_refused() {
    let app = shelf().await;
    refuses(
        &app,
        &[
            ("posts?views=10", 400, "PGRST100"),
            ("posts?views=eq", 400, "PGRST100"),
            ("posts?views=above.10", 400, "PGRST100"),
            ("posts?or=(id.eq.1", 400, "PGRST100"),
            ("posts?views=eq.ten", 400, "22P02"),
            ("posts?views=eq.99999999999999999999", 400, "22003"),
            ("posts?token=eq.nonsense", 400, "22P02"),
            ("posts?viwes=eq.10", 400, "42703"),
            ("posts?views=like.1*", 404, "42883"),
            ("posts?title=match.(", 400, "2201B"),
            ("posts?title->x=eq.1", 404, "42883"),
            ("posts?title=fts.word", 400, "PGRST127"),
            ("posts?comments.text=eq.first", 400, "PGRST108"),
            ("psots?id=eq.1", 404, "PGRST205"),
        ],
    )
    .await;
}
