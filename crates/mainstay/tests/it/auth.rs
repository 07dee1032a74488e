//! Accounts and sessions, over a socket.

mod cookies;
mod csrf;
mod forms;
mod visitor;
