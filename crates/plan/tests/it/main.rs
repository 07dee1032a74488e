//! What becomes of requests at the gate, for each kind of caller.

mod access;
mod built_in;
mod reads;
mod show;
mod writes;
