//! Mainstay as its users meet it: over a socket, and from a command line.

mod app;
mod auth;
mod cli;
mod docs;
mod protections;
mod rest;
mod support;
