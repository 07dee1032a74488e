//! Each limit at its edge: what just fits is answered, one more is refused by name.

use crate::support::{App, Caller, app, json};

async fn small() -> App {
    app(&[
        (
            "mainstay.toml",
            r#"
[limits]
body_bytes_max = 400
url_bytes_max = 300
response_bytes_max = 2000
json_depth_max = 4
filter_nodes_max = 6
filter_depth_max = 3
embed_depth_max = 2
embeds_max = 3
select_items_max = 6
page_rows_max = 5
write_rows_max = 4
pattern_bytes_max = 10
"#,
        ),
        (
            "models/nodes.toml",
            r#"
[model]
id = "int"
timestamps = false
[fields]
name   = { type = "text" }
parent = { type = "ref", to = "nodes" }
data   = { type = "json" }
[rules]
read = "true"
create = "true"
update = "true"
delete = "true"
"#,
        ),
    ])
    .await
}

/// Asserts that the first request is answered and the second refused, naming the limit.
async fn edge(app: &App, fits: &str, exceeds: &str, limit: &str) {
    let res = app.get(&Caller::Anonymous, &format!("/rest/v1/nodes{fits}")).await;
    assert_eq!(res.status, 200, "{limit}: {fits}: {}", res.body);
    let res = app.get(&Caller::Anonymous, &format!("/rest/v1/nodes{exceeds}")).await;
    assert!((400..=414).contains(&res.status), "{limit}: {exceeds}: {} {}", res.status, res.body);
    assert!(res.body.contains(limit), "{limit}: {}", res.body);
}

#[tokio::test]
async fn each_limit_of_a_query_holds_at_its_edge() {
    let app = small().await;
    edge(
        &app,
        "?select=id,name,parent,data,a:id,b:id",
        "?select=id,name,parent,data,a:id,b:id,c:id",
        "select_items_max",
    )
    .await;
    edge(&app, "?id=in.(1,2,3,4,5)", "?id=in.(1,2,3,4,5,6)", "filter_nodes_max").await;
    edge(
        &app,
        "?or=(id.eq.1,and(id.eq.2,id.eq.3))",
        "?or=(id.eq.1,and(id.eq.2,or(id.eq.3,and(id.eq.4))))",
        "filter_depth_max",
    )
    .await;
    edge(
        &app,
        "?select=id,parent(id,parent(id))",
        "?select=id,parent(id,parent(id,parent(id)))",
        "embed_depth_max",
    )
    .await;
    edge(
        &app,
        "?select=a:parent(id),b:parent(id),c:parent(id)",
        "?select=a:parent(),b:parent(),c:parent(),d:parent(id)",
        "embeds_max",
    )
    .await;
    edge(&app, "?name=match.0123456789", "?name=match.01234567890", "pattern_bytes_max").await;
    let long = format!("?name=eq.{}", "x".repeat(277));
    let longer = format!("?name=eq.{}", "x".repeat(278));
    edge(&app, &long, &longer, "url_bytes_max").await;
}

#[tokio::test]
async fn each_limit_of_a_body_holds_at_its_edge() {
    let app = small().await;
    for (body, status, named) in [
        (r#"{"data":[[[1]]]}"#.to_owned(), 201, ""),
        (r#"{"data":[[[[[1]]]]]}"#.to_owned(), 400, "json_depth_max"),
        (r#"[{"id":5},{"id":6},{"id":7},{"id":8}]"#.to_owned(), 201, ""),
        (
            r#"[{"id":11},{"id":12},{"id":13},{"id":14},{"id":15}]"#.to_owned(),
            400,
            "write_rows_max",
        ),
        (format!(r#"{{"name":"{}"}}"#, "x".repeat(389)), 201, ""),
        (format!(r#"{{"name":"{}"}}"#, "x".repeat(390)), 413, "body_bytes_max"),
    ] {
        let res = app.post(&Caller::Anonymous, "/rest/v1/nodes", &body).await;
        assert_eq!(res.status, status, "{body}: {}", res.body);
        if !named.is_empty() {
            assert!(res.body.contains(named), "{named}: {}", res.body);
        }
    }
}

#[tokio::test]
async fn a_page_is_cut_and_an_answer_too_large_refused() {
    let app = small().await;
    for start in [1, 5] {
        let rows: Vec<String> = (start..start + 4).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
        let res =
            app.post(&Caller::Anonymous, "/rest/v1/nodes", &format!("[{}]", rows.join(","))).await;
        assert_eq!(res.status, 201, "{}", res.body);
    }
    let page = app.get(&Caller::Anonymous, "/rest/v1/nodes?select=id&limit=100").await;
    assert_eq!(page.body, r#"[{"id":1},{"id":2},{"id":3},{"id":4},{"id":5}]"#);
    for id in 1..=5 {
        let body = format!(r#"{{"name":"{}"}}"#, "y".repeat(380));
        let res = app.patch(&Caller::Anonymous, &format!("/rest/v1/nodes?id=eq.{id}"), &body).await;
        assert_eq!(res.status, 204, "{}", res.body);
    }
    let fits = app.get(&Caller::Anonymous, "/rest/v1/nodes?select=name&limit=4").await;
    assert_eq!(fits.status, 200, "{}", fits.body);
    let refused = app.get(&Caller::Anonymous, "/rest/v1/nodes?limit=5").await;
    assert_eq!(json(&refused)["code"], "response_too_large", "{}", refused.body);
    // A write that would change more rows than a write may is refused whole.
    let refused = app.patch(&Caller::Anonymous, "/rest/v1/nodes?id=gt.0", r#"{"name":"z"}"#).await;
    assert!(refused.body.contains("write_rows_max"), "{} {}", refused.status, refused.body);
}
