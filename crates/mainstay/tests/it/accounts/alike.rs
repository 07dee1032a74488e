//! Whether an address is somebody's is told by no answer.

use serde_json::{Value as Json, json};

use super::{Asked, HOME, PASSWORD, SETTINGS};
use crate::support::futures;

const USERS: (&str, &str) = (
    "models/users.toml",
    "[fields]\nhandle = { type = \"text\", required = true, unique = true, min = 3 }\n",
);
const KNOWN: &str = "ana@example.com";

async fn asked() -> Asked {
    let asked = Asked::start_with(SETTINGS, &[USERS]).await;
    let data = json!({ "handle": "ana" });
    let body = json!({ "email": KNOWN, "password": PASSWORD, "data": data });
    let told = asked.post(HOME, "/signup", body).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let (code, _) = asked.mail(KNOWN).await;
    let redeem = json!({ "email": KNOWN, "token": code, "type": "email" });
    assert_eq!(asked.post(HOME, "/verify", redeem).await.status, 200);
    asked
}

/// An answer without what is another in each: ids, times and the address itself.
fn shape(told: &mainstay::testing::Response, email: &str) -> (u16, String) {
    fn masked(json: Json) -> Json {
        const OWN: [&str; 3] = ["id", "sub", "_at"];
        match json {
            Json::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| match OWN.iter().any(|it| name.ends_with(it)) {
                    true => (name, "…".into()),
                    false => (name, masked(value)),
                })
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Json::Array(items) => items.into_iter().map(masked).collect(),
            other => other,
        }
    }
    let body = serde_json::from_str(&told.body).map(masked).unwrap_or_default();
    (told.status, body.to_string().replace(email, "EMAIL"))
}

fn nested(levels: usize) -> Json {
    (0..levels).fold(json!(1), |inner, _| json!({ "in": inner }))
}

#[tokio::test]
async fn what_is_said_of_oneself_is_looked_at_before_the_address_is() {
    let asked = asked().await;
    for (at, data) in [
        json!({}),
        json!({ "handle": "ana" }),
        json!({ "handle": "x" }),
        json!({ "handle": 7 }),
        json!({ "handle": "bo1", "more": "\u{0}" }),
        json!({ "handle": "bo2", "more": -0.0, "and": 1e2 }),
        json!({ "handle": "bo3", "more": nested(40) }),
        json!({ "handle": "bo4", "more": "x".repeat(100_000) }),
        json!({ "handle": "bo5", "more": { "z": 1, "a": 2 } }),
    ]
    .into_iter()
    .enumerate()
    {
        let unknown = format!("bo{at}@example.com");
        let mut shapes = Vec::new();
        // The known one first: what is refused for being taken must be so by ana alone.
        for email in [KNOWN, &unknown] {
            let body = json!({ "email": email, "password": PASSWORD, "data": data });
            shapes.push(shape(&asked.post(HOME, "/signup", body).await, email));
        }
        assert_eq!(shapes[0], shapes[1], "sign-up with {data}");
        let unknown = format!("cy{at}@example.com");
        let mut shapes = Vec::new();
        for email in [KNOWN, &unknown] {
            let body = json!({ "email": email, "data": data, "create_user": true });
            shapes.push(shape(&asked.post(HOME, "/otp", body).await, email));
        }
        assert_eq!(shapes[0], shapes[1], "otp with {data}");
        assert_eq!(shapes[0].0, 200);
    }
    asked.app.close().await;
}

#[tokio::test]
async fn mails_that_are_asked_for_at_once_are_answered_alike() {
    let asked = asked().await;
    let verifier = "a-verifier-of-forty-three-characters-or-more";
    for path in ["/recover", "/otp"] {
        for (at, email) in [KNOWN, "new@example.com", KNOWN].into_iter().enumerate() {
            let flow = json!({ "code_challenge": verifier, "code_challenge_method": "plain" });
            let mut body = if at == 2 { flow } else { json!({}) };
            body["email"] = email.into();
            body["data"] = json!({ "handle": format!("new{}", path.len()) });
            let both = (0..4).map(|_| asked.post(HOME, path, body.clone()));
            for told in futures(both).await {
                assert_eq!((told.status, &*told.body), (200, "{}"), "{path} of {email}");
            }
        }
    }
    asked.app.close().await;
}

#[tokio::test]
async fn a_code_that_would_make_no_account_tells_nothing_of_the_address() {
    let asked = asked().await;
    let mut shapes = Vec::new();
    for email in [KNOWN, "nobody@example.com"] {
        let told = asked.post(HOME, "/otp", json!({ "email": email, "create_user": false })).await;
        shapes.push(shape(&told, email));
    }
    assert_eq!(shapes[0], (200, "{}".to_owned()));
    assert_eq!(shapes[0], shapes[1]);
    let mails = asked.app.get("/_dev/mail").await.body;
    assert!(!mails.contains("nobody@example.com"), "{mails}");
    asked.app.close().await;
}
