//! The corpus's callers.

use std::sync::Arc;

use mainstay_core::{Actor, UserClaims};
use serde_json::{Value as Json, json};

/// An id that is every kind of trouble in one.
pub(super) const OHARA: &str = r#"o'hara" OR 1=1 --%_\"#;
/// An id that is a uuid.
pub(super) const DAVE: &str = "11111111-1111-7111-8111-111111111111";
/// A uuid that no one's id is.
pub(super) const TOKEN: &str = "22222222-2222-7222-8222-22222222abcd";

/// The callers in the order of a hand-decided line: nobody; one with an id alone; one
/// with everything; one of whom everything is empty; one whose id would break out of
/// quotes; one whose id is a uuid and whose claims are of the wrong types.
pub(super) fn actors() -> Vec<(&'static str, Actor)> {
    let user = |id: &str, email: Option<&str>, roles: &[&str], can: &[&str], claims: Json| {
        let claims = match claims {
            Json::Object(claims) => claims,
            _ => serde_json::Map::new(),
        };
        let boxed = |texts: &[&str]| texts.iter().map(|text| (*text).into()).collect();
        Actor::user(Arc::new(UserClaims {
            id: id.to_owned(),
            email: email.map(str::to_owned),
            roles: boxed(roles),
            permissions: boxed(can),
            claims,
            tenant: None,
        }))
    };
    vec![
        ("anonymous", Actor::anonymous()),
        ("alice", user("alice", None, &[], &[], json!({}))),
        (
            "bob",
            user(
                "bob",
                Some("bob@example.com"),
                &["author", "editor"],
                &["posts.publish"],
                json!({
                    "org": 7, "orgs": [7, "8", "x"], "level": "3", "admin": true,
                    "price": 9.99, "token": TOKEN, "deep": { "a": { "b": "Hello" } },
                }),
            ),
        ),
        (
            "empty",
            user(
                "",
                Some(""),
                &[""],
                &[],
                json!({ "org": null, "orgs": [], "level": 3.5, "admin": "true", "deep": {} }),
            ),
        ),
        (
            "ohara",
            user(
                OHARA,
                Some("O'HARA@EXAMPLE.COM"),
                &["edit%r", "o'hara"],
                &["posts.%"],
                json!({ "org": "7", "orgs": 7, "level": -1, "admin": false, "price": "9.990" }),
            ),
        ),
        (
            "dave",
            user(
                DAVE,
                Some("dave@example.com"),
                &["EDITOR"],
                &[],
                json!({
                    "org": 9_223_372_036_854_775_807_i64, "orgs": ["7", null, true],
                    "level": 1e300, "admin": 1, "price": 9.999,
                    "token": TOKEN.to_uppercase(), "deep": { "a": "x" },
                }),
            ),
        ),
    ]
}
