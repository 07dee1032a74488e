//! What routes of an app's own read of their visitor, as axum's extractors.
//!
//! - [`SessionData`]: what the app keeps with a signed-in visitor's session, on the server.
//! - [`Flash`]: what any visitor is told on the next page, once.
//! - [`Preferences`]: what any visitor's browser keeps, signed or sealed by the app.
//!
//! ```
//! use axum::{response::Redirect, routing::{get, post}};
//! use mainstay::{axum, extract::{Flash, Preferences, SessionData}, testing::TestApp};
//!
//! async fn add_to_cart(session: SessionData, mut flash: Flash) -> (Flash, Redirect) {
//!     let mut cart: Vec<String> = session.get("cart").await.unwrap().unwrap_or_default();
//!     cart.push("a book".to_owned());
//!     session.set("cart", &cart).await.unwrap();
//!     flash.push("A book is in your cart").unwrap();
//!     (flash, Redirect::to("/cart"))
//! }
//!
//! async fn switch_theme(mut preferences: Preferences) -> (Preferences, String) {
//!     let now = match preferences.signed::<String>("theme").as_deref() {
//!         Some("dark") => "light",
//!         _ => "dark",
//!     };
//!     preferences.sign("theme", &now).unwrap();
//!     (preferences, now.to_owned())
//! }
//!
//! # let runtime = tokio::runtime::Runtime::new().unwrap();
//! # runtime.block_on(async {
//! let app = TestApp::start_with(&[], |app| {
//!     app.development().route("/cart", post(add_to_cart)).route("/theme", get(switch_theme))
//! })
//! .await;
//! assert_eq!(app.request("POST", "/cart", &[], b"").await.status, 401);
//! let dark = app.get("/theme").await;
//! assert_eq!(dark.body, "dark");
//! let cookie = dark.header("set-cookie").unwrap().split(';').next().unwrap();
//! let light = app.request("GET", "/theme", &[("Cookie", cookie)], b"").await;
//! assert_eq!(light.body, "light");
//! # app.close().await;
//! # });
//! ```

pub use mainstay_auth::{SESSION_DATA_BYTES_MAX, SessionDataError};
pub use mainstay_web::extract::{Flash, FlashError, PreferenceError, Preferences, SessionData};
