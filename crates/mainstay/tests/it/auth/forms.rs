//! The life of an account without a script.

use mainstay::testing::{Response, TestApp};

use super::{
    factors::Which,
    visitor::{
        EMAIL, FORM, PASSWORD, cookie_of, factor_shown, send, sign_in, sign_up, status_of, submit,
    },
};
use crate::support::mailed;

const USERS: (&str, &str) = (
    "models/users.toml",
    "[fields]\nhandle = { type = \"text\", required = true, unique = true, format = \"slug\" }\n\
     [rules]\nread = \"true\"\n",
);

fn location(res: &Response) -> &str {
    assert_eq!(res.status, 303, "{res:?}");
    res.header("location").expect("a location")
}

fn account() -> String {
    let password = PASSWORD.replace(' ', "+");
    format!("email=ada%40example.com&password={password}")
}

#[tokio::test]
async fn an_account_is_made_used_and_left_with_forms_alone() {
    let app = TestApp::start(&[USERS]).await;
    let body = format!("{}&data.handle=ada&next=/account.html", account());
    let made = submit(&app, "/auth/v1/signup", None, &body).await;
    assert_eq!(location(&made), "/account.html");
    let cookie = cookie_of(&made);
    let users = app.get("/rest/v1/users?select=handle").await;
    assert_eq!(users.body, r#"[{"handle":"ada"}]"#);

    let out = submit(&app, "/auth/v1/session/end", Some(&cookie), "next=/bye.html").await;
    assert_eq!(location(&out), "/bye.html");
    assert!(out.header("set-cookie").is_some_and(|set| set.contains("Max-Age=0")));
    assert_eq!(status_of(&app, &cookie).await, 401);

    let body = format!("{}&next=/account.html", account());
    let (one, other) = (
        submit(&app, "/auth/v1/session", None, &body).await,
        submit(&app, "/auth/v1/session", None, &body).await,
    );
    assert_eq!(location(&one), "/account.html");
    let (one, other) = (cookie_of(&one), cookie_of(&other));
    let headers = [("Cookie", one.as_str()), ("Accept", "text/html,*/*;q=0.8")];
    let page = app.request("GET", "/auth/v1/sessions", &headers, b"").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.body.contains(EMAIL) && page.body.contains("This device"), "{}", page.body);
    let action = page.body.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
    let action = action.expect("a form");
    let gone = submit(&app, action, Some(&one), "next=/auth/v1/sessions").await;
    assert_eq!(location(&gone), "/auth/v1/sessions");
    assert_eq!((status_of(&app, &one).await, status_of(&app, &other).await), (200, 401));

    let body = "password=quite+another+passphrase&next=/account.html";
    let changed = submit(&app, "/auth/v1/user", Some(&one), body).await;
    assert_eq!(location(&changed), "/account.html");
    assert_eq!(status_of(&app, &one).await, 401);
    assert_eq!(status_of(&app, &cookie_of(&changed)).await, 200);
    app.close().await;
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_shown_with_forms_alone() {
    let app = TestApp::start(&[]).await;
    sign_up(&app).await;
    let log_in = async || {
        let body = format!("{}&next=/account.html&factor=/code.html", account());
        submit(&app, "/auth/v1/session", None, &body).await
    };
    let show = async |cookie: &str, code: &str| {
        let body = format!("code={code}&next=/account.html&back=/code.html");
        submit(&app, "/auth/v1/session/code", Some(cookie), &body).await
    };
    let refused = |res: &Response, code: &str| {
        assert_eq!(location(res), format!("/code.html?error={code}#{code}"));
    };
    let raised = async |half: &str, res: Response| {
        assert_eq!(location(&res), "/account.html");
        let cookie = cookie_of(&res);
        assert_eq!(status_of(&app, half).await, 401, "its id is another from then on");
        let listed = send(&app, "GET", "/auth/v1/sessions", Some(&cookie), "").await.json();
        let current = listed.as_array().expect("a list").iter().find(|it| it["current"] == true);
        assert_eq!(current.expect("this one")["aal"], "aal2");
        cookie
    };

    let res = log_in().await;
    assert_eq!(location(&res), "/account.html", "there is no factor yet");
    let cookie = cookie_of(&res);
    refused(&show(&cookie, "123456").await, "mfa_factor_not_found");
    refused(&show("session=x", "123456").await, "no_authorization");
    let (_, factor) = factor_shown(&app, &cookie, "telephone").await;

    let res = log_in().await;
    assert_eq!(location(&res), "/code.html");
    let half = cookie_of(&res);
    refused(&show(&half, &factor.wrong_code()).await, "mfa_verification_failed");
    refused(&show(&half, "").await, "validation_failed");
    let code = factor.code(Which::Next);
    let grouped = format!("{}+{}", &code[..3], &code[3..]);
    let cookie = raised(&half, show(&half, &grouped).await).await;

    let made = send(&app, "POST", "/auth/v1/factors/recovery_codes", Some(&cookie), "{}").await;
    let codes = made.json();
    let half = cookie_of(&log_in().await);
    let code = codes["codes"][0].as_str().expect("a code");
    raised(&half, show(&half, code).await).await;

    // A program that holds the cookie is answered with JSON, and without tokens.
    let half = cookie_of(&log_in().await);
    let body = format!(r#"{{"code":{}}}"#, codes["codes"][1]);
    let res = send(&app, "POST", "/auth/v1/session/code", Some(&half), &body).await;
    assert_eq!((res.status, &res.json()["email"]), (200, &EMAIL.into()), "{}", res.body);
    assert!(!res.body.contains("token"), "{}", res.body);
    let statuses = (status_of(&app, &half).await, status_of(&app, &cookie_of(&res)).await);
    assert_eq!(statuses, (401, 200));
    app.close().await;
}

#[tokio::test]
async fn a_code_of_any_factor_is_taken_and_guesses_at_the_others_are_forgotten() {
    let app = TestApp::start(&[]).await;
    let bearer = sign_up(&app).await;
    // A program that comes with a token is not left without those of the raised session.
    let token = format!("Bearer {}", bearer["access_token"].as_str().expect("a token"));
    let headers = [FORM, ("Authorization", token.as_str())];
    let res = app.request("POST", "/auth/v1/session/code", &headers, b"code=123456&back=/a").await;
    assert_eq!(location(&res), "/a?error=no_authorization#no_authorization");

    let cookie = cookie_of(&sign_in(&app, None).await);
    let (raised, first) = factor_shown(&app, &cookie, "first").await;
    let (_, second) = factor_shown(&app, &cookie_of(&raised), "second").await;
    let (half, other) =
        (cookie_of(&sign_in(&app, None).await), cookie_of(&sign_in(&app, None).await));
    let show = async |cookie: &str, code: &str| {
        let body = format!("code={code}&next=/in.html&back=/code.html");
        let res = submit(&app, "/auth/v1/session/code", Some(cookie), &body).await;
        location(&res).rsplit('#').next().expect("a text").to_owned()
    };
    let wrong = first.wrong_code();
    for _ in 0..4 {
        assert_eq!(show(&half, &wrong).await, "mfa_verification_failed");
    }
    assert_eq!(show(&half, &second.code(Which::Next)).await, "/in.html");
    // The other session ended as it was below that one.
    assert_eq!(show(&other, &wrong).await, "no_authorization");
    let half = cookie_of(&sign_in(&app, None).await);
    for _ in 0..2 {
        assert_eq!(show(&half, &wrong).await, "mfa_verification_failed");
    }
    assert_eq!(show(&half, &first.code(Which::Next)).await, "/in.html");
    app.close().await;
}

#[tokio::test]
async fn a_form_that_is_refused_says_why_on_its_own_page() {
    let app = TestApp::start(&[]).await;
    sign_up(&app).await;
    let wrong = "email=ada%40example.com&password=wrong&back=/log-in.html?x=1";
    let unknown = "email=nobody%40example.com&password=wrong&back=/log-in.html?x=1";
    for body in [wrong, unknown] {
        let res = submit(&app, "/auth/v1/session", None, body).await;
        let expected = "/log-in.html?x=1&error=invalid_credentials#invalid_credentials";
        assert_eq!(location(&res), expected);
        assert!(res.header("set-cookie").is_none());
    }
    let weak = "email=bo%40example.com&password=short&back=/sign-up.html";
    let res = submit(&app, "/auth/v1/signup", None, weak).await;
    assert_eq!(location(&res), "/sign-up.html?error=weak_password#weak_password");
    let res = submit(&app, "/auth/v1/user", None, "password=x&back=/new-password.html").await;
    assert_eq!(location(&res), "/new-password.html?error=no_authorization#no_authorization");
    app.close().await;
}

#[tokio::test]
async fn a_handle_that_is_taken_is_told_and_tells_nothing_of_an_address() {
    let app = TestApp::start_in(&[("MAINSTAY_AUTH__CONFIRM_EMAIL", "true")], &[USERS]).await;
    let body = format!("{}&data.handle=ada&sent=/mailed.html", account());
    assert_eq!(location(&submit(&app, "/auth/v1/signup", None, &body).await), "/mailed.html");
    for email in ["bo%40example.com", "eve%40example.com"] {
        let body = format!("email={email}&password=a+long+passphrase&data.handle=ada&back=/again");
        let res = submit(&app, "/auth/v1/signup", None, &body).await;
        assert_eq!(location(&res), "/again?error=validation_failed#validation_failed");
        let body = body.replace("handle=ada", &format!("handle={}", &email[..2]));
        let res = submit(&app, "/auth/v1/signup", None, &body.replace("back", "sent")).await;
        assert_eq!(res.status, 303, "{}", res.body);
    }
    app.close().await;
}

#[tokio::test]
async fn a_form_that_comes_too_often_is_told_when_to_come_again() {
    let settings = ("mainstay.toml", "[auth]\nrequests_max = 1\n");
    let app = TestApp::start(&[settings]).await;
    let body = "email=nobody%40example.com&next=/a&sent=/sent&back=/b";
    let first = submit(&app, "/auth/v1/recover", None, body).await;
    assert_eq!(location(&first), "/sent");
    let second = submit(&app, "/auth/v1/recover", None, body).await;
    assert!(location(&second).starts_with("/b?error=over_"), "{second:?}");
    assert!(second.header("retry-after").is_some(), "{second:?}");
    app.close().await;
}

#[tokio::test]
async fn a_form_leads_nowhere_else() {
    let app = TestApp::start(&[]).await;
    sign_up(&app).await;
    for to in ["https://evil.test/", "//evil.test", "/%5Cevil.test", "%2F%09%2Fevil.test"] {
        for field in ["next", "back", "factor"] {
            let body = format!("{}&{field}={to}", account());
            let res = submit(&app, "/auth/v1/session", None, &body).await;
            assert_eq!((res.status, &res.json()["code"]), (400, &"validation_failed".into()));
            assert!(res.header("location").is_none() && res.header("set-cookie").is_none());
        }
    }
    app.close().await;
}

/// The link of a mail of this kind; it is sent in the background.
async fn link(app: &TestApp, kind: &str) -> String {
    let mail = mailed(app, |mail| mail["kind"] == kind).await;
    let text = mail["text"].as_str().expect("a text");
    let at = text.find("/auth/v1/verify").expect("a link");
    text[at..].split_whitespace().next().expect("a link").to_owned()
}

#[tokio::test]
async fn a_link_that_a_form_asked_for_signs_in_who_says_so_and_not_who_only_opens_it() {
    let app = TestApp::start_in(&[("MAINSTAY_AUTH__CONFIRM_EMAIL", "true")], &[]).await;
    let body = format!("{}&next=/welcome.html&sent=/check-your-mail.html", account());
    let made = submit(&app, "/auth/v1/signup", None, &body).await;
    assert_eq!(location(&made), "/check-your-mail.html");
    assert!(made.header("set-cookie").is_none());
    let link = link(&app, "confirmation").await;
    for _ in 0..2 {
        let page = app.get(&link).await;
        assert!(page.header("set-cookie").is_none());
        assert!(page.body.contains("Continue as ada@example.com"), "{}", page.body);
    }
    let value = |name: &str| {
        let pairs = link.split(['?', '&']);
        pairs.filter_map(|pair| pair.strip_prefix(name)).next().expect("a parameter").to_owned()
    };
    assert_eq!(value("next="), "%2Fwelcome.html");
    let body =
        format!("token={}&type={}&next=/welcome.html&back=/x", value("token="), value("type="));
    let opened = submit(&app, "/auth/v1/verify", None, &body).await;
    assert_eq!(location(&opened), "/welcome.html");
    assert_eq!(status_of(&app, &cookie_of(&opened)).await, 200);
    let again = submit(&app, "/auth/v1/verify", None, &body).await;
    assert_eq!(location(&again), "/x?error=otp_expired#otp_expired");
    assert_eq!(location(&app.get(&link).await), "/welcome.html?error=otp_expired#otp_expired");
    app.close().await;
}

#[tokio::test]
async fn a_password_that_was_forgotten_is_replaced_with_forms_alone() {
    let app = TestApp::start(&[]).await;
    sign_up(&app).await;
    let body = "email=ada%40example.com&next=/new-password.html&sent=/check-your-mail.html";
    let sent = submit(&app, "/auth/v1/recover", None, body).await;
    let nobody = "email=nobody%40example.com&next=/new-password.html&sent=/check-your-mail.html";
    let none = submit(&app, "/auth/v1/recover", None, nobody).await;
    assert_eq!((location(&sent), location(&none)), ("/check-your-mail.html", location(&none)));
    let link = link(&app, "recovery").await;
    let token = link.split("token=").nth(1).and_then(|it| it.split('&').next()).expect("a token");
    let body = format!("token={token}&type=recovery&next=/new-password.html");
    let opened = submit(&app, "/auth/v1/verify", None, &body).await;
    let cookie = cookie_of(&opened);
    let body = "password=quite+another+passphrase&next=/";
    let changed = submit(&app, "/auth/v1/user", Some(&cookie), body).await;
    assert_eq!(location(&changed), "/");
    let body = r#"{"email":"ada@example.com","password":"quite another passphrase"}"#;
    assert_eq!(send(&app, "POST", "/auth/v1/session", None, body).await.status, 200);
    app.close().await;
}
