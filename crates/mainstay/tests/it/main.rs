//! Mainstay as its users meet it: over a socket, and from a command line.

mod accounts;
mod app;
mod auth;
mod built_in;
mod cli;
mod database;
mod docs;
mod protections;
mod rest;
mod support;
