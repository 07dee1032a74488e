//! HTTP: the only crate that knows axum.
//!
//! A request is decoded, its caller is found, a plan is made, the store carries it
//! out and its rows are encoded: `pipeline` is that path, [`router`](fn@router) the list of
//! what is served. Nothing here decides who may do what.

mod auth;
mod dev_mail;
mod error;
pub mod extract;
pub mod fuzz;
mod health;
pub mod middleware;
mod openapi;
mod pipeline;
mod rest;
mod router;
pub mod server;
mod state;
pub mod static_files;
mod who;

pub use error::{Failure, status};
pub use rest::{FEATURES, Feature, Reason, Rehearsal, Support};
pub use router::{refuse_path, router};
pub use state::{App, ServerTiming, Settings, State, system_time};
