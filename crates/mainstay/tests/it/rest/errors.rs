//! What a caller is told when something is wrong.

use super::shelf;
use crate::support::{Caller, json};

#[tokio::test]
async fn an_error_names_the_thing_and_the_nearest_there_is() {
    let app = shelf().await;
    for (path, hint) in [
        ("/rest/v1/psots", "perhaps you meant the model \"posts\""),
        ("/rest/v1/posts?select=titel", "perhaps you meant the field \"title\""),
        ("/rest/v1/posts?select=id,comment(id)", "perhaps you meant \"comments\""),
    ] {
        let res = app.get(&Caller::Anonymous, path).await;
        assert_eq!(json(&res)["hint"], hint, "{}", res.body);
    }
}

#[tokio::test]
async fn a_path_or_method_that_is_not_there_is_told_as_json() {
    let app = shelf().await;
    for (method, path, status, code) in [
        ("GET", "/rest/v1/rpc/anything", 404, "PGRST202"),
        ("GET", "/nowhere", 404, "PGRST125"),
        ("PUT", "/rest/v1/posts?id=eq.1", 400, "PGRST102"),
        ("TRACE", "/rest/v1/posts", 405, "PGRST117"),
    ] {
        let res = app.send(method, path, &Caller::Anonymous, &[], "").await;
        assert_eq!(
            (res.status, json(&res)["code"].as_str()),
            (status, Some(code)),
            "{method} {path}: {}",
            res.body
        );
    }
}

#[tokio::test]
async fn a_media_type_that_cannot_be_answered_is_406() {
    let app = shelf().await;
    let res =
        app.send("GET", "/rest/v1/posts", &Caller::Anonymous, &[("Accept", "image/png")], "").await;
    assert_eq!((res.status, json(&res)["code"].as_str()), (406, Some("PGRST107")));
}
