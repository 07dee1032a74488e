//! An app whose operators look after accounts, and its members.

use serde_json::{Value as Json, json as object};

use crate::{
    cli::audited,
    support::{App, Caller, app, json},
};

/// An app whose notes show who somebody is to it. A standing that was looked up holds for
/// minutes, so that no test passes because it was forgotten by itself.
pub(crate) const NOTES: &[(&str, &str)] = &[
    (
        "mainstay.toml",
        "[auth]\nsession_check_s = 300\npassword_memory_kib = 1024\npassword_iterations = 1\n\
         mail_every_s = 0\nrequests_max = 1000\n\
         tokens_max = 1000\n[roles]\neditor = {}\nauditor = {}\n",
    ),
    (
        "models/notes.toml",
        r#"
[fields]
text = { type = "text" }
[rules]
read   = "'editor' in auth.roles"
create = "auth.id != null"
"#,
    ),
    (
        "models/users.toml",
        r#"
[fields]
name = { type = "text" }
[rules]
read   = "id == auth.id"
create = "true"
update = "id == auth.id"
"#,
    ),
];

pub(crate) const PASSWORD: &str = "a long enough sentence";

pub(crate) async fn notes() -> App {
    let app = app(NOTES).await;
    app.created(&Caller::Service, "notes", r#"[{"text":"kept"}]"#).await;
    app
}

/// Somebody who has signed up and is signed in.
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) caller: Caller,
    pub(crate) refresh_token: String,
}

impl Member {
    fn of(session: &Json) -> Self {
        let text = |value: &Json| value.as_str().expect("a text").to_owned();
        Self {
            id: text(&session["user"]["id"]),
            caller: Caller::Bearer(text(&session["access_token"])),
            refresh_token: text(&session["refresh_token"]),
        }
    }
}

/// Signs somebody up with more said than a password.
pub(crate) async fn sign_up_saying(app: &App, email: &str, data: Json) -> Member {
    let body = object!({ "email": email, "password": PASSWORD, "data": data }).to_string();
    let res = app.post(&Caller::Anonymous, "/auth/v1/signup", &body).await;
    assert_eq!(res.status, 200, "{}", res.body);
    Member::of(&json(&res))
}

pub(crate) async fn sign_up(app: &App, email: &str) -> Member {
    sign_up_saying(app, email, object!({})).await
}

/// The status and the code of a sign-in.
pub(crate) async fn sign_in(app: &App, email: &str, password: &str) -> (u16, Json) {
    let body = object!({ "email": email, "password": password }).to_string();
    let path = "/auth/v1/token?grant_type=password";
    let res = app.post(&Caller::Anonymous, path, &body).await;
    (res.status, json(&res)["code"].clone())
}

pub(crate) async fn refresh(app: &App, member: &Member) -> u16 {
    let body = object!({ "refresh_token": member.refresh_token }).to_string();
    app.post(&Caller::Anonymous, "/auth/v1/token?grant_type=refresh_token", &body).await.status
}

/// What a member sees of the notes.
pub(crate) async fn seen(app: &App, caller: &Caller) -> (u16, String) {
    let res = app.get(caller, "/rest/v1/notes?select=text").await;
    (res.status, res.body)
}

/// Changes an account as an operator.
pub(crate) async fn administer(app: &App, id: &str, body: Json) -> Json {
    let path = format!("/auth/v1/admin/users/{id}");
    let res = app.put(&Caller::Service, &path, &body.to_string()).await;
    assert_eq!(res.status, 200, "{}", res.body);
    json(&res)
}

/// The kinds of actor and the events of the audit log about an account, the latest first.
pub(crate) fn events(app: &App, id: &str) -> Vec<String> {
    told(app, &["--user", id])
}

/// The same about all accounts and none.
pub(crate) fn all_events(app: &App) -> Vec<String> {
    told(app, &["--limit", "1000"])
}

fn told(app: &App, which: &[&str]) -> Vec<String> {
    let word = |value: &Json| value.as_str().expect("a text").to_owned();
    let line = |it: &Json| format!("{} {}", word(&it["actor_kind"]), word(&it["event"]));
    audited(app.folder(), which).iter().map(line).collect()
}
