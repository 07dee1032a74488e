//! Accounts and sessions, over a socket.

mod cookies;
mod csrf;
mod extract;
mod forms;
mod visitor;
