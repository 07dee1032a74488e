//! Supabase Auth's dialect: accounts, tokens and sessions at `/auth/v1`.
//!
//! Each file is a noun of the API. What may be done is decided in the crate `auth`; here
//! requests are read and answers written, in the forms that `@supabase/auth-js` knows.

mod about;
mod admin;
mod answer;
mod mail;
mod request;
mod sign_out;
mod sign_up;
mod token;
mod user;
mod verify;

use axum::{
    Router,
    routing::{any, delete, get, post},
};

use crate::state::State;

/// The routes, in the order of an account's life.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/auth/v1/health", get(about::health))
        .route("/auth/v1/settings", get(about::settings))
        .route("/auth/v1/signup", post(sign_up::sign_up))
        .route("/auth/v1/token", post(token::grant))
        .route("/auth/v1/otp", post(mail::send_otp))
        .route("/auth/v1/magiclink", post(mail::send_magic_link))
        .route("/auth/v1/recover", post(mail::send_recovery))
        .route("/auth/v1/resend", post(mail::resend))
        .route("/auth/v1/reauthenticate", get(mail::reauthenticate))
        .route("/auth/v1/verify", get(verify::open_link).post(verify::redeem))
        .route("/auth/v1/user", get(user::get_user).put(user::update_user))
        .route("/auth/v1/logout", post(sign_out::sign_out))
        .route("/auth/v1/invite", post(admin::links::invite))
        .route("/auth/v1/admin/generate_link", post(admin::links::generate_link))
        .route("/auth/v1/admin/users", get(admin::users::list).post(admin::users::create))
        .route(
            "/auth/v1/admin/users/{id}",
            get(admin::users::get).put(admin::users::update).delete(admin::users::delete),
        )
        .route("/auth/v1/admin/users/{id}/factors", get(admin::factors::list))
        .route("/auth/v1/admin/users/{id}/factors/{factor}", delete(admin::factors::delete))
        .route("/auth/v1/{*path}", any(about::nothing_here))
}
