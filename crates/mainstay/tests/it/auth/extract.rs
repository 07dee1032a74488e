//! What an app's own routes keep of their visitor.

use std::sync::atomic::{AtomicI64, Ordering};

use axum::routing::{get, post};
use mainstay::{
    App, axum,
    extract::{Flash, Preferences, SessionData, SessionDataError},
    testing::TestApp,
    web::system_time,
};

use super::visitor::{cookie_of, send, sign_in, sign_up};

async fn read(session: SessionData) -> String {
    let (number, brief): (Option<u32>, Option<u32>) =
        (session.get("number").await.unwrap(), session.get("brief").await.unwrap());
    format!("{} {number:?} {brief:?}", session.user())
}

async fn write(session: SessionData, number: String) -> String {
    let number: usize = number.parse().unwrap();
    session.set_for("brief", &7, 60).await.unwrap();
    match session.set("number", &number).await {
        Ok(()) => "kept".to_owned(),
        Err(error) => error.to_string(),
    }
}

async fn fill(session: SessionData, bytes: String) -> String {
    let text = "x".repeat(bytes.parse().unwrap());
    match session.set("text", &text).await {
        Ok(()) => "kept".to_owned(),
        Err(SessionDataError::TooLarge { .. }) => "too large".to_owned(),
        Err(error) => error.to_string(),
    }
}

async fn tell(mut flash: Flash, text: String) -> (Flash, &'static str) {
    let told = flash.push(text);
    (flash, if told.is_ok() { "told" } else { "too long" })
}

async fn told(mut flash: Flash) -> (Flash, String) {
    let told = flash.take().join("|");
    (flash, told)
}

async fn prefer(mut preferences: Preferences, name: String) -> (Preferences, String) {
    let signed = preferences.sign(&name, &"signed");
    let sealed = preferences.seal(&format!("{name}-2"), &"sealed");
    let outcome = signed.and(sealed).map_or_else(|error| error.to_string(), |()| "kept".into());
    (preferences, outcome)
}

async fn preferred(mut preferences: Preferences) -> (Preferences, String) {
    let signed: Option<String> = preferences.signed("theme");
    let sealed: Option<String> = preferences.sealed("theme-2");
    let other: Option<String> = preferences.sealed("theme");
    (preferences, format!("{signed:?} {sealed:?} {other:?}"))
}

fn routes(app: App) -> App {
    app.development()
        .route("/data", get(read).post(write))
        .route("/fill", post(fill))
        .route("/flash", get(told).post(tell))
        .route("/prefer", get(preferred).post(prefer))
}

#[tokio::test]
async fn what_is_kept_with_a_session_is_its_own_and_goes_with_its_time() {
    static BY: AtomicI64 = AtomicI64::new(0);
    let clock = |app: App| {
        routes(app).clock(|| system_time().shifted(BY.load(Ordering::Relaxed)).expect("a time"))
    };
    let app = TestApp::start_with(&[], clock).await;
    let user = sign_up(&app).await["user"]["id"].as_str().expect("an id").to_owned();
    let cookie = cookie_of(&sign_in(&app, None).await);
    let other = cookie_of(&sign_in(&app, None).await);
    let at = async |cookie: &str| send(&app, "GET", "/data", Some(cookie), "").await.body;
    assert_eq!(at(&cookie).await, format!("{user} None None"));
    assert_eq!(send(&app, "POST", "/data", Some(&cookie), "5").await.body, "kept");
    assert_eq!(at(&cookie).await, format!("{user} Some(5) Some(7)"));
    assert_eq!(at(&other).await, format!("{user} None None"));
    BY.store(61_000_000, Ordering::Relaxed);
    assert_eq!(at(&cookie).await, format!("{user} Some(5) None"));
    assert_eq!(send(&app, "POST", "/fill", Some(&cookie), "8000").await.body, "kept");
    assert_eq!(send(&app, "POST", "/fill", Some(&cookie), "8200").await.body, "too large");
    assert_eq!(at(&cookie).await, format!("{user} Some(5) None"));
    assert_eq!(send(&app, "POST", "/data", None, "5").await.status, 401);
    app.close().await;
}

#[tokio::test]
async fn a_message_is_told_once_and_to_nobody_after_its_time() {
    static BY: AtomicI64 = AtomicI64::new(0);
    let clock = |app: App| {
        routes(app).clock(|| system_time().shifted(BY.load(Ordering::Relaxed)).expect("a time"))
    };
    let app = TestApp::start_with(&[], clock).await;
    let one = cookie_of(&send(&app, "POST", "/flash", None, "Saved").await);
    let two = cookie_of(&send(&app, "POST", "/flash", Some(&one), "Sent <b>").await);
    assert!(!two.contains("Saved"));
    let told = send(&app, "GET", "/flash", Some(&two), "").await;
    assert_eq!(told.body, "Saved|Sent <b>");
    assert!(told.header("set-cookie").is_some_and(|set| set.contains("Max-Age=0; HttpOnly")));
    let long = send(&app, "POST", "/flash", None, &"x".repeat(4_000)).await;
    assert_eq!((long.body.as_str(), long.header("set-cookie")), ("too long", None));
    assert_eq!(send(&app, "GET", "/flash", None, "").await.body, "");
    assert_eq!(send(&app, "GET", "/flash", Some("flash=forged"), "").await.body, "");
    BY.store(301_000_000, Ordering::Relaxed);
    assert_eq!(send(&app, "GET", "/flash", Some(&two), "").await.body, "");
    app.close().await;
}

#[tokio::test]
async fn a_preference_is_the_apps_own_or_it_is_none() {
    let app = TestApp::start_with(&[], routes).await;
    let kept = send(&app, "POST", "/prefer", None, "theme").await;
    let set: Vec<&str> = kept
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    let [signed, sealed] = set[..] else { panic!("{set:?}") };
    assert!(!signed.contains("HttpOnly") && sealed.contains("HttpOnly"), "{set:?}");
    let pair = |set: &str| set.split(';').next().expect("a pair").to_owned();
    let cookies = format!("{}; {}", pair(signed), pair(sealed));
    let read = async |cookies: &str| send(&app, "GET", "/prefer", Some(cookies), "").await.body;
    assert_eq!(read(&cookies).await, r#"Some("signed") Some("sealed") None"#);
    let swapped = cookies.replace("theme=", "x=").replace("theme-2=", "theme=");
    assert_eq!(read(&swapped).await, "None None None");
    assert_eq!(read("theme=InNpZ25lZCI.x; theme-2=x").await, "None None None");
    for name in ["session", "flash", "", "a b", "a;b", "Theme", "x\r\ny"] {
        let refused = send(&app, "POST", "/prefer", None, name).await;
        assert!(refused.body.contains("is no name of a preference"), "{name}");
    }
    app.close().await;
}
