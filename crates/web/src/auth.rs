//! Supabase Auth's dialect: accounts, tokens and sessions at `/auth/v1`.
//!
//! Each file is a noun of the API. What may be done is decided in the crate `auth`; here
//! requests are read and answers written, in the forms that `@supabase/auth-js` knows.

mod about;
mod admin;
mod answer;
mod device;
mod factors;
mod form;
mod mail;
mod page;
mod request;
mod session;
mod sessions;
mod sign_out;
mod sign_up;
mod token;
mod user;
mod verify;

use axum::{
    Router,
    routing::{any, delete, get, post},
};

pub(crate) use self::{
    answer::{Failed, cross_site},
    request::signed_in_parts,
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
        .route(
            "/auth/v1/user",
            get(user::get_user).put(user::update_user).post(user::update_user_by_form),
        )
        .route("/auth/v1/factors", post(factors::enrol))
        .route("/auth/v1/factors/{factor}", delete(factors::remove))
        .route("/auth/v1/factors/{factor}/challenge", post(factors::challenge))
        .route("/auth/v1/factors/{factor}/verify", post(factors::verify))
        .route("/auth/v1/factors/recovery_codes", post(factors::make_recovery_codes))
        .route("/auth/v1/factors/recovery_codes/verify", post(factors::verify_recovery_code))
        .route("/auth/v1/logout", post(sign_out::sign_out))
        .route("/auth/v1/session", post(session::open).delete(session::close))
        .route("/auth/v1/session/code", post(factors::verify_any))
        .route("/auth/v1/session/end", post(session::close_by_form))
        .route("/auth/v1/sessions", get(sessions::list))
        .route("/auth/v1/sessions/{id}", delete(sessions::revoke))
        .route("/auth/v1/sessions/{id}/revoke", post(sessions::revoke_by_form))
        .route("/auth/v1/invite", post(admin::links::invite))
        .route("/auth/v1/admin/generate_link", post(admin::links::generate_link))
        .route("/auth/v1/admin/users", get(admin::users::list).post(admin::users::create))
        .route(
            "/auth/v1/admin/users/{id}",
            get(admin::users::get).put(admin::users::update).delete(admin::users::delete),
        )
        .route("/auth/v1/admin/users/{id}/factors", get(admin::factors::list))
        .route("/auth/v1/admin/users/{id}/factors/{factor}", delete(admin::factors::delete))
        .route("/auth/v1/authorize", get(about::authorize))
        .route("/auth/v1/{*path}", any(about::nothing_here))
        .method_not_allowed_fallback(about::not_by_this_method)
}
