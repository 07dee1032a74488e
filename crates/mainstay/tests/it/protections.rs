//! One test for each documented protection, over a real socket.
//!
//! `docs/security.md` names the switch that takes each protection out; with it
//! thrown, the test named beside it must fail.

use crate::support::{Caller, app, json};

/// People, their private notes, who banned whom, and teams with members.
const PEOPLE: &[(&str, &str)] = &[
    (
        "models/people.toml",
        r#"
[model]
id = "text"
[fields]
name   = { type = "text", required = true }
salary = { type = "int", default = 0, read = "id == auth.id" }
boss   = { type = "ref", to = "people", read = "id == auth.id" }
[rules]
read   = "true"
create = "id == auth.id"
update = "id == auth.id"
delete = "id == auth.id"
"#,
    ),
    (
        "models/bans.toml",
        r#"
[fields]
person = { type = "ref", to = "people", required = true }
room   = { type = "ref", to = "rooms", required = true }
"#,
    ),
    (
        "models/rooms.toml",
        r#"
[model]
id = "int"
[fields]
name  = { type = "text", required = true, unique = true }
owner = { type = "ref", to = "people", default = "auth.id" }
open  = { type = "bool" }
[rules]
read   = "open || owner == auth.id || 'warden' in auth.roles"
create = "owner == auth.id"
update = "owner == auth.id"
check  = "owner == auth.id && name != 'forbidden'"
delete = "owner == auth.id"
"#,
    ),
    (
        "models/halls.toml",
        r#"
[model]
id = "int"
[fields]
name = { type = "text", required = true }
room = { type = "ref", to = "rooms" }
[rules]
read = "!room.bans.exists(b, b.person == auth.id)"
"#,
    ),
    (
        "models/secrets.toml",
        r#"
[fields]
text = { type = "text", required = true }
"#,
    ),
    (
        "models/friendships.toml",
        r#"
[model]
junction = true
[fields]
person = { type = "ref", to = "people", required = true }
room   = { type = "ref", to = "rooms", required = true }
public = { type = "bool", default = false }
[rules]
read = "public || person == auth.id"
"#,
    ),
];

/// Two rooms of Ada's (one open), a hall of each, and a ban on nobody in sight.
async fn people() -> crate::support::App {
    let app = app(PEOPLE).await;
    let service = Caller::Service;
    app.created(&service, "people", r#"[{"id":"ada","name":"Ada","salary":100},{"id":"bob","name":"Bob","salary":200,"boss":"ada"}]"#).await;
    app.created(
        &service,
        "rooms",
        r#"[{"id":1,"name":"closed","owner":"ada","open":false},{"id":2,"name":"open","owner":"ada","open":true},{"id":3,"name":"unsaid","owner":"ada"}]"#,
    )
    .await;
    app.created(
        &service,
        "halls",
        r#"[{"id":1,"name":"east","room":1},{"id":2,"name":"west","room":2}]"#,
    )
    .await;
    app.created(&service, "bans", r#"[{"person":"bob","room":1}]"#).await;
    app.created(
        &service,
        "friendships",
        r#"[{"person":"bob","room":2,"public":false},{"person":"ada","room":2,"public":true}]"#,
    )
    .await;
    app.created(&service, "secrets", r#"[{"text":"s"}]"#).await;
    app
}

#[tokio::test]
async fn a_model_without_a_rule_is_closed() {
    let app = people().await;
    for caller in [Caller::Anonymous, Caller::user("ada")] {
        let denied = if matches!(caller, Caller::Anonymous) { 401 } else { 403 };
        let read = app.get(&caller, "/rest/v1/secrets").await;
        assert_eq!((read.status, json(&read)["code"].as_str()), (denied, Some("42501")));
        let written = app.post(&caller, "/rest/v1/secrets", r#"{"text":"mine"}"#).await;
        assert_eq!((written.status, json(&written)["code"].as_str()), (denied, Some("42501")));
    }
    let all = app.get(&Caller::Service, "/rest/v1/secrets?select=text").await;
    assert_eq!(all.body, r#"[{"text":"s"}]"#);
}

#[tokio::test]
async fn an_unknown_verdict_admits_no_row() {
    let app = people().await;
    // Room 3 does not say whether it is open, so for a stranger its rule is unknown.
    let rooms = app.get(&Caller::user("bob"), "/rest/v1/rooms?select=id").await;
    assert_eq!(rooms.body, r#"[{"id":2}]"#);
}

#[tokio::test]
async fn a_negated_exists_with_an_unknown_inside_admits_no_row() {
    let app = people().await;
    // Whether the anonymous caller is banned from room 1 is unknown, not false.
    let halls = app.get(&Caller::Anonymous, "/rest/v1/halls?select=id").await;
    assert_eq!(halls.body, r#"[{"id":2}]"#);
    let halls = app.get(&Caller::user("bob"), "/rest/v1/halls?select=id").await;
    assert_eq!(halls.body, r#"[{"id":2}]"#);
    let halls = app.get(&Caller::user("ada"), "/rest/v1/halls?select=id").await;
    assert_eq!(halls.body, r#"[{"id":1},{"id":2}]"#);
}

#[tokio::test]
async fn a_field_hidden_in_some_rows_cannot_be_filtered_ordered_or_summed_by() {
    let app = people().await;
    let bob = Caller::user("bob");
    let own = app.get(&bob, "/rest/v1/people?select=id,salary").await;
    assert_eq!(own.body, r#"[{"id":"ada","salary":null},{"id":"bob","salary":200}]"#);
    for query in [
        "select=id&salary=gt.50",
        "select=id&or=(id.eq.ada,salary.gt.50)",
        "select=id&order=salary",
        "select=salary.sum()",
        "select=id,rooms!owner(id)&salary=not.is.null",
    ] {
        let refused = app.get(&bob, &format!("/rest/v1/people?{query}")).await;
        assert_eq!(
            (refused.status, json(&refused)["code"].as_str()),
            (403, Some("42501")),
            "{query}"
        );
    }
    let refused = app.get(&bob, "/rest/v1/rooms?select=id,owner(name)&owner.salary=gt.50").await;
    assert_eq!(refused.status, 403);
    let refused = app.get(&bob, "/rest/v1/rooms?select=id,owner(name)&order=owner(salary)").await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn an_embed_does_not_follow_a_ref_that_is_hidden() {
    let app = people().await;
    let refused = app.get(&Caller::user("ada"), "/rest/v1/people?select=id,boss(name)").await;
    assert_eq!((refused.status, json(&refused)["code"].as_str()), (403, Some("42501")));
}

#[tokio::test]
async fn a_junction_that_is_crossed_is_asked_its_own_rule() {
    let app = people().await;
    let rooms = "/rest/v1/rooms?id=eq.2&select=id,people!friendships(id)";
    let seen = app.get(&Caller::Anonymous, rooms).await;
    assert_eq!(seen.body, r#"[{"id":2,"people":[{"id":"ada"}]}]"#);
    let seen = app.get(&Caller::user("bob"), rooms).await;
    assert_eq!(seen.body, r#"[{"id":2,"people":[{"id":"ada"},{"id":"bob"}]}]"#);
}

#[tokio::test]
async fn a_write_touches_only_rows_its_caller_may_read() {
    const NOTES: &[(&str, &str)] = &[(
        "models/notes.toml",
        r#"
[model]
id = "int"
[fields]
text  = { type = "text", required = true }
owner = { type = "text" }
[rules]
read   = "owner == auth.id"
update = "true"
check  = "true"
delete = "true"
"#,
    )];
    let app = app(NOTES).await;
    app.created(&Caller::Service, "notes", r#"[{"id":1,"text":"ada's","owner":"ada"}]"#).await;
    let bob = Caller::user("bob");
    let changed =
        app.patch(&bob, "/rest/v1/notes?text=like.ada*", r#"{"text":"bob was here"}"#).await;
    assert_eq!(changed.status, 204);
    let deleted = app.delete(&bob, "/rest/v1/notes?id=eq.1").await;
    assert_eq!(deleted.status, 204);
    let all = app.get(&Caller::Service, "/rest/v1/notes?select=id,text").await;
    assert_eq!(all.body, r#"[{"id":1,"text":"ada's"}]"#);
}

#[tokio::test]
async fn a_guard_that_fails_takes_the_whole_write_back() {
    let app = people().await;
    let ada = Caller::user("ada");
    let bulk = r#"[{"id":10,"name":"ten","open":true},{"id":11,"name":"eleven","open":true,"owner":"bob"}]"#;
    let columns = "/rest/v1/rooms?columns=id,name,open,owner";
    let refused = app.send("POST", columns, &ada, &[("Prefer", "missing=default")], bulk).await;
    assert_eq!((refused.status, json(&refused)["code"].as_str()), (403, Some("42501")));
    let given_away = app.patch(&ada, "/rest/v1/rooms?id=eq.2", r#"{"owner":"bob"}"#).await;
    assert_eq!((given_away.status, json(&given_away)["code"].as_str()), (403, Some("42501")));
    let all = app.get(&Caller::Service, "/rest/v1/rooms?select=id,owner").await;
    assert_eq!(
        all.body,
        r#"[{"id":1,"owner":"ada"},{"id":2,"owner":"ada"},{"id":3,"owner":"ada"}]"#
    );
}

#[tokio::test]
async fn an_upsert_asks_the_stored_row_before_it_changes_it() {
    let app = people().await;
    // Bob proposes a row of his own under the id of Ada's open room.
    let refused = app
        .send(
            "POST",
            "/rest/v1/rooms",
            &Caller::user("bob"),
            &[("Prefer", "resolution=merge-duplicates")],
            r#"{"id":2,"name":"taken over","owner":"bob"}"#,
        )
        .await;
    assert_eq!((refused.status, json(&refused)["code"].as_str()), (403, Some("42501")));
    let room = app.get(&Caller::Service, "/rest/v1/rooms?id=eq.2&select=name,owner").await;
    assert_eq!(room.body, r#"[{"name":"open","owner":"ada"}]"#);
}

#[tokio::test]
async fn a_plan_made_for_one_caller_is_not_used_for_another() {
    let app = people().await;
    let rooms = "/rest/v1/rooms?select=id";
    for _ in 0..2 {
        // A warden's plan asks nothing of the rows: none may be more dangerous to reuse.
        let all = app.get(&Caller::User("eve", &["warden"]), rooms).await;
        assert_eq!(all.body, r#"[{"id":1},{"id":2},{"id":3}]"#);
        let own = app.get(&Caller::user("ada"), rooms).await;
        assert_eq!(own.body, r#"[{"id":1},{"id":2},{"id":3}]"#);
        let open = app.get(&Caller::Anonymous, rooms).await;
        assert_eq!(open.body, r#"[{"id":2}]"#);
        let all = app.get(&Caller::Service, rooms).await;
        assert_eq!(all.body, r#"[{"id":1},{"id":2},{"id":3}]"#);
    }
}

#[tokio::test]
async fn whoever_may_not_create_a_row_does_not_learn_what_is_taken() {
    let app = people().await;
    // Bob may create rooms of his own alone; one named "open" is there already.
    for name in ["open", "free"] {
        let body = format!(r#"{{"name":"{name}","owner":"ada"}}"#);
        let refused = app.post(&Caller::user("bob"), "/rest/v1/rooms", &body).await;
        assert_eq!(
            (refused.status, json(&refused)["code"].as_str()),
            (403, Some("42501")),
            "{name}"
        );
    }
    let taken = app.post(&Caller::user("bob"), "/rest/v1/rooms", r#"{"name":"open"}"#).await;
    assert_eq!((taken.status, json(&taken)["code"].as_str()), (409, Some("23505")));
}
